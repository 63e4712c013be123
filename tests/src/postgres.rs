//! A private PostgreSQL from the binaries of this machine: its own cluster in a temporary folder, gone when dropped.

mod machine;

use std::ffi::OsStr;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Uid, User};
use tempfile::TempDir;

use machine::{binaries, children, pid, run, signal, unprivileged};

/// The superuser of the cluster and its password.
const OWNER: &str = "wagate";
const PASSWORD: &str = "wagate-test";
/// Longest time until it answers, and until it is gone.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks at a server that does not tell when it is ready.
const LOOK: Duration = Duration::from_millis(20);

/// What a cluster may be told at start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClusterSettings {
    /// Whether a commit is on the disk when it returns.
    pub durability: Durability,
    /// Whether lines over TCP are encrypted.
    pub line: Encryption,
}

/// Whether a commit is on the disk when it returns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// It survives a crash of PostgreSQL, not of the machine.
    #[default]
    Process,
    /// It survives the machine.
    Disk,
}

/// Whether lines over TCP are encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Encryption {
    /// They are plain.
    #[default]
    Plain,
    /// Nothing else is let in; the certificate signs itself.
    Tls,
}

/// A cluster that runs or rests.
#[derive(Debug)]
pub struct Cluster {
    bin: PathBuf,
    user: Option<User>,
    folder: TempDir,
    port: u16,
    settings: ClusterSettings,
    postmaster: Option<Child>,
}

impl Cluster {
    /// Makes a cluster and starts it. Blocks: it is quick, and a test waits for it anyway.
    pub fn start_new(settings: ClusterSettings) -> Self {
        let bin = binaries();
        // PostgreSQL refuses to run as root.
        let user = Uid::effective().is_root().then(unprivileged);
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|free| free.local_addr())
            .unwrap()
            .port();
        let mut cluster = Self {
            bin,
            user,
            folder,
            port,
            settings,
            postmaster: None,
        };
        cluster.give_away(cluster.folder.path());
        cluster.init();
        cluster.start();
        cluster
    }

    /// The address of a database, with user and password.
    pub fn url(&self, database: &str) -> String {
        let tls = match self.settings.line {
            Encryption::Plain => String::new(),
            Encryption::Tls => format!(
                "?sslmode=verify-full&sslrootcert={}",
                self.certificate().display()
            ),
        };
        format!(
            "postgres://{OWNER}:{PASSWORD}@127.0.0.1:{}/{database}{tls}",
            self.port
        )
    }

    /// The same database behind a proxy.
    pub fn url_through(&self, proxy: std::net::SocketAddr, database: &str) -> String {
        let own = format!("@127.0.0.1:{}/", self.port);
        self.url(database).replace(&own, &format!("@{proxy}/"))
    }

    /// Where it listens.
    pub fn address(&self) -> std::net::SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// The certificate to trust, when lines are encrypted.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("server.crt")
    }

    /// Makes an empty database and answers its address.
    pub fn create_database(&self, name: &str) -> String {
        self.sql("postgres", &format!("CREATE DATABASE \"{name}\""));
        self.url(name)
    }

    /// What `psql` prints for a statement, unaligned.
    pub fn sql(&self, database: &str, statement: &str) -> String {
        let mut psql = Command::new(self.bin.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement]);
        run(psql.arg(self.url(database)))
    }

    /// Starts it where it was stopped, and waits until it answers.
    pub fn start(&mut self) {
        let log = std::fs::File::create(self.folder.path().join("log")).unwrap();
        let mut postgres = self.command("postgres");
        postgres
            .arg("-D")
            .arg(self.data())
            .args(["-p", &self.port.to_string(), "-k"])
            .arg(self.folder.path())
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"]);
        if self.settings.durability == Durability::Process {
            postgres.args(["-c", "fsync=off"]);
        }
        if self.settings.line == Encryption::Tls {
            let file = |name: &str, file: &str| format!("{name}={}", self.folder.path().join(file).display());
            let (certificate, key) = (
                file("ssl_cert_file", "server.crt"),
                file("ssl_key_file", "server.key"),
            );
            postgres.args(["-c", "ssl=on", "-c", &certificate, "-c", &key]);
        }
        self.postmaster = Some(postgres.stderr(log).stdin(Stdio::null()).spawn().unwrap());
        self.wait_ready();
    }

    /// Stops it as a crash would: no checkpoint, every connection cut.
    pub fn stop_immediate(&mut self) {
        let mut postmaster = self.postmaster.take().expect("PostgreSQL runs");
        signal(postmaster.id(), Signal::SIGQUIT);
        postmaster.wait().unwrap();
    }

    /// Freezes the server and everybody it serves: connections stay open and nothing is answered.
    pub fn freeze(&self) {
        self.signal_all(Signal::SIGSTOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal_all(Signal::SIGCONT);
    }

    fn signal_all(&self, what: Signal) {
        let postmaster = self.postmaster.as_ref().expect("PostgreSQL runs").id();
        // First the one that makes new ones.
        signal(postmaster, what);
        for child in children(postmaster) {
            signal(child, what);
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn init(&self) {
        let secret = self.private_file("password", PASSWORD);
        let mut initdb = self.command("initdb");
        initdb
            .args([
                "--no-sync",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
            ])
            .args(["-U", OWNER, "--pwfile"])
            .arg(secret)
            .arg("-D")
            .arg(self.data());
        run(&mut initdb);
        if self.settings.line == Encryption::Tls {
            let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
            let made = rcgen::generate_simple_self_signed(names).unwrap();
            self.private_file("server.key", &made.signing_key.serialize_pem());
            let certificate = self.private_file("server.crt", &made.cert.pem());
            // Not a secret, and the gateway may run as somebody else.
            std::fs::set_permissions(certificate, std::fs::Permissions::from_mode(0o644)).unwrap();
            let only_tls = "hostssl all all 127.0.0.1/32 scram-sha-256\n";
            self.private_file("data/pg_hba.conf", only_tls);
        }
    }

    fn private_file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        self.give_away(&path);
        path
    }

    fn give_away(&self, path: &Path) {
        if let Some(user) = &self.user {
            chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw())).unwrap();
        }
    }

    /// One of PostgreSQL's programs, as the user that owns the cluster.
    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(self.bin.join(Path::new(program.as_ref())));
        command.current_dir(self.folder.path()).env("LC_ALL", "C");
        if let Some(user) = &self.user {
            command.gid(user.gid.as_raw()).uid(user.uid.as_raw());
        }
        command
    }

    fn wait_ready(&mut self) {
        let started = Instant::now();
        let port = self.port.to_string();
        let ready = || {
            Command::new(self.bin.join("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-p", &port])
                .status()
                .is_ok_and(|status| status.success())
        };
        while !ready() {
            let ended = self.postmaster.as_mut().unwrap().try_wait().unwrap();
            assert!(
                ended.is_none() && started.elapsed() < PATIENCE,
                "PostgreSQL did not start: {}",
                std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
            );
            std::thread::sleep(LOOK);
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut postmaster) = self.postmaster.take() {
            let id = postmaster.id();
            for process in children(id).into_iter().chain([id]) {
                let _ = kill(pid(process), Signal::SIGCONT);
            }
            let _ = kill(pid(id), Signal::SIGQUIT);
            let _ = postmaster.wait();
        }
    }
}

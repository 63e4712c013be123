//! Builds the web UI in `ui/` into `OUT_DIR`, from where the crate embeds it.
//!
//! `WAGATE_UI=skip` embeds the plain page instead, for work on the rest; `prebuilt` takes `ui/dist` as it is, for
//! packaging without npm; `require` fails where otherwise the plain page would stand in. Without npm, or with one that
//! cannot install, the build goes on with the plain page and says so.

use std::env;
use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// What the UI is made of. `npm` writes to none of them, or every build would start the next one.
const SOURCES: [&str; 8] = [
    "src/page.html",
    "ui/index.html",
    "ui/package.json",
    "ui/package-lock.json",
    "ui/public",
    "ui/src",
    "ui/svelte.config.js",
    "ui/vite.config.js",
];

/// Oldest Node that Vite runs on.
const OLDEST_NODE: (u32, u32) = (20, 19);

fn main() -> Result {
    println!("cargo::rerun-if-env-changed=WAGATE_UI");
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
    }
    let ui = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("ui");
    let out = PathBuf::from(env::var("OUT_DIR")?).join("ui");
    let mode = env::var("WAGATE_UI").unwrap_or_default();
    let complete = match mode.as_str() {
        "skip" => false,
        "prebuilt" => copy(&ui.join("dist"), &out).map(|()| true)?,
        "require" => {
            install(&ui)?;
            build(&ui, &out)?;
            true
        }
        "" => match install(&ui) {
            Ok(()) => build(&ui, &out).map(|()| true)?,
            Err(reason) => {
                println!("cargo::warning=The dashboard is not built, a plain page takes its place: {reason}");
                false
            }
        },
        other => return Err(format!("WAGATE_UI is {other:?}; it can be skip, prebuilt or require").into()),
    };
    if !complete {
        clear(&out)?;
        fs::copy("src/page.html", out.join("index.html"))?;
    }
    println!("cargo::rustc-env=WAGATE_UI_COMPLETE={complete}");
    Ok(())
}

/// Installs what the lock file says, when it says something new.
fn install(ui: &Path) -> Result {
    let version = run(Command::new("node").arg("--version"))?;
    if !runs_vite(&version) {
        let (major, minor) = OLDEST_NODE;
        return Err(format!("Node {} is older than {major}.{minor}", version.trim()).into());
    }
    // Two builds of one tree must not install at once.
    let lock = File::create(ui.join(".install.lock"))?;
    lock.lock()?;
    let modified = |path: &str| fs::metadata(ui.join(path)).and_then(|data| data.modified());
    let wanted = modified("package-lock.json")?;
    if modified("node_modules/.package-lock.json").is_ok_and(|installed| installed >= wanted) {
        return Ok(());
    }
    run(npm(ui).args(["ci", "--no-audit", "--no-fund", "--no-progress"]))?;
    // npm keeps the time of a file that it does not change.
    File::options()
        .append(true)
        .open(ui.join("node_modules/.package-lock.json"))?
        .set_modified(wanted)?;
    Ok(())
}

fn runs_vite(version: &str) -> bool {
    let mut parts = version.trim().trim_start_matches('v').split('.').map(str::parse);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= OLDEST_NODE,
        _ => false,
    }
}

fn build(ui: &Path, out: &Path) -> Result {
    clear(out)?;
    run(npm(ui)
        .args(["run", "build", "--", "--emptyOutDir", "--outDir"])
        .arg(out))?;
    Ok(())
}

fn npm(ui: &Path) -> Command {
    let mut npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    npm.current_dir(ui);
    npm
}

/// Runs it and gives what it printed: cargo would take that for instructions.
fn run(command: &mut Command) -> Result<String> {
    let name = command.get_program().display().to_string();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{name} does not start: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    // Cargo takes a message up to the end of its line.
    let said = text(&output.stderr) + &text(&output.stdout);
    let said: Vec<&str> = said
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    Err(format!("{name} failed: {}", said.join(" / ")).into())
}

fn clear(folder: &Path) -> Result {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(fs::create_dir_all(folder)?)
}

fn copy(from: &Path, to: &Path) -> Result {
    if !from.join("index.html").exists() && from.ends_with("dist") {
        return Err(format!("there is no {}: run `npm run build` first", from.display()).into());
    }
    clear(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

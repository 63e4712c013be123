//! Where the master key comes from: the configuration, or a file that the first start makes.
//!
//! The file holds one key per line, the current one first. It is never changed in place: a new one is written beside
//! it, made durable, and put in its place, so that no crash leaves the database without its key.

#[cfg(test)]
mod tests;

use std::fs::{self, File, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use wagate_store::{Keyring, MasterKey};

const FILE_NAME: &str = "master.key";

/// Its reader and nobody else.
const PRIVATE: u32 = 0o600;

/// What the file says of itself.
const COMMENT: &str = "\
# The master key: it seals the secrets in the database of wagate.
# Whoever has this file and the database has the accounts. Back it up, and apart from the database:
# without it the database is worthless.
# One key per line. The first seals; those below are retired and open what they sealed.
";

/// The keys in force, and where they are from.
#[derive(Debug)]
pub struct Loaded {
    /// The keys.
    pub keyring: Keyring,
    /// Where they are from.
    pub source: Source,
}

/// Where the master key is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The configuration.
    Configured,
    /// The file in the data directory.
    File {
        /// Whether it was made just now. Rows that are sealed already do not open then: their key is lost.
        created: bool,
    },
}

/// The configured keys; without any, those of the file in the data directory, which is made when there is none. A file
/// that others can read becomes private. Fails when it cannot, and when the file holds anything but keys.
pub fn load_or_create(data_dir: &Path, configured: Option<Keyring>) -> anyhow::Result<Loaded> {
    if let Some(keyring) = configured {
        return Ok(Loaded {
            keyring,
            source: Source::Configured,
        });
    }
    let _held = hold(data_dir)?;
    let found = Keys::read(data_dir)?;
    let source = Source::File {
        created: found.is_none(),
    };
    let keys = match found {
        Some(keys) => keys,
        None => Keys::fresh(Vec::new()).write(data_dir)?,
    };
    Ok(Loaded {
        keyring: keys.into(),
        source,
    })
}

/// The keys of the file. Fails when there is none.
pub fn load(data_dir: &Path) -> anyhow::Result<Keyring> {
    Ok(Keys::read_existing(data_dir)?.into())
}

/// Whether the file holds retired keys: something may still be sealed with one.
pub fn has_retired(data_dir: &Path) -> anyhow::Result<bool> {
    Ok(!Keys::read_existing(data_dir)?.retired.is_empty())
}

/// Puts a fresh key in front of those in the file, which become retired. Fails when there is no file.
pub fn rotate(data_dir: &Path) -> anyhow::Result<Keyring> {
    let _held = hold(data_dir)?;
    let Keys { current, mut retired } = Keys::read_existing(data_dir)?;
    retired.insert(0, current);
    Ok(Keys::fresh(retired).write(data_dir)?.into())
}

/// Leaves only the current key in the file. What a retired key sealed does not open any more: seal it anew before.
pub fn forget_retired(data_dir: &Path) -> anyhow::Result<Keyring> {
    let _held = hold(data_dir)?;
    let Keys { current, .. } = Keys::read_existing(data_dir)?;
    let keys = Keys {
        current,
        retired: Vec::new(),
    };
    Ok(keys.write(data_dir)?.into())
}

/// Takes back the file that [`load_or_create`] made: only when nothing can be sealed with its key.
pub fn discard(data_dir: &Path) -> anyhow::Result<()> {
    let path = path(data_dir);
    fs::remove_file(&path).with_context(|| format!("{} cannot be removed", path.display()))
}

/// The file's content.
struct Keys {
    current: MasterKey,
    retired: Vec<MasterKey>,
}

impl From<Keys> for Keyring {
    fn from(keys: Keys) -> Self {
        Self::new(keys.current, keys.retired)
    }
}

impl Keys {
    fn fresh(retired: Vec<MasterKey>) -> Self {
        Self {
            current: MasterKey::generate(),
            retired,
        }
    }

    fn read(data_dir: &Path) -> anyhow::Result<Option<Self>> {
        let path = path(data_dir);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
        };
        make_private(&file, &path)?;
        let mut text = String::new();
        file.read_to_string(&mut text)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        Self::parse(&text, &path).map(Some)
    }

    fn read_existing(data_dir: &Path) -> anyhow::Result<Self> {
        Self::read(data_dir)?.with_context(|| {
            format!(
                "{} does not exist: the first start makes it",
                path(data_dir).display()
            )
        })
    }

    fn parse(text: &str, path: &Path) -> anyhow::Result<Self> {
        let lines = text.lines().map(str::trim).zip(1..);
        let keys = lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
        let keys = keys.map(|(line, number)| {
            line.parse::<MasterKey>()
                .with_context(|| format!("{} is damaged in line {number}", path.display()))
        });
        let mut keys = keys.collect::<anyhow::Result<Vec<_>>>()?.into_iter();
        let current = keys
            .next()
            .with_context(|| format!("{} holds no key", path.display()))?;
        Ok(Self {
            current,
            retired: keys.collect(),
        })
    }

    /// Replaces the file. The keys may be used once this returns: no power cut takes them away any more.
    fn write(self, data_dir: &Path) -> anyhow::Result<Self> {
        let path = path(data_dir);
        self.replace(data_dir, &path)
            .with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(self)
    }

    fn replace(&self, data_dir: &Path, path: &Path) -> std::io::Result<()> {
        let fresh = path.with_extension("key.new");
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = File::options()
            .write(true)
            .create_new(true)
            .mode(PRIVATE)
            .open(&fresh)?;
        file.write_all(self.to_text().as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        File::open(data_dir)?.sync_all()
    }

    fn to_text(&self) -> String {
        let keys = std::iter::once(&self.current).chain(&self.retired);
        keys.fold(COMMENT.to_owned(), |text, key| text + &key.to_text() + "\n")
    }
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE_NAME)
}

/// Two changes at once would each write a file without the other's fresh key, and rows may be sealed with it already.
/// The file itself cannot be locked: it is replaced.
fn hold(data_dir: &Path) -> anyhow::Result<File> {
    let path = path(data_dir).with_extension("key.lock");
    let hold = || {
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(PRIVATE)
            .open(&path)?;
        file.lock()?;
        std::io::Result::Ok(file)
    };
    hold().with_context(|| format!("{} cannot be locked", path.display()))
}

fn make_private(file: &File, path: &Path) -> anyhow::Result<()> {
    let is_open = file.metadata()?.permissions().mode() & 0o077 != 0;
    if !is_open {
        return Ok(());
    }
    if file.set_permissions(Permissions::from_mode(PRIVATE)).is_err() {
        bail!(
            "{} can be read by others, and its mode cannot be changed",
            path.display()
        );
    }
    tracing::warn!(path = %path.display(), "others could read the master key; they cannot any more");
    Ok(())
}

//! Keeps the world on disk, so that a restarted simulator still knows its phones, linked devices, queues and keys.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::world::{SharedWorld, Snapshot};

/// Raised when an older file can no longer be read.
const FORMAT: u32 = 1;
/// Changes come in bursts; one write follows each burst.
const DEBOUNCE: Duration = Duration::from_millis(300);

#[derive(Deserialize)]
struct Loaded {
    format: u32,
    world: Snapshot,
}

#[derive(Serialize)]
struct Saved<'a> {
    format: u32,
    world: &'a Snapshot,
}

/// One JSON file that is replaced as a whole.
#[derive(Clone, Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
}

impl StateFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The folder beside the file that keeps the media.
    pub(crate) fn media_folder(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".media");
        PathBuf::from(name)
    }

    /// The saved world; `None` when there is none yet.
    pub(crate) fn load(&self) -> Result<Option<Snapshot>, Error> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.error(&error)),
        };
        let loaded: Loaded = serde_json::from_slice(&text).map_err(|error| self.error(&error))?;
        if loaded.format != FORMAT {
            return Err(self.error(&format!("format {} is not {FORMAT}", loaded.format)));
        }
        Ok(Some(loaded.world))
    }

    /// Replaces the file: a crash leaves the old one or the new one, never half of one.
    pub(crate) fn save(&self, world: &Snapshot) -> Result<(), Error> {
        self.write(&Saved {
            format: FORMAT,
            world,
        })
        .map_err(|error| self.error(&error))
    }

    fn write(&self, saved: &impl Serialize) -> io::Result<()> {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        fs::create_dir_all(folder)?;
        let mut fresh = self.path.clone().into_os_string();
        fresh.push(".part");
        let mut file = BufWriter::new(private_file(Path::new(&fresh))?);
        serde_json::to_writer(&mut file, saved)?;
        file.flush()?;
        file.get_ref().sync_all()?;
        fs::rename(&fresh, &self.path)?;
        File::open(folder)?.sync_all()
    }

    /// Saves after every burst of changes until `stop`, and once more then.
    pub(crate) async fn keep(self, world: SharedWorld, stop: CancellationToken) -> Result<(), Error> {
        let mut news = world.changes();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                changed = news.changed() => if changed.is_err() { break },
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(DEBOUNCE) => {}
            }
            // Marked before the snapshot: a change during the write causes another write.
            news.borrow_and_update();
            if let Err(error) = self.save_in_background(&world).await {
                tracing::error!(%error, "state not saved; the next change tries again");
            }
        }
        self.save_in_background(&world).await
    }

    async fn save_in_background(&self, world: &SharedWorld) -> Result<(), Error> {
        let (file, world) = (self.clone(), world.clone());
        let saving = tokio::task::spawn_blocking(move || file.save(&world.snapshot()));
        saving.await.unwrap_or_else(|error| Err(self.error(&error)))
    }

    pub(crate) fn error(&self, reason: &dyn std::fmt::Display) -> Error {
        Error::StateFile {
            path: self.path.clone(),
            reason: reason.to_string(),
        }
    }
}

/// The file holds private keys, if only simulated ones.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

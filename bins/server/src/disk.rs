//! How full the disk of the data directory is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wagate_api::DiskSpace;

/// Asks the file system that this directory is on, each time.
pub fn space(directory: PathBuf) -> Arc<dyn Fn() -> Option<DiskSpace> + Send + Sync> {
    Arc::new(move || look(&directory))
}

/// `None` when the file system does not say.
fn look(directory: &Path) -> Option<DiskSpace> {
    let stat = rustix::fs::statvfs(directory)
        .inspect_err(|error| tracing::debug!(%error, "the file system does not say how full it is"))
        .ok()?;
    Some(DiskSpace {
        // What is kept back for root is not free for us.
        free_bytes: stat.f_bavail.checked_mul(stat.f_frsize)?,
        total_bytes: stat.f_blocks.checked_mul(stat.f_frsize)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_on_a_disk_that_has_some_size() {
        let directory = tempfile::tempdir().unwrap();
        let space = look(directory.path()).unwrap();
        assert!(space.total_bytes > 0 && space.free_bytes <= space.total_bytes);
        assert_eq!(look(&directory.path().join("nowhere")), None);
    }
}

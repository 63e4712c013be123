//! Moves SQLite's write-ahead log into the file beside the writer. The writer does the same in a commit when the log
//! has grown too far, and everybody behind that commit waits for two syncs and thousands of pages; what was moved
//! already is not moved again, so that hardly anything is left for it to do.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use tokio::sync::watch;
use wagate_domain::{Error, Result};

use crate::connection::Connection;
use crate::error::is_disk_failure;

/// From a commit to the checkpoint that moves it: each syncs the log and the file, and takes along what came meanwhile.
/// The shorter, the less there is to write at once, and the less a commit beside it waits for the disk.
const PAUSE: Duration = Duration::from_millis(50);

/// Where commits are told. The thread ends when this is dropped.
pub(crate) struct Checkpointer {
    committed: SyncSender<()>,
}

impl Checkpointer {
    /// Starts the thread on a connection of its own. When the disk fails under it, it says so like the writer.
    pub(crate) fn start(connection: Connection, broken: watch::Sender<bool>) -> Result<Self> {
        // One that waits stands for all that came meanwhile.
        let (committed, commits) = sync_channel(1);
        std::thread::Builder::new()
            .name("wagate-checkpoint".into())
            .spawn(move || run(connection, &commits, &broken))
            .map_err(Error::internal)?;
        Ok(Self { committed })
    }

    /// There is something new in the log.
    pub(crate) fn committed(&self) {
        // Full: it is told already.
        let _ = self.committed.try_send(());
    }
}

fn run(mut connection: Connection, commits: &Receiver<()>, broken: &watch::Sender<bool>) {
    while commits.recv().is_ok() && rest(commits) && !*broken.borrow() {
        match checkpoint(&mut connection) {
            Ok(()) => metrics::counter!("wagate_database_checkpoints_total").increment(1),
            Err(error) if is_disk_failure(&error) => {
                tracing::error!(%error, "the disk failed under a checkpoint");
                broken.send_replace(true);
            }
            // A full disk, most likely. The log keeps what is in it, and the writer says what does not go.
            Err(error) => tracing::debug!(%error, "the write-ahead log was not checkpointed"),
        }
    }
    if *broken.borrow() {
        // As in the writer: closing it could move what is in doubt.
        std::mem::forget(connection);
    }
}

/// Moves what no reader needs in the log any more. Waits for nobody, and nobody waits for it.
fn checkpoint(connection: &mut Connection) -> Result<(), diesel::result::Error> {
    if let Connection::Sqlite(c) = connection {
        c.batch_execute("PRAGMA wal_checkpoint(PASSIVE)")?;
    }
    Ok(())
}

/// Lets the pause go by; says whether anybody commits still.
fn rest(commits: &Receiver<()>) -> bool {
    let until = Instant::now() + PAUSE;
    loop {
        match commits.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Target;

    #[test]
    fn what_is_committed_comes_into_the_file_without_the_writer() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("test.db");
        let target = Target::Sqlite(path.clone());
        let mut writer = target.connect_writer().unwrap();
        let connection = target.connect_checkpointer().unwrap().unwrap();
        let (broken, _) = watch::channel(false);
        let checkpointer = Checkpointer::start(connection, broken).unwrap();
        if let Connection::Sqlite(c) = &mut writer {
            c.batch_execute("CREATE TABLE n (n BLOB); INSERT INTO n VALUES (zeroblob(100000))")
                .unwrap();
        }
        let in_file = || std::fs::metadata(&path).unwrap().len() > 100_000;
        assert!(!in_file());
        checkpointer.committed();
        let begun = Instant::now();
        while !in_file() {
            assert!(begun.elapsed() < Duration::from_secs(10), "nothing was moved");
            std::thread::yield_now();
        }
    }
}

//! What the writer promises when things go wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::connection::SimpleConnection;
use tempfile::TempDir;

use super::*;
use crate::connection::Target;

/// A writer over a table of numbers, and how often it opened a connection.
fn writer(directory: &TempDir) -> (Writer, Arc<AtomicUsize>) {
    let path = directory.path().join("test.db");
    let opened = Arc::new(AtomicUsize::new(0));
    let counter = opened.clone();
    let open = move || {
        counter.fetch_add(1, Ordering::SeqCst);
        let mut connection = Target::Sqlite(path.clone()).connect_writer()?;
        sql(
            &mut connection.conn(),
            "CREATE TABLE IF NOT EXISTS n (n INTEGER NOT NULL UNIQUE)",
        )?;
        Ok(connection)
    };
    (Writer::start(open().unwrap(), None, open).unwrap(), opened)
}

fn sql(conn: &mut Conn<'_>, statement: &str) -> Result<(), Failure> {
    Ok(on!(conn, c => c.batch_execute(statement))?)
}

async fn execute(writer: &Writer, statement: &'static str) -> Result<()> {
    writer.write(move |conn| sql(conn, statement), None).await
}

/// Holds the writer up while the statements queue up, so that they share a batch.
async fn together(writer: &Writer, statements: [&'static str; 3]) -> Vec<Result<()>> {
    let (release, released) = channel::<()>();
    let handle = writer.clone();
    let holder = tokio::spawn(async move {
        handle
            .write(
                move |_| {
                    let _ = released.recv();
                    Ok(())
                },
                None,
            )
            .await
    });
    tokio::task::yield_now().await;
    let queued: Vec<_> = statements
        .map(|statement| {
            let writer = writer.clone();
            tokio::spawn(async move { execute(&writer, statement).await })
        })
        .into();
    tokio::task::yield_now().await;
    drop(release);
    // It may share the batch, and then its end.
    let _ = holder.await.unwrap();
    let mut results = Vec::new();
    for one in queued {
        results.push(one.await.unwrap());
    }
    results
}

fn outcome(results: &[Result<()>]) -> Vec<bool> {
    results.iter().map(Result::is_ok).collect()
}

#[tokio::test]
async fn a_job_that_fails_leaves_the_others_alone() {
    let directory = tempfile::tempdir().unwrap();
    let (writer, opened) = writer(&directory);
    let half_done = "INSERT INTO n VALUES (2); INSERT INTO n VALUES (1)";
    let results = together(
        &writer,
        ["INSERT INTO n VALUES (1)", half_done, "INSERT INTO n VALUES (3)"],
    )
    .await;
    assert_eq!(outcome(&results), [true, false, true]);
    assert!(
        execute(&writer, "INSERT INTO n VALUES (2)").await.is_ok(),
        "the half was undone"
    );
    assert!(execute(&writer, "INSERT INTO n VALUES (3)").await.is_err());
    assert_eq!(opened.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_panic_fails_its_own_job() {
    let directory = tempfile::tempdir().unwrap();
    let (writer, _) = writer(&directory);
    let panicked: Result<()> = writer
        .write(
            |conn| {
                sql(conn, "INSERT INTO n VALUES (1)")?;
                panic!("a defect")
            },
            None,
        )
        .await;
    assert!(matches!(panicked, Err(Error::Internal(_))));
    execute(&writer, "INSERT INTO n VALUES (1)").await.unwrap();
}

#[tokio::test]
async fn nobody_is_told_of_success_when_the_transaction_was_lost() {
    let directory = tempfile::tempdir().unwrap();
    let (writer, opened) = writer(&directory);
    // As a full disk does, this undoes the whole transaction and not only its own savepoint.
    let fatal = "INSERT OR ROLLBACK INTO n VALUES (1)";
    let results = together(
        &writer,
        ["INSERT INTO n VALUES (1)", fatal, "INSERT INTO n VALUES (3)"],
    )
    .await;
    assert_eq!(outcome(&results), [false, false, true]);
    assert!(matches!(
        results[0],
        Err(Error::Unavailable { what: "database", .. })
    ));
    assert_eq!(
        opened.load(Ordering::SeqCst),
        2,
        "it works on with a new connection"
    );
    execute(&writer, "INSERT INTO n VALUES (1)").await.unwrap();
    assert!(execute(&writer, "INSERT INTO n VALUES (3)").await.is_err());
}

#[tokio::test]
async fn a_commit_that_fails_fails_every_job_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let (writer, opened) = writer(&directory);
    execute(
        &writer,
        "CREATE TABLE late (n INTEGER REFERENCES n (n) DEFERRABLE INITIALLY DEFERRED)",
    )
    .await
    .unwrap();
    // A deferred constraint is looked at by the commit alone.
    let results = together(
        &writer,
        [
            "INSERT INTO n VALUES (1)",
            "INSERT INTO late VALUES (99)",
            "INSERT INTO n VALUES (3)",
        ],
    )
    .await;
    assert_eq!(outcome(&results), [false, false, false]);
    execute(&writer, "INSERT INTO n VALUES (1); INSERT INTO n VALUES (3)")
        .await
        .unwrap();
    assert_eq!(
        opened.load(Ordering::SeqCst),
        2,
        "it works on with a new connection"
    );
}

#[tokio::test]
async fn a_full_disk_is_said_and_passes() {
    let directory = tempfile::tempdir().unwrap();
    let (writer, _) = writer(&directory);
    execute(&writer, "CREATE TABLE big (b BLOB); PRAGMA max_page_count = 20")
        .await
        .unwrap();
    let full = execute(&writer, "INSERT INTO big VALUES (zeroblob(1000000))").await;
    assert!(
        matches!(full, Err(Error::Unavailable { what: "database", .. })),
        "{full:?}"
    );
    execute(&writer, "PRAGMA max_page_count = 100000").await.unwrap();
    execute(&writer, "INSERT INTO big VALUES (zeroblob(1000000))")
        .await
        .unwrap();
}

#[tokio::test]
async fn what_is_queued_when_it_closes_is_committed() {
    let directory = tempfile::tempdir().unwrap();
    let (writer, _) = writer(&directory);
    let last = tokio::spawn({
        let writer = writer.clone();
        async move { execute(&writer, "INSERT INTO n VALUES (1)").await }
    });
    tokio::task::yield_now().await;
    writer.close().await;
    last.await.unwrap().unwrap();
    assert!(execute(&writer, "INSERT INTO n VALUES (2)").await.is_err());
}

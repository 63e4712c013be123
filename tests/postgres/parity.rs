//! The same migrations make the same tables on both databases.

use std::collections::BTreeSet;

use wagate_store::{Store, StoreSettings};

use crate::support::{Place, sealer};

/// Table, column, kind of value, whether it may be empty.
type Column = (String, String, &'static str, bool);

fn kind(declared: &str) -> &'static str {
    match declared.to_ascii_lowercase().as_str() {
        "text" => "text",
        "bigint" => "bigint",
        "integer" => "integer",
        "bytea" => "bytes",
        other => panic!("{other} is not a portable type"),
    }
}

fn of_postgres(place: &Place) -> BTreeSet<Column> {
    let listed = place.sql(&format!(
        "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns \
         WHERE table_schema = '{}' AND table_name NOT LIKE '\\_\\_diesel%'",
        place.schema()
    ));
    let columns = listed.lines().map(|line| {
        let [table, column, declared, nullable] = line.split('|').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        (table.into(), column.into(), kind(declared), nullable == "YES")
    });
    columns.collect()
}

/// What the `sqlite3` of Python's standard library reads of the file.
fn of_sqlite(file: &std::path::Path) -> BTreeSet<Column> {
    const LIST: &str = "\
import sqlite3, sys
c = sqlite3.connect(sys.argv[1])
tables = [t for (t,) in c.execute(\"SELECT name FROM sqlite_master WHERE type = 'table'\")]
for t in tables:
    if not t.startswith(('__diesel', 'sqlite_')):
        for (_, name, kind, notnull, _, _) in c.execute(f'PRAGMA table_info({t})'):
            print(t, name, kind, 'NO' if notnull else 'YES', sep='|')
";
    let listed = std::process::Command::new("python3")
        .args(["-c", LIST])
        .arg(file)
        .output()
        .unwrap();
    assert!(
        listed.status.success(),
        "{}",
        String::from_utf8_lossy(&listed.stderr)
    );
    let listed = String::from_utf8(listed.stdout).unwrap();
    let columns = listed.lines().map(|line| {
        let [table, column, declared, nullable] = line.split('|').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        (table.into(), column.into(), kind(declared), nullable == "YES")
    });
    columns.collect()
}

#[tokio::test]
async fn both_databases_have_the_same_tables() {
    let place = Place::new();
    place.open().close().await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("wagate.db");
    let settings = StoreSettings::new(format!("sqlite://{}", file.display()));
    Store::open(&settings, sealer()).unwrap().close().await;
    let (postgres, sqlite) = (of_postgres(&place), of_sqlite(&file));
    assert!(postgres.len() > 50, "{postgres:?}");
    assert_eq!(postgres, sqlite);
}

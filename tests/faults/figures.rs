//! What a story saw, for the record: docs/RELIABILITY.md has it. The long form shows it, others with `--nocapture`.

use std::fmt;

use crate::database::Database;

/// Prints one figure.
#[expect(clippy::print_stdout, reason = "it is what the long form is run for")]
pub fn seen(database: Database, what: fmt::Arguments<'_>) {
    println!("seen on {database:?}: {what}");
}

//! Where a sealed value belongs.

use std::fmt;

/// The identity of a row: its table and what identifies it there, in a fixed order. Where a row has several sealed
/// columns, the column's name is one of the parts.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// Name of the table.
    pub table: &'a str,
    /// What tells the row from all others of its table.
    pub parts: &'a [&'a [u8]],
}

impl Place<'_> {
    /// Each part follows its length, so that no two places are encoded alike.
    pub(super) fn encode(&self, to: &mut Vec<u8>) {
        let parts = self.parts.iter().copied();
        for part in std::iter::once(self.table.as_bytes()).chain(parts) {
            to.extend_from_slice(&(part.len() as u64).to_be_bytes());
            to.extend_from_slice(part);
        }
    }
}

/// Without the parts: they may be phone numbers.
impl fmt::Debug for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place")
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}

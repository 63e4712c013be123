//! Sealed values in text columns, in base64.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use wagate_domain::{Error, Result};

use super::{Place, Sealer};

/// What a sealed text begins with.
const PREFIX: &str = "sealed:";

/// Seals a text for one column of one row.
pub(crate) fn seal_text(sealer: &Sealer, table: &str, row: &str, column: &str, text: &str) -> Result<String> {
    let place = Place {
        table,
        parts: &[row.as_bytes(), column.as_bytes()],
    };
    let envelope = sealer.seal(&place, text.as_bytes())?;
    Ok(format!("{PREFIX}{}", BASE64_STANDARD.encode(envelope)))
}

/// Opens what [`seal_text`] made, and nothing else: a plain text in its place is a forgery.
pub(crate) fn unseal_text(
    sealer: &Sealer,
    table: &str,
    row: &str,
    column: &str,
    envelope: &str,
) -> Result<String> {
    let encoded = envelope
        .strip_prefix(PREFIX)
        .ok_or_else(|| Error::internal(format!("a value in table {table} is not sealed")))?;
    let place = Place {
        table,
        parts: &[row.as_bytes(), column.as_bytes()],
    };
    let bytes = BASE64_STANDARD.decode(encoded).map_err(Error::internal)?;
    String::from_utf8(sealer.unseal(&place, &bytes)?).map_err(Error::internal)
}

/// Whether it is sealed at all.
pub(crate) fn is_sealed_text(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// Whether the current key sealed it.
pub(crate) fn is_current_text(sealer: &Sealer, envelope: &str) -> bool {
    let bytes = envelope
        .strip_prefix(PREFIX)
        .and_then(|encoded| BASE64_STANDARD.decode(encoded).ok());
    bytes.is_some_and(|bytes| sealer.is_current(&bytes))
}

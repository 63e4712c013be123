//! Bytes of keys and values. Blobs stay as they are; small structures that are written often have a
//! fixed layout, the rest is JSON so that upstream may add fields.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use whatsapp_rust::wacore::store::error::StoreError;

use super::StoreResult;

/// Between the parts of a key: occurs in no address and no message id.
const SEPARATOR: u8 = 0;

/// A key of one part.
pub(super) fn text(part: &str) -> Bytes {
    Bytes::copy_from_slice(part.as_bytes())
}

/// A key of several parts.
pub(super) fn parts(parts: &[&str]) -> Bytes {
    parts.join("\0").into_bytes().into()
}

/// What all keys that begin with these whole parts begin with.
pub(super) fn prefix(parts: &[&str]) -> Bytes {
    let mut bytes = parts.join("\0").into_bytes();
    bytes.push(SEPARATOR);
    bytes.into()
}

/// The last part of a key as text.
pub(super) fn last_part(key: &[u8]) -> StoreResult<String> {
    let start = key.iter().rposition(|b| *b == SEPARATOR).map_or(0, |at| at + 1);
    utf8(&key[start..])
}

/// A key as text.
pub(super) fn utf8(bytes: &[u8]) -> StoreResult<String> {
    String::from_utf8(bytes.to_vec()).map_err(|e| StoreError::Serialization(Box::new(e)))
}

/// A numeric key; sorts as the number does.
pub(super) fn number(id: u32) -> Bytes {
    Bytes::copy_from_slice(&id.to_be_bytes())
}

/// Reads [`number`].
pub(super) fn read_number(key: &[u8]) -> StoreResult<u32> {
    Ok(u32::from_be_bytes(array(key, "numeric key")?))
}

/// Exactly `N` bytes.
pub(super) fn array<const N: usize>(bytes: &[u8], what: &str) -> StoreResult<[u8; N]> {
    bytes
        .try_into()
        .map_err(|_| StoreError::Validation(format!("{what} has {} bytes instead of {N}", bytes.len())))
}

/// A structure as JSON.
pub(super) fn to_json(value: &(impl Serialize + ?Sized)) -> StoreResult<Bytes> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(|e| StoreError::Serialization(Box::new(e)))
}

/// Reads [`to_json`].
pub(super) fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> StoreResult<T> {
    serde_json::from_slice(bytes).map_err(|e| StoreError::Serialization(Box::new(e)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cannot_run_into_each_other() {
        assert_ne!(parts(&["ab", "c"]), parts(&["a", "bc"]));
        assert!(parts(&["a", "b"]).starts_with(&prefix(&["a"])));
        assert!(!parts(&["ab", "c"]).starts_with(&prefix(&["a"])));
        assert_eq!(last_part(&parts(&["a", "b"])).unwrap(), "b");
    }

    #[test]
    fn numbers_sort() {
        assert!(number(9) < number(10));
        assert!(number(255) < number(256));
        assert_eq!(read_number(&number(70_000)).unwrap(), 70_000);
        assert!(read_number(b"abc").is_err());
    }
}

//! The admin key: fixed by configuration, or made at the first start, shown once and kept as a hash.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use sha2::{Digest, Sha256};

/// Random bytes in a generated key: nobody guesses 256 bits.
const KEY_BYTES: usize = 32;

/// SHA-256 of a key, and the key itself when it was made just now.
#[derive(Debug)]
pub struct AdminKey {
    /// What the API compares with.
    pub digest: [u8; 32],
    /// To be shown, this once.
    pub generated: Option<String>,
}

/// The key in force.
pub fn load_or_generate(data_dir: &Path, configured: Option<&str>) -> anyhow::Result<AdminKey> {
    if let Some(key) = configured {
        return Ok(AdminKey {
            digest: digest(key),
            generated: None,
        });
    }
    let path = path(data_dir);
    match fs::read_to_string(&path) {
        Ok(text) => {
            let mut digest = [0; 32];
            hex::decode_to_slice(text.trim(), &mut digest)
                .with_context(|| format!("{} does not hold a key's hash", path.display()))?;
            Ok(AdminKey {
                digest,
                generated: None,
            })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => generate(data_dir),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

/// Makes a new key in place of the one before.
pub fn generate(data_dir: &Path) -> anyhow::Result<AdminKey> {
    let key = format!("wagate_{}", hex::encode(rand::random::<[u8; KEY_BYTES]>()));
    let digest = digest(&key);
    let path = path(data_dir);
    let fresh = path.with_extension("new");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)
        .with_context(|| format!("{} cannot be written", fresh.display()))?;
    writeln!(file, "{}", hex::encode(digest))?;
    file.sync_all()?;
    fs::rename(&fresh, &path)?;
    Ok(AdminKey {
        digest,
        generated: Some(key),
    })
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("api-key.sha256")
}

fn digest(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_hash_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let first = load_or_generate(dir.path(), None).unwrap();
        let key = first.generated.unwrap();
        let again = load_or_generate(dir.path(), None).unwrap();
        assert!(again.generated.is_none());
        assert_eq!(again.digest, first.digest);
        assert!(!fs::read_to_string(path(dir.path())).unwrap().contains(&key[7..]));
    }

    #[test]
    fn a_configured_key_leaves_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let key = load_or_generate(dir.path(), Some("0123456789abcdef")).unwrap();
        assert!(key.generated.is_none());
        assert!(!path(dir.path()).exists());
    }
}

//! The files that are embedded.

use rust_embed::{EmbeddedFile, RustEmbed};

/// See `build.rs`.
pub(crate) const COMPLETE: bool = matches!(env!("WAGATE_UI_COMPLETE").as_bytes(), b"true");

/// What Vite built.
#[derive(RustEmbed)]
#[folder = "$OUT_DIR/ui"]
struct Files;

/// A file as it goes out.
pub(crate) struct Asset {
    /// Its bytes, packed when `packed` says so.
    pub(crate) bytes: EmbeddedFile,
    /// Whether they are gzip.
    pub(crate) packed: bool,
}

/// The file with this name, packed if there is such a form and the client takes it.
pub(crate) fn find(name: &str, takes_gzip: bool) -> Option<Asset> {
    let packed = takes_gzip
        .then(|| Files::get(&format!("{name}.gz")))
        .flatten()
        .map(|bytes| Asset { bytes, packed: true });
    packed.or_else(|| Files::get(name).map(|bytes| Asset { bytes, packed: false }))
}

/// The names of all of them.
#[cfg(test)]
pub(crate) fn names() -> impl Iterator<Item = String> {
    Files::iter().map(std::borrow::Cow::into_owned)
}

//! Bytes to stanzas and back: frames, the Noise handshake with its certificates, and node access.

pub mod cert;
pub mod frame;
pub mod handshake;
pub mod node;

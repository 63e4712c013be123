//! Cuts a client's byte stream into frames.
//!
//! WebSocket message borders mean nothing on this wire (seen in wacore-noise 0.7.0), so bytes are gathered first.
//! The stream opens with an optional edge-routing intro (`ED 00 01`, three length bytes, that many bytes) and
//! the four bytes that name protocol and dictionary.

use anyhow::ensure;
use bytes::BytesMut;
use wacore_binary::consts::WA_CONN_HEADER;
use wacore_noise::framing::FrameDecoder;

const ROUTING_MAGIC: &[u8] = b"ED\x00\x01";
/// Magic and three bytes of length.
const ROUTING_HEAD: usize = 7;

pub struct FrameReader {
    /// Bytes before the first frame; `None` once the intro has been read.
    intro: Option<Vec<u8>>,
    decoder: FrameDecoder,
}

impl FrameReader {
    pub fn new() -> Self {
        Self {
            intro: Some(Vec::new()),
            decoder: FrameDecoder::new(),
        }
    }

    pub fn feed(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let Some(intro) = self.intro.as_mut() else {
            self.decoder.feed(bytes);
            return Ok(());
        };
        intro.extend_from_slice(bytes);
        let Some(length) = intro_length(intro)? else {
            return Ok(());
        };
        let rest = intro.split_off(length);
        self.intro = None;
        self.decoder.feed(&rest);
        Ok(())
    }

    pub fn next_frame(&mut self) -> Option<BytesMut> {
        self.decoder.decode_frame()
    }
}

/// Length of the whole intro, or `None` while it is incomplete.
fn intro_length(bytes: &[u8]) -> anyhow::Result<Option<usize>> {
    let routed = bytes.len().min(ROUTING_MAGIC.len());
    let header_at = if routed > 0 && bytes[..routed] == ROUTING_MAGIC[..routed] {
        if bytes.len() < ROUTING_HEAD {
            return Ok(None);
        }
        ROUTING_HEAD + (usize::from(bytes[4]) << 16 | usize::from(bytes[5]) << 8 | usize::from(bytes[6]))
    } else {
        0
    };
    let end = header_at + WA_CONN_HEADER.len();
    if bytes.len() < end {
        return Ok(None);
    }
    ensure!(
        bytes[header_at..end] == WA_CONN_HEADER,
        "the stream does not open with the connection header"
    );
    Ok(Some(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_frames_whatever_the_message_borders() {
        let mut stream = b"ED\x00\x01\x00\x00\x02rr".to_vec();
        stream.extend_from_slice(&WA_CONN_HEADER);
        stream.extend_from_slice(&[0, 0, 3, b'a', b'b', b'c', 0, 0, 1, b'd']);
        for step in 1..stream.len() {
            let mut reader = FrameReader::new();
            let mut frames = Vec::new();
            for piece in stream.chunks(step) {
                reader.feed(piece).unwrap();
                while let Some(frame) = reader.next_frame() {
                    frames.push(frame.to_vec());
                }
            }
            assert_eq!(frames, [b"abc".to_vec(), b"d".to_vec()]);
        }
    }

    #[test]
    fn refuses_another_protocol() {
        assert!(FrameReader::new().feed(b"GET / HTTP/1.1").is_err());
    }
}

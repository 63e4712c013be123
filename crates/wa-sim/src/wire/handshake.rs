//! The server's side of the Noise handshake: XX, IK, and XX again when an IK hello cannot be opened.
//!
//! Without I/O: bytes in, bytes out. The order of operations is that of the Noise specification as clients run it
//! (seen in whatsapp-rust 0.7.0 and Baileys 7).

use crate::phone::keys::Secret;
use crate::wire::cert::ServerIdentity;
use anyhow::Context as _;
use buffa::{Message as _, MessageField};
use wacore_binary::consts::{NOISE_PATTERN_IK, NOISE_PATTERN_XX, NOISE_PATTERN_XXFALLBACK, WA_CONN_HEADER};
use wacore_noise::{NoiseCipher, NoiseHandshake};
use waproto::whatsapp::HandshakeMessage;
use waproto::whatsapp::handshake_message::{ClientHello, ServerHello};

/// A finished handshake.
pub struct Secured {
    /// Name of the pattern that was used.
    pub pattern: &'static str,
    pub from_client: NoiseCipher,
    pub to_client: NoiseCipher,
    /// The client's static key: it authenticates a login.
    pub client_static: Vec<u8>,
    /// Encoded `ClientPayload`.
    pub payload: Vec<u8>,
}

/// What follows the client's hello.
pub enum Answer {
    /// IK: the client has said everything.
    Done { reply: Vec<u8>, secured: Secured },
    /// XX: the client's static key and payload are still to come.
    AwaitFinish { reply: Vec<u8>, pending: Pending },
}

/// An XX handshake waiting for the client's finish.
pub struct Pending {
    pattern: &'static str,
    noise: NoiseHandshake,
    ephemeral: Secret,
}

pub fn answer(server: &ServerIdentity, hello: &[u8]) -> anyhow::Result<Answer> {
    let hello = HandshakeMessage::decode_from_slice(hello)?
        .client_hello
        .into_option()
        .context("no client hello")?;
    let ephemeral: [u8; 32] = hello
        .ephemeral
        .as_deref()
        .context("no ephemeral key")?
        .try_into()
        .context("bad ephemeral key")?;
    if hello.r#static.is_none() {
        return answer_xx(server, NOISE_PATTERN_XX, &ephemeral);
    }
    match answer_ik(server, &hello, &ephemeral) {
        Ok(answer) => Ok(answer),
        // The client pinned another server key: say so by falling back to XX.
        Err(error) => {
            tracing::debug!(%error, "IK hello refused, falling back to XX");
            answer_xx(server, NOISE_PATTERN_XXFALLBACK, &ephemeral)
        }
    }
}

fn answer_ik(server: &ServerIdentity, hello: &ClientHello, ephemeral: &[u8; 32]) -> anyhow::Result<Answer> {
    let (noise_key, own) = (server.noise(), Secret::generate());
    let mut noise = NoiseHandshake::new(NOISE_PATTERN_IK, &WA_CONN_HEADER)?;
    noise.authenticate(&noise_key.public());
    noise.authenticate(ephemeral);
    noise.mix_shared_secret(noise_key.private(), ephemeral)?;
    let client_static = noise.decrypt(hello.r#static.as_deref().context("no static key")?)?;
    noise.mix_shared_secret(noise_key.private(), &client_static)?;
    let payload = noise.decrypt(hello.payload.as_deref().context("no payload")?)?;
    noise.authenticate(&own.public());
    noise.mix_shared_secret(own.private(), ephemeral)?;
    noise.mix_shared_secret(own.private(), &client_static)?;
    let chain = noise.encrypt(server.chain())?;
    let reply = server_hello(&own, None, chain);
    let (from_client, to_client) = noise.finish()?;
    Ok(Answer::Done {
        reply,
        secured: Secured {
            pattern: "IK",
            from_client,
            to_client,
            client_static,
            payload,
        },
    })
}

fn answer_xx(server: &ServerIdentity, pattern: &str, ephemeral: &[u8; 32]) -> anyhow::Result<Answer> {
    let (noise_key, own) = (server.noise(), Secret::generate());
    let mut noise = NoiseHandshake::new(pattern, &WA_CONN_HEADER)?;
    noise.authenticate(ephemeral);
    noise.authenticate(&own.public());
    noise.mix_shared_secret(own.private(), ephemeral)?;
    let sealed_static = noise.encrypt(&noise_key.public())?;
    noise.mix_shared_secret(noise_key.private(), ephemeral)?;
    let chain = noise.encrypt(server.chain())?;
    let reply = server_hello(&own, Some(sealed_static), chain);
    Ok(Answer::AwaitFinish {
        reply,
        pending: Pending {
            pattern: if pattern == NOISE_PATTERN_XX {
                "XX"
            } else {
                "XXfallback"
            },
            noise,
            ephemeral: own,
        },
    })
}

impl Pending {
    pub fn finish(mut self, finish: &[u8]) -> anyhow::Result<Secured> {
        let finish = HandshakeMessage::decode_from_slice(finish)?
            .client_finish
            .into_option()
            .context("no client finish")?;
        let client_static = self
            .noise
            .decrypt(finish.r#static.as_deref().context("no static key")?)?;
        self.noise
            .mix_shared_secret(self.ephemeral.private(), &client_static)?;
        let payload = self
            .noise
            .decrypt(finish.payload.as_deref().context("no payload")?)?;
        let (from_client, to_client) = self.noise.finish()?;
        Ok(Secured {
            pattern: self.pattern,
            from_client,
            to_client,
            client_static,
            payload,
        })
    }
}

fn server_hello(ephemeral: &Secret, sealed_static: Option<Vec<u8>>, payload: Vec<u8>) -> Vec<u8> {
    HandshakeMessage {
        server_hello: MessageField::some(ServerHello {
            ephemeral: Some(ephemeral.public().to_vec()),
            r#static: sealed_static,
            payload: Some(payload),
            ..Default::default()
        }),
        ..Default::default()
    }
    .encode_to_vec()
}

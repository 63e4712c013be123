//! One client connection from the first byte to the last: handshake, then stanzas both ways until it ends.
//!
//! The task owns the socket and the ciphers and knows nothing of stanzas; faults strike here, at the wire.

use crate::fault::{Mischief, Verdict, mischief};
use crate::ledger::Direction;
use crate::stanza::{self, login};
use crate::wire::frame::FrameReader;
use crate::wire::handshake::{self, Answer, Secured};
use crate::wire::node::Build;
use crate::world::SharedWorld;
use crate::world::link::{Client, Link, Out};
use crate::world::state::entry;
use anyhow::{Context as _, bail};
use axum::extract::ws::{Message, WebSocket};
use buffa::Message as _;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;
use tokio::time::timeout;
use wacore_binary::util::unpack_bytes;
use wacore_binary::{Node, OwnedNodeRef, marshal};
use wacore_noise::NoiseCipher;
use wacore_noise::framing::encode_frame;
use waproto::whatsapp::ClientPayload;

const HANDSHAKE_LIMIT: std::time::Duration = std::time::Duration::from_secs(20);

/// Serves one connection until either side ends it.
pub async fn serve(socket: WebSocket, world: SharedWorld) {
    static CONNECTIONS: AtomicU64 = AtomicU64::new(1);
    let number = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
    let mut wire = Wire {
        socket,
        reader: FrameReader::new(),
    };
    let secured = match timeout(HANDSHAKE_LIMIT, shake_hands(&mut wire, &world)).await {
        Ok(Ok(secured)) => secured,
        Ok(Err(error)) => {
            tracing::info!(number, error = format!("{error:#}"), "handshake failed");
            return;
        }
        Err(_) => return,
    };
    record_handshake(&world, number, secured.pattern);
    let (out, outbox) = mpsc::unbounded_channel();
    let link = Link { number, out };
    let client = Client {
        link,
        address: None,
        noise: secured.client_static.clone(),
    };
    let mut session = Session {
        wire,
        world,
        client,
        outbox,
        from: secured.from_client,
        to: secured.to_client,
        received: 0,
        sent: 0,
    };
    if let Err(error) = session.run(&secured.payload).await {
        tracing::debug!(number, error = format!("{error:#}"), "connection ended");
    }
    let Session { world, client, .. } = session;
    world.step(|state| login::leave(state, &client));
}

/// The ledger shows how a client came in: with pinned keys (IK) or without (XX).
fn record_handshake(world: &SharedWorld, number: u64, pattern: &'static str) {
    let stanza = Build::new("handshake").attr("type", pattern).build();
    let device = format!("unpaired:{number}");
    world
        .ledger
        .record(entry(Direction::FromClient, &device, &stanza));
}

struct Wire {
    socket: WebSocket,
    reader: FrameReader,
}

impl Wire {
    /// The next frame, whatever the message borders.
    async fn frame(&mut self) -> anyhow::Result<bytes::BytesMut> {
        loop {
            if let Some(frame) = self.reader.next_frame() {
                return Ok(frame);
            }
            self.read().await?;
        }
    }

    /// Takes one WebSocket message in. Dropping this future loses nothing.
    async fn read(&mut self) -> anyhow::Result<()> {
        match self.socket.recv().await.context("the client closed")?? {
            Message::Binary(bytes) => self.reader.feed(&bytes),
            Message::Close(_) => bail!("the client closed"),
            _ => Ok(()),
        }
    }

    async fn send(&mut self, payload: &[u8]) -> anyhow::Result<()> {
        Ok(self
            .socket
            .send(Message::Binary(encode_frame(payload, None)?.into()))
            .await?)
    }
}

async fn shake_hands(wire: &mut Wire, world: &SharedWorld) -> anyhow::Result<Secured> {
    let hello = wire.frame().await?;
    match handshake::answer(world.server(), &hello)? {
        Answer::Done { reply, secured } => {
            wire.send(&reply).await?;
            Ok(secured)
        }
        Answer::AwaitFinish { reply, pending } => {
            wire.send(&reply).await?;
            let finish = wire.frame().await?;
            pending.finish(&finish)
        }
    }
}

struct Session {
    wire: Wire,
    world: SharedWorld,
    client: Client,
    outbox: mpsc::UnboundedReceiver<Out>,
    from: NoiseCipher,
    to: NoiseCipher,
    received: u32,
    sent: u32,
}

/// Whether the connection goes on.
enum Flow {
    On,
    End,
}

impl Session {
    async fn run(&mut self, payload: &[u8]) -> anyhow::Result<()> {
        let payload = ClientPayload::decode_from_slice(payload)?;
        let world = self.world.clone();
        let admitted = world.step(|state| login::enter(state, &world.faults, &mut self.client, &payload));
        if let Err(failure) = admitted {
            self.write(&failure).await?;
            return self.close().await;
        }
        self.exchange().await
    }

    async fn exchange(&mut self) -> anyhow::Result<()> {
        let mut faults = self.world.faults.changed();
        loop {
            while let Some(frame) = self.wire.reader.next_frame() {
                let stanza = self.decrypt(frame)?;
                if let Flow::End = self.incoming(&stanza).await? {
                    return Ok(());
                }
            }
            tokio::select! {
                biased;
                order = self.outbox.recv() => match order {
                    Some(Out::Stanza(stanza)) => if let Flow::End = self.outgoing(&stanza).await? { return Ok(()) },
                    Some(Out::Close) | None => return self.close().await,
                },
                read = self.wire.read() => read?,
                Ok(()) = faults.changed() => {
                    let verdict = self.world.faults.on_connection(&self.phone());
                    if let Flow::End = self.suffer(verdict).await? { return Ok(()) }
                },
            }
        }
    }

    fn phone(&self) -> String {
        self.client
            .address
            .as_ref()
            .map(|address| address.phone.clone())
            .unwrap_or_default()
    }

    async fn incoming(&mut self, stanza: &Node) -> anyhow::Result<Flow> {
        self.world
            .ledger
            .record(entry(Direction::FromClient, &self.client.label(), stanza));
        match self.world.faults.on_stanza(&self.phone(), Direction::FromClient) {
            Verdict::Pass => {}
            Verdict::Delay(pause) => tokio::time::sleep(pause).await,
            Verdict::HalfOpen => return Ok(Flow::On),
            strike => return self.suffer(strike).await,
        }
        self.world
            .step(|state| stanza::handle(state, &self.client, stanza));
        Ok(Flow::On)
    }

    async fn outgoing(&mut self, stanza: &Node) -> anyhow::Result<Flow> {
        match self.world.faults.on_stanza(&self.phone(), Direction::ToClient) {
            Verdict::Pass => {}
            Verdict::Delay(pause) => tokio::time::sleep(pause).await,
            Verdict::HalfOpen => return Ok(Flow::On),
            strike => return self.suffer(strike).await,
        }
        if stanza.tag == "message" {
            self.write_message(stanza).await?;
        } else {
            self.write(stanza).await?;
        }
        Ok(Flow::On)
    }

    async fn write_message(&mut self, message: &Node) -> anyhow::Result<()> {
        match self.world.faults.on_message(&self.phone()) {
            None => {}
            Some(Mischief::Garble) => return self.write(&mischief::garbled(message)).await,
            Some(Mischief::Duplicate) => self.write(message).await?,
            Some(Mischief::Unknown) => {
                for stanza in mischief::unknown() {
                    self.write(&stanza).await?;
                }
            }
        }
        self.write(message).await
    }

    /// A fault strikes the connection itself.
    async fn suffer(&mut self, verdict: Verdict) -> anyhow::Result<Flow> {
        let last_words = match verdict {
            Verdict::Pass | Verdict::Delay(_) | Verdict::HalfOpen => return Ok(Flow::On),
            // Cut without a word: the socket is dropped, not closed.
            Verdict::Drop => return Ok(Flow::End),
            Verdict::StreamError { code, conflict } => login::stream_error(code, conflict.as_deref()),
        };
        self.write(&last_words).await?;
        self.close().await?;
        Ok(Flow::End)
    }

    async fn write(&mut self, stanza: &Node) -> anyhow::Result<()> {
        self.world
            .ledger
            .record(entry(Direction::ToClient, &self.client.label(), stanza));
        let sealed = self.to.encrypt_with_counter(self.sent, &marshal(stanza)?)?;
        self.sent += 1;
        self.wire.send(&sealed).await
    }

    fn decrypt(&mut self, mut frame: bytes::BytesMut) -> anyhow::Result<Node> {
        self.from
            .decrypt_in_place_with_counter(self.received, &mut frame)?;
        self.received += 1;
        Ok(OwnedNodeRef::new(unpack_bytes(frame)?)?.to_owned_node())
    }

    async fn close(&mut self) -> anyhow::Result<()> {
        Ok(self.wire.socket.send(Message::Close(None)).await?)
    }
}

//! A body of server-sent events. It is made while it is read, so that nothing piles up for slow readers: of a
//! session they get its latest state, events wait in the log, and of typing they miss what is old.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, Stream, StreamExt};
use serde::Serialize;
use wagate_domain::gateway::{DeliveryChange, SessionChange, TypingChange};
use wagate_domain::model::{Jid, Job};
use wagate_domain::ports::{Clock, StoredEvent};
use wagate_domain::{Error, Result};

use super::contact_view::{lid, phone};
use super::delivery_view::DeliveryView;
use super::job_view::JobView;
use super::session_view::SessionView;
use super::wording::Language;
use crate::streams::Streams;

/// After this much silence a comment keeps proxies from taking the connection for a dead one.
const PING_AFTER: Duration = Duration::from_secs(15);

const OPEN: Bytes = Bytes::from_static(b": open\n\n");
const PING: Bytes = Bytes::from_static(b": ping\n\n");

/// What a stream tells.
enum Said {
    Session(SessionChange),
    Recorded(Result<StoredEvent>),
    Delivery(Result<DeliveryChange>),
    Typing(TypingChange),
    Job(Job),
}

/// `event: session`.
#[derive(Serialize)]
struct SessionChangeView {
    device: String,
    session: SessionView,
}

/// `event: delivery`.
#[derive(Serialize)]
struct DeliveryChangeView {
    #[serde(flatten)]
    delivery: DeliveryView,
    others: u64,
}

/// `event: typing`.
#[derive(Serialize)]
struct TypingChangeView {
    device: String,
    chat: PartyView,
    sender: PartyView,
    state: &'static str,
}

/// Somebody by all names that are known, as in recorded events.
#[derive(Serialize)]
struct PartyView {
    jid: String,
    phone: Option<String>,
    lid: Option<String>,
}

impl PartyView {
    fn new(jid: &Jid, also: Option<&Jid>) -> Self {
        Self {
            jid: jid.to_string(),
            phone: phone(jid),
            lid: lid(jid, also),
        }
    }
}

/// What goes on one stream, and what it has to know of the world.
pub(super) struct Source {
    pub(super) sessions: BoxStream<'static, SessionChange>,
    pub(super) events: BoxStream<'static, Result<StoredEvent>>,
    pub(super) deliveries: BoxStream<'static, Result<DeliveryChange>>,
    pub(super) typing: BoxStream<'static, TypingChange>,
    pub(super) jobs: BoxStream<'static, Job>,
    /// What failures of jobs are told in.
    pub(super) language: Language,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) streams: Streams,
    /// Ends the stream: whoever reads it may not any more.
    pub(super) revoked: BoxFuture<'static, ()>,
}

struct Telling {
    said: BoxStream<'static, Said>,
    language: Language,
    clock: Arc<dyn Clock>,
    streams: Streams,
}

/// The body: a comment at once, so that the client knows that it hears from now on, then what happens. Ends with the
/// server, and after an error: the client comes back with the last id that it got.
pub(super) fn body(source: Source) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> {
    let sessions = source.sessions.map(Said::Session);
    let events = source.events.map(Said::Recorded);
    let deliveries = source.deliveries.map(Said::Delivery);
    let typing = source.typing.map(Said::Typing);
    let jobs = source.jobs.map(Said::Job);
    let said = [
        sessions.boxed(),
        events.boxed(),
        deliveries.boxed(),
        typing.boxed(),
        jobs.boxed(),
    ];
    let telling = Telling {
        said: stream::select_all(said).take_until(source.revoked).boxed(),
        language: source.language,
        clock: source.clock,
        streams: source.streams,
    };
    let told = stream::unfold(telling, |mut telling| async move {
        let frame = telling.next().await?;
        Some((frame, telling))
    });
    stream::once(async { OPEN }).chain(told).map(Ok)
}

impl Telling {
    async fn next(&mut self) -> Option<Bytes> {
        tokio::select! {
            biased;
            () = self.streams.ended() => None,
            said = self.said.next() => self.frame(said?),
            () = self.clock.sleep(PING_AFTER) => Some(PING),
        }
    }

    fn frame(&self, said: Said) -> Option<Bytes> {
        let frame = match said {
            Said::Session(change) => session_frame(&change, &*self.clock),
            Said::Recorded(Ok(event)) => Ok(recorded_frame(&event)),
            Said::Delivery(Ok(change)) => delivery_frame(change),
            Said::Typing(change) => typing_frame(&change),
            Said::Job(job) => job_frame(&job, self.language),
            Said::Recorded(Err(error)) | Said::Delivery(Err(error)) => {
                Err(Error::unavailable("database", error))
            }
        };
        frame
            .inspect_err(|error| tracing::warn!(%error, "a stream ends early"))
            .ok()
    }
}

fn session_frame(change: &SessionChange, clock: &dyn Clock) -> Result<Bytes> {
    let view = SessionChangeView {
        device: change.device.to_string(),
        session: SessionView::new(&change.state, clock.now())?,
    };
    let json = serde_json::to_string(&view).map_err(Error::internal)?;
    Ok(Bytes::from(format!("event: session\ndata: {json}\n\n")))
}

/// The stored bytes are one line: JSON is written without breaks.
fn recorded_frame(event: &StoredEvent) -> Bytes {
    let head = format!("event: recorded\nid: {}\ndata: ", event.id);
    Bytes::from([head.as_bytes(), &event.data, b"\n\n"].concat())
}

fn delivery_frame(change: DeliveryChange) -> Result<Bytes> {
    let view = DeliveryChangeView {
        delivery: change.delivery.into(),
        others: change.others,
    };
    let json = serde_json::to_string(&view).map_err(Error::internal)?;
    Ok(Bytes::from(format!("event: delivery\ndata: {json}\n\n")))
}

fn typing_frame(TypingChange { device, typing }: &TypingChange) -> Result<Bytes> {
    let view = TypingChangeView {
        device: device.to_string(),
        chat: PartyView::new(&typing.chat, typing.chat_lid.as_ref()),
        sender: PartyView::new(&typing.sender, typing.sender_lid.as_ref()),
        state: typing.state.as_str(),
    };
    let json = serde_json::to_string(&view).map_err(Error::internal)?;
    Ok(Bytes::from(format!("event: typing\ndata: {json}\n\n")))
}

fn job_frame(job: &Job, language: Language) -> Result<Bytes> {
    let json = serde_json::to_string(&JobView::new(job, language)).map_err(Error::internal)?;
    Ok(Bytes::from(format!("event: job\ndata: {json}\n\n")))
}

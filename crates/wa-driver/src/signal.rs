//! What a client tells the task that owns it. Every signal carries the generation of its client, so
//! that a late word of one that is gone changes nothing.

use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use wagate_domain::model::{EndReason, Jid, Secret, Timestamp};
use whatsapp_rust::wacore::types::events::{
    ConnectFailure, ConnectFailureReason, Event as WaEvent, TempBanReason, TemporaryBan,
};

use crate::convert::jid::{to_account, to_domain};
use crate::transport::Dialled;

/// WhatsApp's code for a ban whose details it left out.
const BANNED_WITHOUT_DETAILS: u32 = 402;

/// Codes of a refused login that say nothing about the account.
const SERVER_TROUBLE: [i32; 2] = [500, 503];

/// Something that may change the session's state.
#[derive(Debug)]
pub(crate) enum Signal {
    /// A code can be scanned for this long.
    Qr(Secret, Duration),
    /// All codes of the round are used up; `true` when the client has disconnected itself.
    QrExhausted {
        disconnected: bool,
    },
    /// The device is linked.
    Paired {
        jid: Jid,
        lid: Option<Jid>,
    },
    /// Logged in and usable.
    Connected,
    /// The connection was lost; the client tries again.
    Lost,
    /// A dial ended.
    Dialled(Dialled),
    /// WhatsApp ended the link or the connection for good.
    Ended(EndReason),
    /// The account's own name or picture changed.
    OwnName(String),
    OwnPicture,
    /// Messages could not be recorded: WhatsApp gives them again at the next connection.
    NotCommitted,
    /// Messages were recorded again after a time in which they were not.
    Committed,
    /// The client's run loop ended.
    Finished,
}

/// Where one client's signals go. They are few, and none may be lost or waited for: upstream calls us
/// on its own paths.
#[derive(Clone)]
pub(crate) struct Signals {
    generation: u64,
    out: UnboundedSender<(u64, Signal)>,
}

impl Signals {
    pub(crate) fn new(generation: u64, out: UnboundedSender<(u64, Signal)>) -> Self {
        Self { generation, out }
    }

    pub(crate) fn send(&self, signal: Signal) {
        // Nobody listens any more when the session is gone.
        drop(self.out.send((self.generation, signal)));
    }
}

impl Signal {
    /// The signal in an event of upstream's, if it is one.
    pub(crate) fn of_event(event: &WaEvent, now: Timestamp) -> Option<Self> {
        Some(match event {
            WaEvent::PairingQrCode(qr) => Self::Qr(Secret::new(qr.code.clone()), qr.timeout),
            WaEvent::PairingQrCodesExhausted(it) => Self::QrExhausted {
                disconnected: it.disconnected,
            },
            WaEvent::PairSuccess(it) => Self::Paired {
                jid: to_domain(&it.id)?,
                lid: to_account(&it.lid),
            },
            WaEvent::Connected(_) => Self::Connected,
            WaEvent::Disconnected(_) => Self::Lost,
            WaEvent::SelfPushNameUpdated(it) => Self::OwnName(it.new_name.clone()),
            WaEvent::LoggedOut(_) => Self::Ended(EndReason::LoggedOut),
            WaEvent::StreamReplaced(_) => Self::Ended(EndReason::Replaced),
            WaEvent::ClientOutdated(_) => Self::Ended(EndReason::Outdated),
            WaEvent::TemporaryBan(ban) => Self::Ended(banned(ban, now)),
            // Trouble on WhatsApp's side: the library tries again by itself.
            WaEvent::ConnectFailure(failure) if SERVER_TROUBLE.contains(&failure.reason.code()) => {
                return None;
            }
            WaEvent::ConnectFailure(failure) => Self::Ended(rejected(failure)),
            _ => return None,
        })
    }
}

fn banned(ban: &TemporaryBan, now: Timestamp) -> EndReason {
    let lasts = ban.expire.to_std().ok().filter(|lasts| !lasts.is_zero());
    EndReason::Banned {
        code: ban_code(&ban.code),
        until: lasts.map(|lasts| now + lasts),
    }
}

fn ban_code(reason: &TempBanReason) -> u32 {
    u32::try_from(reason.code()).unwrap_or_default()
}

fn rejected(failure: &ConnectFailure) -> EndReason {
    match failure.reason {
        ConnectFailureReason::TempBanned => EndReason::Banned {
            code: BANNED_WITHOUT_DETAILS,
            until: None,
        },
        reason => EndReason::Rejected {
            code: u32::try_from(reason.code()).unwrap_or_default(),
        },
    }
}

#[cfg(test)]
mod tests {
    use whatsapp_rust::chrono::Duration as Span;
    use whatsapp_rust::wacore::types::events::{Connected, LoggedOut, PairSuccess, StreamReplaced};

    use super::*;

    const NOW: Timestamp = Timestamp(1_000);

    fn ended(event: &WaEvent) -> EndReason {
        match Signal::of_event(event, NOW) {
            Some(Signal::Ended(reason)) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_verdict_has_its_reason() {
        let out = LoggedOut::builder()
            .on_connect(true)
            .reason(ConnectFailureReason::LoggedOut)
            .build();
        assert_eq!(ended(&WaEvent::LoggedOut(out)), EndReason::LoggedOut);
        assert_eq!(
            ended(&WaEvent::StreamReplaced(StreamReplaced::builder().build())),
            EndReason::Replaced
        );
        let ban = TemporaryBan::builder()
            .code(TempBanReason::BlockedByUsers)
            .expire(Span::seconds(60))
            .build();
        let until = Some(NOW + Duration::from_mins(1));
        assert_eq!(
            ended(&WaEvent::TemporaryBan(ban)),
            EndReason::Banned { code: 102, until }
        );
        let failure = |reason| WaEvent::ConnectFailure(ConnectFailure::builder().reason(reason).build());
        assert_eq!(
            ended(&failure(ConnectFailureReason::BadUserAgent)),
            EndReason::Rejected { code: 409 }
        );
        let without_details = EndReason::Banned {
            code: 402,
            until: None,
        };
        assert_eq!(ended(&failure(ConnectFailureReason::TempBanned)), without_details);
    }

    #[test]
    fn pairing_names_the_companion_and_the_account() {
        let event = PairSuccess::builder()
            .id("628111:7@s.whatsapp.net".parse().unwrap())
            .lid("77:7@lid".parse().unwrap())
            .business_name(String::new())
            .platform("android".into())
            .build();
        let Some(Signal::Paired { jid, lid }) = Signal::of_event(&WaEvent::PairSuccess(event), NOW) else {
            panic!("paired")
        };
        assert_eq!(jid.to_string(), "628111:7@s.whatsapp.net");
        assert_eq!(lid.unwrap().to_string(), "77@lid");
        let connected = WaEvent::Connected(Connected::builder().build());
        assert!(matches!(
            Signal::of_event(&connected, NOW),
            Some(Signal::Connected)
        ));
    }
}

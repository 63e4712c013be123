//! Calls that rang lately. Rejecting one needs both who called and who created the call, which may be
//! different devices; the domain knows only the first.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use wagate_domain::model::event::IncomingCall;
use whatsapp_rust::Jid as WaJid;
use whatsapp_rust::wacore::types::call::{CallAction, IncomingCall as WaCall};

use crate::convert::jid::to_wa;

/// Calls to remember.
const MAX_CALLS: usize = 64;

/// Whom to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub call_id: String,
    pub peer: WaJid,
    pub creator: WaJid,
}

/// The last calls of one session.
#[derive(Default)]
pub(crate) struct Calls(Mutex<VecDeque<Caller>>);

impl Calls {
    /// Remembers a call that rings.
    pub(crate) fn note(&self, call: &WaCall) {
        if !matches!(
            call.action,
            CallAction::Offer { .. } | CallAction::OfferNotice { .. }
        ) {
            return;
        }
        let caller = Caller {
            call_id: call.action.call_id().to_owned(),
            peer: call.from.clone(),
            creator: call.action.call_creator().clone(),
        };
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() == MAX_CALLS {
            calls.pop_front();
        }
        calls.push_back(caller);
    }

    /// Whom an answer to this call goes to.
    pub(crate) fn caller(&self, call: &IncomingCall) -> Caller {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls
            .iter()
            .rev()
            .find(|caller| caller.call_id == call.call_id)
            .cloned()
            .unwrap_or_else(|| {
                let from = to_wa(&call.from);
                Caller {
                    call_id: call.call_id.clone(),
                    peer: from.clone(),
                    creator: from,
                }
            })
    }
}

#[cfg(test)]
mod tests {
    use wagate_domain::model::event::CallState;
    use whatsapp_rust::chrono::DateTime;

    use super::*;

    #[test]
    fn the_creator_is_remembered_and_otherwise_guessed() {
        let calls = Calls::default();
        let notice = CallAction::OfferNotice {
            call_id: "C1".into(),
            call_creator: "77:5@lid".parse().unwrap(),
            is_video: false,
            is_group: false,
        };
        calls.note(&WaCall::new_for_test(
            "77@lid".parse().unwrap(),
            "s".into(),
            DateTime::from_timestamp(1, 0).unwrap(),
            notice,
        ));
        let call = |id: &str| IncomingCall {
            call_id: id.into(),
            from: "77@lid".parse().unwrap(),
            from_phone: None,
            video: false,
            state: CallState::Ringing,
        };
        assert_eq!(calls.caller(&call("C1")).creator.to_string(), "77:5@lid");
        assert_eq!(calls.caller(&call("C2")).creator.to_string(), "77@lid");
    }
}

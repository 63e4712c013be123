//! Calls, as far as a gateway without sound is concerned: one rings, was missed, is over.

use wagate_domain::model::event::{CallState, IncomingCall};
use wagate_domain::model::{Event, EventBody, Timestamp};
use whatsapp_rust::Jid as WaJid;
use whatsapp_rust::wacore::types::call::{
    CallAction, CallEndedElsewhere, IncomingCall as WaCall, MissedCall,
};

use super::jid::to_domain;
use super::party::{Party, People};

/// A call stanza as an event; `None` for what is only negotiation.
pub(crate) async fn to_event(call: &WaCall, people: &dyn People) -> Option<Event> {
    let (state, video, caller_phone) = match &call.action {
        CallAction::Offer {
            is_video, caller_pn, ..
        } => (CallState::Ringing, *is_video, caller_pn.as_ref()),
        CallAction::OfferNotice { is_video, .. } => (CallState::Ringing, *is_video, None),
        CallAction::Reject { .. } | CallAction::Terminate { .. } => (CallState::Ended, false, None),
        _ => return None,
    };
    let at = Timestamp(call.timestamp.timestamp_millis());
    event(
        call.action.call_id(),
        &call.from,
        caller_phone,
        video,
        state,
        at,
        people,
    )
    .await
}

/// A call that rang while we were away, or that nobody took.
pub(crate) async fn missed(call: &MissedCall, people: &dyn People) -> Option<Event> {
    let at = Timestamp(call.timestamp.timestamp_millis());
    event(
        &call.call_id,
        &call.from,
        None,
        false,
        CallState::Missed,
        at,
        people,
    )
    .await
}

/// A call that was taken or refused on another device.
pub(crate) async fn ended_elsewhere(call: &CallEndedElsewhere, people: &dyn People) -> Option<Event> {
    let at = Timestamp(call.timestamp.timestamp_millis());
    event(
        &call.call_id,
        &call.from,
        None,
        false,
        CallState::Ended,
        at,
        people,
    )
    .await
}

async fn event(
    call_id: &str,
    from: &WaJid,
    caller_phone: Option<&WaJid>,
    video: bool,
    state: CallState,
    at: Timestamp,
    people: &dyn People,
) -> Option<Event> {
    let caller = Party::of(from, caller_phone, people).await?;
    let from_phone = (caller.jid.server() == wagate_domain::model::JidServer::Phone).then_some(caller.jid);
    let call = IncomingCall {
        call_id: call_id.to_owned(),
        from: to_domain(from)?,
        from_phone,
        video,
        state,
    };
    Some(Event {
        at,
        body: EventBody::CallReceived(call),
    })
}

#[cfg(test)]
mod tests {
    use whatsapp_rust::chrono::DateTime;

    use super::super::party::tests::Known;
    use super::*;

    fn call(action: CallAction) -> WaCall {
        WaCall::new_for_test(
            "77:1@lid".parse().unwrap(),
            "stanza".into(),
            DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
            action,
        )
    }

    #[tokio::test]
    async fn an_offer_rings_and_names_the_number() {
        let offer = CallAction::Offer {
            call_id: "C1".into(),
            call_creator: "77:1@lid".parse().unwrap(),
            caller_pn: Some("628111@s.whatsapp.net".parse().unwrap()),
            caller_country_code: None,
            device_class: None,
            joinable: false,
            is_video: true,
            audio: vec![],
            group_jid: None,
        };
        let event = to_event(&call(offer), &Known::default()).await.unwrap();
        let EventBody::CallReceived(call) = event.body else {
            panic!("not a call")
        };
        assert_eq!(
            (call.call_id.as_str(), call.state, call.video),
            ("C1", CallState::Ringing, true)
        );
        assert_eq!(call.from.to_string(), "77:1@lid");
        assert_eq!(call.from_phone.unwrap().to_string(), "628111@s.whatsapp.net");
    }

    #[tokio::test]
    async fn negotiation_is_no_event() {
        let accept = CallAction::PreAccept {
            call_id: "C1".into(),
            call_creator: "77@lid".parse().unwrap(),
            audio: vec![],
        };
        assert_eq!(to_event(&call(accept), &Known::default()).await, None);
    }
}

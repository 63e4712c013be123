//! Calls, answered by the device's settings.

use wagate_domain::gateway::CallPatch;
use wagate_domain::model::event::{CallState, IncomingCall};
use wagate_domain::model::{EventBody, Jid};

use crate::bench::{Bench, SHOP, jid, token, until};

const CALLER: &str = "628111111111@s.whatsapp.net";

fn call(id: &str, from: &str, from_phone: Option<Jid>, state: CallState) -> EventBody {
    EventBody::CallReceived(IncomingCall {
        call_id: id.into(),
        from: jid(from),
        from_phone,
        video: false,
        state,
    })
}

fn rejecting(message: Option<&str>) -> CallPatch {
    CallPatch {
        reject: Some(true),
        exclude: Some(vec!["0822 2222 2222".into()]),
        message: message.map(Into::into),
    }
}

#[tokio::test]
async fn a_call_is_rejected_and_its_caller_told() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    bench
        .gateway
        .start_session(&token(SHOP), rejecting(Some("Busy")))
        .await
        .unwrap();
    let story = async {
        // By LID, as calls come in now: the number behind it is what the text goes to.
        session
            .receive(call("c1", "111@lid", Some(jid(CALLER)), CallState::Ringing))
            .await
            .unwrap();
        until(|| !session.sent().is_empty()).await;
    };
    tokio::select! {
        () = bench.gateway.answer_calls() => unreachable!("it runs until it is dropped"),
        () = story => {}
    }
    assert_eq!(session.rejected_calls(), ["c1"]);
    let sent = &session.sent()[0];
    assert_eq!((&sent.to, sent.text.as_deref()), (&jid(CALLER), Some("Busy")));
}

#[tokio::test]
async fn excluded_callers_missed_calls_and_repetitions_are_left_alone() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    bench
        .gateway
        .start_session(&token(SHOP), rejecting(None))
        .await
        .unwrap();
    let friend = jid("6282222222222@s.whatsapp.net");
    let story = async {
        for event in [
            call("friend", "222@lid", Some(friend), CallState::Ringing),
            call("missed", CALLER, Some(jid(CALLER)), CallState::Missed),
            call("ended", CALLER, Some(jid(CALLER)), CallState::Ended),
            call("last", CALLER, Some(jid(CALLER)), CallState::Ringing),
        ] {
            session.receive(event).await.unwrap();
        }
        until(|| session.rejected_calls().iter().any(|id| id == "last")).await;
    };
    tokio::select! {
        () = bench.gateway.answer_calls() => unreachable!("it runs until it is dropped"),
        () = story => {}
    }
    assert_eq!(session.rejected_calls(), ["last"]);
    assert!(session.sent().is_empty(), "no text is set");
}

#[tokio::test]
async fn one_call_that_cannot_be_rejected_does_not_stop_the_next() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    bench
        .gateway
        .start_session(&token(SHOP), rejecting(None))
        .await
        .unwrap();
    session
        .receive(call("c1", CALLER, Some(jid(CALLER)), CallState::Ringing))
        .await
        .unwrap();
    session.drop_connection().await;
    let story = async {
        // Whoever answers calls has had a turn: the first one failed.
        tokio::task::yield_now().await;
        session.connect().await;
        session
            .receive(call("c2", CALLER, Some(jid(CALLER)), CallState::Ringing))
            .await
            .unwrap();
        until(|| session.rejected_calls().iter().any(|id| id == "c2")).await;
    };
    tokio::select! {
        () = bench.gateway.answer_calls() => unreachable!("it runs until it is dropped"),
        () = story => {}
    }
    assert_eq!(session.rejected_calls(), ["c2"]);
}

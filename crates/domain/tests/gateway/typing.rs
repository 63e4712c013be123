//! Typing, both ways.

use std::task::Poll;

use futures_util::poll;
use futures_util::stream::{BoxStream, StreamExt};
use tokio::task::unconstrained;
use wagate_domain::gateway::{DevicePatch, TypingChange};
use wagate_domain::model::{Typing, TypingState};
use wagate_domain::{Error, Needs};

use crate::bench::{Bench, SHOP, jid, token};

const AYU: &str = "628111111111@s.whatsapp.net";
const FAMILY: &str = "120363000000000001@g.us";

fn typing(chat: &str, state: TypingState) -> Typing {
    Typing {
        chat: jid(chat),
        chat_lid: None,
        sender: jid(AYU),
        sender_lid: None,
        state,
    }
}

/// What was told by now, without waiting for more.
async fn told(changes: &mut BoxStream<'static, TypingChange>) -> Vec<(String, Typing)> {
    let mut told = Vec::new();
    while let Poll::Ready(change) = poll!(unconstrained(changes.next())) {
        let TypingChange { device, typing } = change.unwrap();
        told.push((device.to_string(), typing));
    }
    told
}

#[tokio::test]
async fn a_conversation_is_told_while_the_device_is_connected() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    let before = bench.store.recorded().len();
    for (chat, state) in [
        (AYU, TypingState::Composing),
        (AYU, TypingState::Paused),
        (FAMILY, TypingState::Recording),
    ] {
        bench
            .gateway
            .set_typing(&token(SHOP), &jid(chat), state)
            .await
            .unwrap();
        assert_eq!(session.typed().last(), Some(&(jid(chat), state)));
    }
    for nobody in ["status@broadcast", "120363000000000002@newsletter"] {
        let refused = bench
            .gateway
            .set_typing(&token(SHOP), &jid(nobody), TypingState::Composing)
            .await;
        assert_eq!(refused.unwrap_err().code(), "invalid_jid", "{nobody}");
    }
    assert_eq!(bench.store.recorded().len(), before, "it is recorded nowhere");
    session.drop_connection().await;
    let refused = bench
        .gateway
        .set_typing(&token(SHOP), &jid(AYU), TypingState::Composing)
        .await;
    assert!(matches!(
        refused,
        Err(Error::WrongState {
            needs: Needs::Connected,
            ..
        })
    ));
    assert_eq!(session.typed().len(), 3);
}

#[tokio::test]
async fn those_who_listen_hear_of_it_and_nobody_else_ever() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    let other = bench.paired("other").await;
    session.hear_typing(typing(AYU, TypingState::Composing));
    let mut all = bench.gateway.watch_typing(None).await.unwrap();
    let mut of_shop = bench.gateway.watch_typing(Some(&token(SHOP))).await.unwrap();
    assert_eq!(told(&mut all).await, [], "what was before is gone");
    session.hear_typing(typing(FAMILY, TypingState::Recording));
    other.hear_typing(typing(AYU, TypingState::Paused));
    let here = || (SHOP.to_owned(), typing(FAMILY, TypingState::Recording));
    let elsewhere = ("other".to_owned(), typing(AYU, TypingState::Paused));
    assert_eq!(told(&mut of_shop).await, [here()]);
    assert_eq!(told(&mut all).await, [here(), elsewhere]);
    let missing = bench.gateway.watch_typing(Some(&token("nobody"))).await.err();
    assert!(matches!(missing, Some(Error::NotFound { what: "device", .. })));
}

#[tokio::test]
async fn whoever_is_slow_loses_what_is_old() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    let mut changes = bench.gateway.watch_typing(None).await.unwrap();
    for _ in 0..10_000 {
        session.hear_typing(typing(AYU, TypingState::Composing));
    }
    session.hear_typing(typing(AYU, TypingState::Paused));
    let heard = told(&mut changes).await;
    assert!(heard.len() < 100, "{}", heard.len());
    assert_eq!(
        heard.last(),
        Some(&(SHOP.to_owned(), typing(AYU, TypingState::Paused)))
    );
}

#[tokio::test]
async fn a_device_that_is_gone_is_told_nothing() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    let mut changes = bench.gateway.watch_typing(None).await.unwrap();
    bench.gateway.delete_device(&token(SHOP)).await.unwrap();
    session.hear_typing(typing(AYU, TypingState::Composing));
    assert_eq!(told(&mut changes).await, []);
    bench
        .gateway
        .create_device(&token(SHOP), DevicePatch::default())
        .await
        .unwrap();
    let refused = bench
        .gateway
        .set_typing(&token(SHOP), &jid(AYU), TypingState::Composing)
        .await;
    assert!(matches!(
        refused,
        Err(Error::WrongState {
            needs: Needs::Paired,
            ..
        })
    ));
}

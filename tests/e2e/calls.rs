//! Calls are rejected where the device's settings say so.

use serde_json::json;
use wa_sim::world::view::CallState;
use wagate_tests::{Receiver, Sandbox};

use crate::{ALICE, BOB, CAROL};

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_rejected_with_a_message_and_friends_get_through() {
    let mut sandbox = Sandbox::start(&[(ALICE, "Alice"), (BOB, "Bob"), (CAROL, "Carol")]).await;
    let receiver = Receiver::start();
    let start = json!({ "token": "shop", "reject_call": "Y", "reject_message": "Please write",
                        "reject_exclude_phone": [CAROL] });
    sandbox.api.post("/api/start", start).await.ok();
    sandbox.pair("shop", ALICE).await;
    sandbox
        .api
        .post("/api/webhook", json!({ "token": "shop", "url": receiver.url() }))
        .await
        .ok();

    // The settings are stored: they hold after a restart.
    sandbox.stop_gateway().await;
    sandbox.start_gateway().await;
    sandbox
        .wait_for_status("shop", "connected", |status| status["connected"] == true)
        .await;

    let call = sandbox.world.call(BOB, ALICE).unwrap();
    let state = |phone: &'static str, id: String| {
        move |world: &wa_sim::world::SharedWorld| {
            let calls = world.calls(phone).unwrap();
            calls
                .into_iter()
                .find(|call| call.call_id == id)
                .filter(|call| call.state == CallState::Rejected)
        }
    };
    sandbox.wait_for_world(state(BOB, call.clone())).await;
    sandbox.wait_for_text(BOB, "Please write").await;
    let told = receiver
        .wait_for("call", |body| body["event"] == "incoming_call")
        .await;
    assert_eq!(
        (&told.body["call_id"], &told.body["phone"]),
        (&json!(call), &json!(BOB))
    );

    let friend = sandbox.world.call(CAROL, ALICE).unwrap();
    receiver
        .wait_for("friend's call", |body| body["call_id"] == json!(friend))
        .await;
    let calls = sandbox.world.calls(CAROL).unwrap();
    assert_eq!(calls.last().unwrap().state, CallState::Ringing);
    sandbox.finish().await;
}

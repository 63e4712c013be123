//! Checking many numbers: WhatsApp says of each whether it has an account.

use serde_json::{Value, json};
use wagate_tests::Sandbox;

use crate::{ALICE, BOB, CAROL};

#[tokio::test(flavor = "multi_thread")]
async fn whatsapp_says_which_numbers_have_an_account() {
    let sandbox = Sandbox::start(&[(ALICE, "Alice"), (BOB, "Bob"), (CAROL, "Carol")]).await;
    sandbox.pair("shop", ALICE).await;
    // National, as people of the account's country write it; more than fit one question; and one twice.
    let mut numbers = vec![
        format!("0{}", &BOB[2..]),
        format!("+{CAROL}"),
        "not a number".to_owned(),
    ];
    numbers.extend((0..70).map(|number| format!("62899{number:08}")));
    numbers.push(BOB.to_owned());
    let begun = sandbox
        .api
        .post("/v1/devices/shop/number-checks", json!({ "numbers": numbers }))
        .await;
    assert_eq!(begun.status.as_u16(), 202, "{}", begun.body);
    let job = begun.headers["location"].to_str().unwrap().to_owned();
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(20));
    let done = tokio::time::timeout(wagate_tests::sandbox::PATIENCE, async {
        loop {
            ticks.tick().await;
            let now = sandbox.api.get(&job).await.ok();
            if now["state"] != "running" {
                return now;
            }
        }
    })
    .await
    .unwrap();
    assert_eq!(
        (&done["state"], &done["done"], &done["total"]),
        (&json!("done"), &json!(74), &json!(74)),
        "{done}"
    );
    let results = sandbox.api.get(&format!("{job}/results?limit=200")).await.ok();
    let lines = results["data"].as_array().unwrap();
    assert_eq!(lines.len(), 74);
    for (place, phone) in [(0, BOB), (1, CAROL), (73, BOB)] {
        assert_eq!(lines[place]["registered"], true, "{}", lines[place]);
        assert_eq!(lines[place]["phone"], phone);
        assert_eq!(lines[place]["jid"], format!("{phone}@s.whatsapp.net"));
    }
    assert_eq!(lines[2]["problem"]["code"], "invalid_phone");
    for line in &lines[3..73] {
        assert_eq!(
            (&line["registered"], &line["jid"]),
            (&json!(false), &Value::Null),
            "{line}"
        );
    }
    sandbox.finish().await;
}

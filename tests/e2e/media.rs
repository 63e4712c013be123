//! Files, both ways.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use sha2::{Digest, Sha256};
use wa_sim::world::view::OutgoingMedia;
use wagate_tests::{Receiver, Sandbox};

use crate::{ALICE, BOB, PEOPLE};

/// A picture of one pixel.
const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_and_a_document_arrive_as_they_left() {
    let sandbox = Sandbox::start(PEOPLE).await;
    sandbox.pair("shop", ALICE).await;
    let png = BASE64_STANDARD.decode(PNG).unwrap();
    let body = json!({ "token": "shop", "phone": BOB, "message": "a dot",
                       "file_url": format!("data:image/png;base64,{PNG}") });
    sandbox.api.post("/api/send", body).await.ok();
    let got = sandbox
        .wait_for_message(BOB, "picture", |message| message.kind == "image")
        .await;
    assert_eq!(got.text.as_deref(), Some("a dot"));
    let media = got.media.unwrap();
    assert_eq!(
        (media.mimetype.as_str(), media.sha256.as_str()),
        ("image/png", sha256(&png).as_str())
    );

    let pdf = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n";
    let body = json!({ "token": "shop", "phone": BOB, "file_name": "invoice 7.pdf",
                       "file_url": format!("data:application/octet-stream;base64,{}", BASE64_STANDARD.encode(pdf)) });
    sandbox.api.post("/api/send", body).await.ok();
    let got = sandbox
        .wait_for_message(BOB, "document", |message| message.kind == "document")
        .await;
    let media = got.media.unwrap();
    assert_eq!(media.mimetype, "application/pdf");
    assert_eq!(media.file_name.as_deref(), Some("invoice 7.pdf"));
    assert_eq!(media.sha256, sha256(pdf));
    sandbox.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_fetched_from_an_address_and_a_large_one_resumes_its_upload() {
    let sandbox = Sandbox::start(PEOPLE).await;
    sandbox.pair("shop", ALICE).await;
    // Above 5 MiB the client asks WhatsApp's media host where to go on.
    let large: Vec<u8> = (0..6 * 1024 * 1024_u32)
        .map(|n| u8::try_from(n % 251).unwrap())
        .collect();
    let files = wagate_tests::file_server::FileServer::start("/big.bin", large.clone());
    let body = json!({ "token": "shop", "phone": BOB, "file_url": files.url() });
    sandbox.api.post("/api/send", body).await.ok();
    let got = sandbox
        .wait_for_message(BOB, "large file", |message| message.kind == "document")
        .await;
    let media = got.media.unwrap();
    assert_eq!(media.file_name.as_deref(), Some("big.bin"));
    assert_eq!(media.sha256, sha256(&large));

    let missing = json!({ "token": "shop", "phone": BOB, "file_url": files.url().replace("big", "small") });
    assert_eq!(
        sandbox.api.post("/api/send", missing).await.refused(400),
        "invalid_file_url"
    );
    let private = json!({ "token": "shop", "phone": BOB, "file_url": "http://10.0.0.1/x" });
    assert_eq!(
        sandbox.api.post("/api/send", private).await.refused(400),
        "invalid_file_url"
    );
    sandbox.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_comes_in_is_described_at_the_webhook() {
    let sandbox = Sandbox::start(PEOPLE).await;
    let receiver = Receiver::start();
    sandbox.pair("shop", ALICE).await;
    sandbox
        .api
        .post("/api/webhook", json!({ "token": "shop", "url": receiver.url() }))
        .await
        .ok();
    let picture = OutgoingMedia {
        bytes: BASE64_STANDARD.decode(PNG).unwrap(),
        mimetype: "image/png".into(),
        caption: Some("look".into()),
        file_name: None,
    };
    sandbox.world.send_media(BOB, ALICE, &picture).unwrap();
    let heard = receiver.wait_for("picture", |body| body["type"] == "image").await;
    assert_eq!(heard.body["text"], "look");
    assert_eq!(heard.body["media"]["mimetype"], "image/png");
    assert_eq!(heard.body["media"]["size"], picture.bytes.len());
    sandbox.finish().await;
}

//! What the gateway signs, judged by the official Standard Webhooks libraries from npm and `PyPI`: all of it
//! is valid, and nothing that somebody changed on the way.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop here")]

#[path = "signatures/install.rs"]
mod install;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};
use wagate_domain::model::Token;
use wagate_tests::{Received, Receiver, Sandbox};

const ALICE: &str = "6281200000001";
const BOB: &str = "6281200000002";

/// One request and the secret it is checked with.
#[derive(Clone)]
struct Delivery {
    headers: Map<String, Value>,
    body: Vec<u8>,
    secret: String,
}

impl Delivery {
    fn new(received: &Received, secret: &str) -> Self {
        let headers = received.headers.iter();
        Self {
            headers: headers
                .map(|(name, value)| (name.clone(), json!(value)))
                .collect(),
            body: received.raw.clone(),
            secret: secret.to_owned(),
        }
    }

    fn header(&self, name: &str) -> &str {
        self.headers[name].as_str().unwrap()
    }

    fn with_header(&self, name: &str, value: impl Into<Value>) -> Self {
        let mut changed = self.clone();
        changed.headers.insert(name.to_owned(), value.into());
        changed
    }

    fn with_body(&self, body: Vec<u8>) -> Self {
        Self { body, ..self.clone() }
    }

    /// The same delivery as somebody could have changed it, one thing at a time.
    fn forgeries(&self, foreign_secret: &str) -> Vec<(&'static str, Self)> {
        let (id, signature) = (self.header("webhook-id"), self.header("webhook-signature"));
        let seconds: i64 = self.header("webhook-timestamp").parse().unwrap();
        let at = |seconds: i64| self.with_header("webhook-timestamp", seconds.to_string());
        let (mut flipped, mut longer) = (self.body.clone(), self.body.clone());
        *flipped.last_mut().unwrap() = b']';
        longer.push(b' ');
        let mut other_secret = self.clone();
        foreign_secret.clone_into(&mut other_secret.secret);
        let (version, code) = signature.split_once(',').unwrap();
        let first = if code.starts_with('A') { 'B' } else { 'A' };
        vec![
            ("another id", self.with_header("webhook-id", format!("{id}0"))),
            ("no id", self.with_header("webhook-id", "")),
            ("a second later", at(seconds + 1)),
            ("a second earlier", at(seconds - 1)),
            ("replayed", at(seconds - 301)),
            ("from the future", at(seconds + 301)),
            ("another body", self.with_body(flipped)),
            ("a longer body", self.with_body(longer)),
            ("no body", self.with_body(Vec::new())),
            ("another secret", other_secret),
            (
                "another signature",
                self.with_header("webhook-signature", format!("{version},{first}{}", &code[1..])),
            ),
            (
                "another version",
                self.with_header("webhook-signature", format!("v2,{code}")),
            ),
        ]
    }
}

/// What is hard to sign right: bytes that are not letters, letters that are not bytes, and a lot of them.
fn texts() -> Vec<String> {
    vec![
        "plain".into(),
        "Grüße, 你好, مرحبا, שלום, हिन्दी".into(),
        "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 e\u{301} \u{feff}\u{202e}\u{fffd}".into(),
        "nul \0, bell \u{7}, escape \u{1b}, lines \n\r\u{2028}\u{2029}".into(),
        r#"written out: \u0000 \ud83d \" </script> {"a":1}"#.into(),
        format!("{}é", "0123456789".repeat(10_000)),
    ]
}

/// Everything that reached an endpoint while Bob wrote these texts, one of them twice.
async fn deliveries(sandbox: &Sandbox) -> Vec<Delivery> {
    let receiver = Receiver::start();
    sandbox.pair("shop", ALICE).await;
    let hook = json!({ "token": "shop", "url": receiver.url() });
    sandbox.api.post("/api/webhook", hook).await.ok();
    receiver.answer_next(&[500]);
    for text in texts() {
        sandbox.world.send_text(BOB, ALICE, &text).unwrap();
    }
    for text in texts() {
        receiver.wait_for(&text, |body| body["text"] == text).await;
    }
    let arrived = receiver.wait_for_count(texts().len() + 1).await;
    let secret = secret(sandbox, "shop").await;
    arrived.iter().map(|one| Delivery::new(one, &secret)).collect()
}

async fn secret(sandbox: &Sandbox, token: &str) -> String {
    sandbox.webhook_secret(&token.parse::<Token>().unwrap()).await
}

/// What a script says of each delivery.
fn judge(script: &mut Command, deliveries: &[Delivery]) -> Vec<String> {
    let question: Vec<_> = deliveries
        .iter()
        .map(|delivery| {
            let body = BASE64_STANDARD.encode(&delivery.body);
            json!({ "headers": delivery.headers, "body": body, "secret": delivery.secret })
        })
        .collect();
    let mut running = script
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let question = serde_json::to_vec(&question).unwrap();
    running.stdin.take().unwrap().write_all(&question).unwrap();
    let output = running.wait_with_output().unwrap();
    assert!(output.status.success(), "{script:?}");
    let verdicts: Vec<String> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdicts.len(), deliveries.len());
    verdicts
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_libraries_accept_what_was_sent_and_nothing_else() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("signatures");
    let (node, python) = (
        install::npm(&folder.join("node")),
        install::pip(&folder.join("python")),
    );

    let sandbox = Sandbox::start(&[(ALICE, "Alice"), (BOB, "Bob 🙂")]).await;
    let sent = deliveries(&sandbox).await;
    let spare = json!({ "token": "spare", "url": "https://example.com/hook" });
    sandbox
        .api
        .post("/api/start", json!({ "token": "spare" }))
        .await
        .ok();
    sandbox.api.post("/api/webhook", spare).await.ok();
    let foreign_secret = secret(&sandbox, "spare").await;
    assert!(sent.iter().any(|delivery| delivery.body.len() > 100_000));
    assert!(sent.iter().any(|delivery| !delivery.body.is_ascii()));
    assert!(
        sent.iter()
            .any(|delivery| delivery.body.windows(6).any(|six| six == br"\u0000"))
    );

    let (names, forged): (Vec<_>, Vec<_>) = sent
        .iter()
        .flat_map(|delivery| delivery.forgeries(&foreign_secret))
        .unzip();
    for mut script in [
        command("node", "verify.mjs", &node),
        command("python3", "verify.py", &python),
    ] {
        assert_eq!(judge(&mut script, &sent), vec!["valid"; sent.len()], "{script:?}");
        for (name, verdict) in names.iter().zip(judge(&mut script, &forged)) {
            assert_eq!(verdict, "forged", "{name}: {script:?}");
        }
    }
    sandbox.finish().await;
}

fn command(program: &str, script: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg(script).current_dir(folder);
    command
}

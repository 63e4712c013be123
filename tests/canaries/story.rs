//! A day with marked values in every place where a client, a person or WhatsApp can put one.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use wa_sim::world::SharedWorld;
use wa_sim::world::view::OutgoingMedia;
use wa_sim::{Settings, Sim};
use wagate_tests::Receiver;
use wagate_tests::file_server::FileServer;
use wagate_tests::sandbox::read_qr;

use crate::process::Process;

/// The key that the sandbox tells everybody on standard output; the log has no business with it.
const API_KEY: &str = "sandbox-key-0123456789";
const WRONG_KEY: &str = "wrongkey-7HQ2mXcanary";
const HOOK: &str = "hookquery-9LZ4kWcanary";
const DEAD_HOOK: &str = "deadhookquery-2RT8vEcanary";
const FILE_QUERY: &str = "filequery-5NB1xQcanary";
const IDEMPOTENCY: &str = "idempotency-8VC3jYcanary";
const TEXT_OUT: &str = "textout-4KD6sPcanary";
const TEXT_IN: &str = "textin-1WX9gMcanary";
const CAPTION_OUT: &str = "captionout-6GF2hZcanary";
const CAPTION_IN: &str = "captionin-3PJ7bUcanary";
const FILE_NAME: &str = "filename-0QA5cRcanary";
const PUSH_NAME: &str = "pushname-7MS8dTcanary";
const OWN_NAME: &str = "ownname-2YE4fKcanary";
const CONTACT: &str = "contact-9BH6nLcanary";
const BROKEN: &str = "brokenbody-5TU3wVcanary";
const REJECTION: &str = "rejection-8CI1zXcanary";
const GROUP: &str = "groupname-4OD7yJcanary";

const ADMIN: &str = "adminname-3WB5tKcanary";
const PASSWORD: &str = "password-6LX1vNcanary";
const WRONG_PASSWORD: &str = "wrongpassword-9QD4rTcanary";

const ALICE: &str = "6281270000017";
const BOB: &str = "6281270000029";
const CAROL: &str = "6281270000031";
/// Nobody in the world has it.
const NOBODY: &str = "6281270000043";

const PATIENCE: Duration = Duration::from_secs(30);
const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// What a test knows by name, in every spelling that would give it away.
pub type Marked = BTreeMap<&'static str, Vec<String>>;

/// The world around a gateway.
pub struct Story {
    world: SharedWorld,
    sim: String,
    http: Client,
    receiver: Receiver,
    _stop: oneshot::Sender<()>,
}

impl Story {
    /// A simulated WhatsApp with people in it, and a webhook receiver.
    pub async fn prepare() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sim = Sim::bind(listener, Settings::default()).unwrap();
        let (world, address) = (sim.world(), sim.address());
        for (phone, name) in [(ALICE, OWN_NAME), (BOB, PUSH_NAME), (CAROL, "Carol")] {
            world.create_phone(phone, name).unwrap();
        }
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(sim.run(async {
            let _ = stopped.await;
        }));
        Self {
            world,
            sim: format!("http://{address}"),
            http: Client::builder().build().unwrap(),
            receiver: Receiver::start(),
            _stop: stop,
        }
    }

    /// Where the simulator listens.
    pub fn sim_url(&self) -> String {
        self.sim.clone()
    }

    /// What `/metrics` says.
    pub async fn metrics(&self, gateway: &Process) -> String {
        let request = self.http.get(gateway.url("/metrics")).header("apikey", API_KEY);
        request.send().await.unwrap().text().await.unwrap()
    }

    /// Lives the day. Returns what is marked, and the body of every answer that was not a success.
    pub async fn tell(&self, gateway: &Process) -> (Marked, Vec<String>) {
        let mut day = Day {
            story: self,
            gateway,
            refusals: Vec::new(),
            spare: String::new(),
        };
        let (setup_code, session) = day.sign_in().await;
        let qr = day.link().await;
        let code = day.link_by_code().await;
        day.hook().await;
        day.send().await;
        day.receive().await;
        day.fail().await;
        let mut marked: Marked = BTreeMap::new();
        for (name, value) in [
            ("the API key", API_KEY),
            ("a wrong API key", WRONG_KEY),
            ("the webhook's query", HOOK),
            ("the dead webhook's query", DEAD_HOOK),
            ("a file's query", FILE_QUERY),
            ("an idempotency key", IDEMPOTENCY),
            ("a text that was sent", TEXT_OUT),
            ("a text that came", TEXT_IN),
            ("a caption that was sent", CAPTION_OUT),
            ("a caption that came", CAPTION_IN),
            ("a file's name", FILE_NAME),
            ("a push name", PUSH_NAME),
            ("the own name", OWN_NAME),
            ("a contact's name", CONTACT),
            ("a body that cannot be read", BROKEN),
            ("the answer to a call", REJECTION),
            ("a group's name", GROUP),
            ("an admin's name", ADMIN),
            ("a password", PASSWORD),
            ("a wrong password", WRONG_PASSWORD),
            ("a session token", session.as_str()),
            ("the own number", ALICE),
            ("a peer's number", BOB),
            ("another own number", CAROL),
            ("a number of nobody", NOBODY),
        ] {
            marked.insert(name, vec![value.to_owned(), BASE64_STANDARD.encode(value)]);
        }
        marked.insert(
            "a pairing string",
            qr.split(',')
                .map(str::to_owned)
                .filter(|part| part.len() > 8)
                .collect(),
        );
        marked.insert("the setup code", vec![setup_code.replace('-', ""), setup_code]);
        marked.insert("a pairing code", vec![code.replace('-', ""), code]);
        (marked, day.refusals)
    }

    /// A refusal may repeat what its own client said, but no secret and nothing that others said.
    pub fn no_secret_in(refusals: &[String]) {
        assert!(refusals.len() >= 8, "{refusals:#?}");
        let secret = [
            API_KEY,
            WRONG_KEY,
            HOOK,
            DEAD_HOOK,
            FILE_QUERY,
            IDEMPOTENCY,
            TEXT_OUT,
            TEXT_IN,
            CAPTION_IN,
            PUSH_NAME,
            OWN_NAME,
            CONTACT,
            BROKEN,
            PASSWORD,
            WRONG_PASSWORD,
            ALICE,
            BOB,
        ];
        for body in refusals {
            for value in secret {
                assert!(!body.contains(value), "{value} in {body}");
            }
        }
    }
}

/// The day as it goes on.
struct Day<'a> {
    story: &'a Story,
    gateway: &'a Process,
    refusals: Vec<String>,
    /// The spare device, as WhatsApp knows it.
    spare: String,
}

impl Day<'_> {
    async fn call(&mut self, method: Method, path: &str, body: Value, headers: &[(&str, &str)]) -> Value {
        let mut request = self.story.http.request(method, self.gateway.url(path));
        if headers.iter().all(|(name, _)| *name != "apikey") {
            request = request.header("apikey", API_KEY);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = match body {
            Value::Null => request,
            Value::String(text) => request.body(text),
            body => request.json(&body),
        };
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        if status != StatusCode::OK {
            self.refusals.push(text.clone());
        }
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {status} {text}"))
    }

    async fn post(&mut self, path: &str, body: Value) -> Value {
        self.call(Method::POST, path, body, &[]).await
    }

    /// Makes the first admin, goes wrong once, and looks around with the cookie. Returns the code and the token.
    async fn sign_in(&mut self) -> (String, String) {
        let line = self.gateway.wait_for_line("setup code").await;
        let code = line.split_whitespace().nth(2).unwrap().to_owned();
        let wrong = json!({ "name": ADMIN, "password": WRONG_PASSWORD });
        assert_eq!(self.post("/v1/sign-in", wrong).await["code"], "wrong_credentials");
        let setup = json!({ "code": code, "name": ADMIN, "password": PASSWORD });
        let request = self.story.http.post(self.gateway.url("/v1/setup")).json(&setup);
        let made = request.send().await.unwrap();
        assert_eq!(made.status(), StatusCode::CREATED);
        let cookie = made.headers()["set-cookie"].to_str().unwrap().to_owned();
        let cookie = cookie.split(';').next().unwrap();
        let known = self
            .call(Method::GET, "/v1/sign-in", Value::Null, &[("cookie", cookie)])
            .await;
        assert_eq!(known["account"]["name"], ADMIN);
        (code, cookie.split_once('=').unwrap().1.to_owned())
    }

    async fn connected(&mut self, token: &str) {
        let path = format!("/api/status?token={token}");
        let connected = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(50));
            loop {
                ticks.tick().await;
                if self.call(Method::GET, &path, Value::Null, &[]).await["connected"] == true {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, connected).await.unwrap();
    }

    /// Links a device by QR code and returns what the code says.
    async fn link(&mut self) -> String {
        let start = json!({ "token": "shop", "reject_call": true, "reject_message": REJECTION,
                            "reject_exclude_phone": NOBODY });
        self.post("/api/start", start).await;
        let shown = self.post("/api/qrcode", json!({ "token": "shop" })).await;
        let qr = read_qr(shown["qrcode"].as_str().unwrap());
        self.story.world.scan(ALICE, &qr).await.unwrap();
        self.connected("shop").await;
        qr
    }

    /// Links another by a typed code and returns the code.
    async fn link_by_code(&mut self) -> String {
        self.post("/api/start", json!({ "token": "spare" })).await;
        let shown = self
            .post("/api/pair", json!({ "token": "spare", "phone": CAROL }))
            .await;
        let code = shown["code"].as_str().unwrap().to_owned();
        self.spare = self.story.world.pair_code(CAROL, &code).await.unwrap();
        self.connected("spare").await;
        code
    }

    /// One endpoint that answers, one where nobody listens.
    async fn hook(&mut self) {
        let url = format!("{}?key={HOOK}", self.story.receiver.url());
        self.post("/api/webhook", json!({ "token": "shop", "url": url }))
            .await;
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/?key={DEAD_HOOK}", nobody.local_addr().unwrap());
        drop(nobody);
        self.post("/api/webhook", json!({ "token": "spare", "url": url }))
            .await;
    }

    async fn send(&mut self) {
        let key = [("idempotency-key", IDEMPOTENCY)];
        let text = json!({ "token": "shop", "phone": BOB, "message": TEXT_OUT });
        for _ in 0..2 {
            let sent = self.call(Method::POST, "/api/send", text.clone(), &key).await;
            assert_eq!(sent["status"], true, "{sent}");
        }
        let other = json!({ "token": "shop", "phone": BOB, "message": "other" });
        let reused = self.call(Method::POST, "/api/send", other, &key).await;
        assert_eq!(reused["code"], "idempotency_key_reused");

        let file = format!("data:image/png;base64,{PNG}");
        let sent = json!({ "token": "shop", "phone": BOB, "message": CAPTION_OUT, "file_url": file });
        assert_eq!(self.post("/api/send", sent).await["status"], true);
        let files = FileServer::start("/file.bin", b"any bytes".to_vec());
        let url = format!("{}?key={FILE_QUERY}", files.url());
        let sent = json!({ "token": "shop", "phone": BOB, "file_url": url, "file_name": FILE_NAME });
        assert_eq!(self.post("/api/send", sent).await["status"], true);
    }

    async fn receive(&mut self) {
        let (world, receiver) = (&self.story.world, &self.story.receiver);
        world.save_contact(ALICE, BOB, CONTACT).unwrap();
        world.create_group(ALICE, GROUP, &[BOB.to_owned()]).unwrap();
        world.send_text(BOB, ALICE, TEXT_IN).unwrap();
        receiver.wait_for("text", |body| body["text"] == TEXT_IN).await;
        let picture = OutgoingMedia {
            bytes: BASE64_STANDARD.decode(PNG).unwrap(),
            mimetype: "image/png".into(),
            caption: Some(CAPTION_IN.into()),
            file_name: Some(FILE_NAME.into()),
        };
        world.send_media(BOB, ALICE, &picture).unwrap();
        receiver
            .wait_for("picture", |body| body["text"] == CAPTION_IN)
            .await;
        world.call(BOB, ALICE).unwrap();
        receiver.wait_for_event("incoming_call").await;
        // The spare device's endpoint does not answer: its delivery fails.
        world.send_text(BOB, CAROL, TEXT_IN).unwrap();
        receiver.answer_next(&[500]);
        world.send_text(BOB, ALICE, "once more").unwrap();
        let twice = |body: &Value| body["text"] == "once more";
        receiver.wait_for("text", twice).await;
        for path in [
            "/api/contacts?token=shop",
            "/api/groups?token=shop",
            "/api/devices",
        ] {
            self.call(Method::GET, path, Value::Null, &[]).await;
        }
    }

    /// Everything that goes wrong says so without saying what with.
    async fn fail(&mut self) {
        let wrong = [("apikey", WRONG_KEY)];
        self.call(Method::GET, "/api/devices", Value::Null, &wrong).await;
        for body in [
            format!("{{\"token\":\"shop\",\"phone\":\"{BROKEN}"),
            format!("token=shop&message={BROKEN}"),
        ] {
            self.post("/api/send?token=shop", Value::String(body)).await;
        }
        let nobody = json!({ "token": "shop", "phone": NOBODY, "message": TEXT_OUT });
        assert_eq!(self.post("/api/send", nobody).await["code"], "not_on_whatsapp");
        let nul = json!({ "token": "shop", "phone": BOB, "message": format!("{TEXT_OUT}\0") });
        self.post("/api/send", nul).await;
        let files = FileServer::start("/file.bin", b"any bytes".to_vec());
        let missing = format!("{}?key={FILE_QUERY}", files.url().replace("file.bin", "missing"));
        for url in [
            missing,
            format!("http://127.0.0.1:1/?key={FILE_QUERY}"),
            format!("http://10.0.0.1/?key={FILE_QUERY}"),
            format!("http://user:{FILE_QUERY}@127.0.0.1/"),
            format!("ftp://example.com/{FILE_QUERY}"),
            format!("data:image/png;base64,!{FILE_QUERY}"),
        ] {
            let body = json!({ "token": "shop", "phone": BOB, "file_url": url });
            self.post("/api/send", body).await;
        }
        for url in [format!("http://10.0.0.1/?key={HOOK}"), format!("nonsense {HOOK}")] {
            self.post("/api/webhook", json!({ "token": "shop", "url": url }))
                .await;
        }
        self.story.world.unlink(CAROL, &self.spare).unwrap();
        let unpaired = json!({ "token": "spare", "phone": BOB, "message": TEXT_OUT });
        self.post("/api/send", unpaired).await;
        self.post("/api/logout", json!({ "token": "shop" })).await;
        self.call(Method::DELETE, "/api/device?token=shop", Value::Null, &[])
            .await;
    }
}

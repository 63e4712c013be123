//! The simulator's control API under the gateway's own address, at `/sandbox`: the dashboard, which may talk to nobody
//! else, moves the simulated people by it. For whoever is signed in; the production server has nothing there.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use actix_web::web::{self, Bytes, Data, PayloadConfig, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use anyhow::Context;
use reqwest::{Client, Method, Url};
use serde_json::json;
use wagate::Routes;
use wagate_domain::ports::Clock;

use crate::receiver::{self, Receiver};

/// Where it stands on the gateway, and where on the simulator.
const HERE: &str = "/sandbox";
const THERE: &str = "/sim";

/// A file of 16 MiB in base64, and the rest.
const MAX_BODY_BYTES: usize = 24 * 1024 * 1024;

/// A phone that scans waits for the device, which may take this long.
const PATIENCE: Duration = Duration::from_mins(1);

/// The way to the simulator.
struct Simulator {
    client: Client,
    base: Url,
}

/// Routes that pass requests on to the simulator at `sim_url`, and a receiver for webhooks.
pub fn routes(sim_url: &str, clock: Arc<dyn Clock>) -> anyhow::Result<Routes> {
    // A client needs a provider, also for plain HTTP; whoever comes first installs it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
        .context("no HTTP client can be made")?;
    let base = Url::parse(sim_url).with_context(|| format!("{sim_url} is no address"))?;
    let simulator = Data::new(Simulator { client, base });
    let receiver = Receiver::new(clock);
    Ok(Arc::new(move |app: &mut ServiceConfig| {
        let (simulator, receiver) = (simulator.clone(), receiver.clone());
        receiver::receives(app, &receiver);
        app.service(wagate::signed_in_scope(HERE, |scope| {
            scope
                .app_data(simulator)
                .app_data(receiver)
                .app_data(PayloadConfig::new(MAX_BODY_BYTES))
                .route("/receiver", web::get().to(receiver::received))
                .route("/{tail:.+}", web::route().to(pass_on));
        }));
    }))
}

async fn pass_on(simulator: Data<Simulator>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let Some((method, url)) = simulator.target(&request) else {
        return failed(
            StatusCode::NOT_FOUND,
            "not_found",
            "the control API has no such path",
        );
    };
    match simulator.ask(method, url, body).await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::warn!(%error, "the simulator does not answer");
            failed(
                StatusCode::BAD_GATEWAY,
                "simulator_unreachable",
                "the simulator does not answer",
            )
        }
    }
}

impl Simulator {
    /// What is asked of the simulator: nothing beside its control API.
    fn target(&self, request: &HttpRequest) -> Option<(Method, Url)> {
        let method = Method::from_bytes(request.method().as_str().as_bytes()).ok()?;
        let tail = request.uri().path().strip_prefix(HERE)?;
        let mut url = self.base.clone();
        url.set_path(&format!("{THERE}{tail}"));
        url.set_query(request.uri().query());
        url.path()
            .starts_with(&format!("{THERE}/"))
            .then_some((method, url))
    }

    async fn ask(&self, method: Method, url: Url, body: Bytes) -> reqwest::Result<HttpResponse> {
        let answer = self.client.request(method, url).body(body).send().await?;
        let status = StatusCode::from_u16(answer.status().as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
        let kind = answer.headers().get("content-type");
        let kind = kind.and_then(|kind| HeaderValue::from_bytes(kind.as_bytes()).ok());
        let body = answer.bytes().await?;
        Ok(HttpResponse::build(status)
            .insert_header((
                CONTENT_TYPE,
                kind.unwrap_or(HeaderValue::from_static("application/json")),
            ))
            .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .body(body))
    }
}

/// As the control API itself says it.
fn failed(status: StatusCode, error: &str, message: &str) -> HttpResponse {
    HttpResponse::build(status).json(json!({ "error": error, "message": message }))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn target(path: &str) -> Option<String> {
        let simulator = Simulator {
            client: Client::builder().build().ok()?,
            base: Url::parse("http://127.0.0.1:8081").ok()?,
        };
        let request = TestRequest::with_uri(path).to_http_request();
        simulator.target(&request).map(|(_, url)| url.to_string())
    }

    #[test]
    fn only_the_control_api_can_be_reached() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        assert_eq!(
            target("/sandbox/phones/62812/messages?chat=1%402").as_deref(),
            Some("http://127.0.0.1:8081/sim/phones/62812/messages?chat=1%402")
        );
        for beside in [
            "/sandbox/../admin/mock-phone/scan-qr",
            "/sandbox/%2e%2e/admin/mock-phone/scan-qr",
            "/sandbox/phones/../../ws/chat",
        ] {
            assert_eq!(target(beside), None, "{beside}");
        }
    }
}

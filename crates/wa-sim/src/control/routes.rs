//! Every path of the control API in one place.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::{any, delete, get, post};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::reply::{Problem, Reply, done};
use super::{calls, faults, groups, ledger, messages, page, pairing, phones, presence};
use crate::server::Site;

pub(crate) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/sim", get(async || Redirect::permanent("/sim/")))
        .route("/sim/", get(page::page))
        .route("/sim/root-key", get(root_key))
        .route("/sim/ledger", get(ledger::list))
        .route(
            "/sim/faults",
            post(faults::add).get(faults::list).delete(faults::clear),
        )
        .route("/sim/faults/{id}", delete(faults::remove))
        .route("/sim/phones", post(phones::create).get(phones::list))
        .route("/sim/phones/{phone}", get(phones::show))
        .route("/sim/phones/{phone}/script", post(phones::set_script))
        .route("/sim/phones/{phone}/contacts", post(phones::save_contact))
        .route("/sim/phones/{phone}/scan", post(pairing::scan))
        .route("/sim/phones/{phone}/pair-code", post(pairing::pair_code))
        .route("/sim/phones/{phone}/unlink", post(pairing::unlink))
        .route(
            "/sim/phones/{phone}/messages",
            post(messages::send).get(messages::list),
        )
        .route("/sim/phones/{phone}/read", post(messages::read))
        .route("/sim/phones/{phone}/typing", post(presence::typing))
        .route("/sim/phones/{phone}/offline", post(presence::offline))
        .route("/sim/phones/{phone}/online", post(presence::online))
        .route("/sim/phones/{phone}/calls", post(calls::call).get(calls::list))
        .route("/sim/phones/{phone}/calls/{call_id}/end", post(calls::end))
        .route("/sim/phones/{phone}/groups", post(groups::create))
        .route(
            "/sim/phones/{phone}/groups/{jid}/participants",
            post(groups::change_participants),
        )
        .route("/sim/{*rest}", any(nothing_here))
        .route("/admin/mock-phone/scan-qr", post(pairing::scan_by_push_name))
        .method_not_allowed_fallback(async || {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "this path has other methods",
            )
        })
}

async fn nothing_here() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "the control API has no such path",
    )
}

async fn root_key(State(site): State<Arc<Site>>) -> Reply<Value> {
    done(json!({ "key": BASE64_STANDARD.encode(site.world.root_key()) }))
}

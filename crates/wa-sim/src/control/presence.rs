//! A person types, loses the network and comes back.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::reply::{Body, Reply, done, recipient};
use crate::server::Site;
use crate::world::view::TypingState;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Typing {
    to: String,
    #[serde(default)]
    state: TypingState,
}

pub(super) async fn typing(
    State(site): State<Arc<Site>>,
    Path(phone): Path<String>,
    Body(typing): Body<Typing>,
) -> Reply<Value> {
    site.world
        .typing(&phone, &recipient("to", &typing.to)?, typing.state)?;
    done(json!({}))
}

pub(super) async fn offline(State(site): State<Arc<Site>>, Path(phone): Path<String>) -> Reply<Value> {
    site.world.set_offline(&phone)?;
    done(json!({}))
}

pub(super) async fn online(State(site): State<Arc<Site>>, Path(phone): Path<String>) -> Reply<Value> {
    site.world.set_online(&phone)?;
    done(json!({}))
}

//! `/sim/phones`: simulated people, what they are called, whom they know and what they do by themselves.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::reply::{Body, Problem, Reply, done, phone_number};
use crate::server::Site;
use crate::world::view::{PhoneView, Script};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPhone {
    phone: String,
    name: String,
    #[serde(default)]
    script: Script,
}

pub(super) async fn create(
    State(site): State<Arc<Site>>,
    Body(new): Body<NewPhone>,
) -> Result<(StatusCode, Json<PhoneView>), Problem> {
    let phone = phone_number("phone", &new.phone)?;
    let name = named("name", &new.name)?;
    site.world.create_phone(&phone, name)?;
    site.world.set_script(&phone, new.script)?;
    Ok((StatusCode::CREATED, Json(site.world.phone(&phone)?)))
}

pub(super) async fn list(State(site): State<Arc<Site>>) -> Reply<Value> {
    done(json!({ "data": site.world.phones() }))
}

pub(super) async fn show(State(site): State<Arc<Site>>, Path(phone): Path<String>) -> Reply<PhoneView> {
    done(site.world.phone(&phone)?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewScript {
    script: Script,
}

pub(super) async fn set_script(
    State(site): State<Arc<Site>>,
    Path(phone): Path<String>,
    Body(new): Body<NewScript>,
) -> Reply<Value> {
    site.world.set_script(&phone, new.script)?;
    done(json!({}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewContact {
    phone: String,
    name: String,
}

pub(super) async fn save_contact(
    State(site): State<Arc<Site>>,
    Path(phone): Path<String>,
    Body(new): Body<NewContact>,
) -> Reply<Value> {
    let contact = phone_number("phone", &new.phone)?;
    site.world
        .save_contact(&phone, &contact, named("name", &new.name)?)?;
    done(json!({}))
}

fn named<'a>(field: &str, name: &'a str) -> Result<&'a str, Problem> {
    let name = name.trim();
    if name.is_empty() {
        Err(Problem::invalid(field, "must not be empty"))
    } else {
        Ok(name)
    }
}

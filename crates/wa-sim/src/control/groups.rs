//! `/sim/phones/{phone}/groups`: a person makes a group and changes who is in it.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::reply::{Body, Problem, Reply, done, phone_number};
use crate::server::Site;
use crate::world::view::ParticipantChanges;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewGroup {
    subject: String,
    #[serde(default)]
    participants: Vec<String>,
}

pub(super) async fn create(
    State(site): State<Arc<Site>>,
    Path(phone): Path<String>,
    Body(new): Body<NewGroup>,
) -> Reply<Value> {
    let subject = new.subject.trim();
    if subject.is_empty() {
        return Err(Problem::invalid("subject", "must not be empty"));
    }
    let participants = numbers("participants", &new.participants)?;
    let jid = site.world.create_group(&phone, subject, &participants)?;
    done(json!({ "jid": jid }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Changes {
    #[serde(default)]
    add: Vec<String>,
    #[serde(default)]
    remove: Vec<String>,
    #[serde(default)]
    promote: Vec<String>,
    #[serde(default)]
    demote: Vec<String>,
}

pub(super) async fn change_participants(
    State(site): State<Arc<Site>>,
    Path((phone, jid)): Path<(String, String)>,
    Body(changes): Body<Changes>,
) -> Reply<Value> {
    let changes = ParticipantChanges {
        add: numbers("add", &changes.add)?,
        remove: numbers("remove", &changes.remove)?,
        promote: numbers("promote", &changes.promote)?,
        demote: numbers("demote", &changes.demote)?,
    };
    if [&changes.add, &changes.remove, &changes.promote, &changes.demote]
        .iter()
        .all(|list| list.is_empty())
    {
        return Err(Problem::invalid(
            "body",
            "name somebody to add, remove, promote or demote",
        ));
    }
    site.world.change_participants(&phone, &jid, &changes)?;
    done(json!({ "jid": jid }))
}

fn numbers(field: &str, texts: &[String]) -> Result<Vec<String>, Problem> {
    texts.iter().map(|text| phone_number(field, text)).collect()
}

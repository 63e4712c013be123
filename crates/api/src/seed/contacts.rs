//! `GET /api/contacts`: the phone's address book and names seen on messages, by JID.

use std::collections::BTreeMap;

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;
use wagate_domain::model::{Contact, Jid, JidServer};

use crate::extract::{SeedInput, TokenOnly};
use crate::problem::Problem;
use crate::state::ApiState;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
#[schema(as = SeedContact)]
pub(super) struct ContactView {
    found: bool,
    first_name: String,
    full_name: String,
    push_name: String,
    business_name: String,
    phone: String,
    lid: String,
}

/// Gives the address book of the phone and names seen on messages, by JID.
#[utoipa::path(
    get,
    path = "/api/contacts",
    tag = "seed",
    responses((status = 200, description = "The contacts", body = BTreeMap<String, ContactView>)),
)]
pub(super) async fn list_contacts(
    state: Data<ApiState>,
    input: SeedInput<TokenOnly>,
) -> Result<Json<BTreeMap<String, ContactView>>, Problem> {
    let contacts = state.gateway.all_contacts(&input.token).await?;
    Ok(Json(
        contacts
            .into_iter()
            .map(|contact| (contact.jid.to_string(), contact.into()))
            .collect(),
    ))
}

impl From<Contact> for ContactView {
    fn from(contact: Contact) -> Self {
        let by_lid = contact.jid.server() == JidServer::Lid;
        let lid = contact.lid.as_ref().or(by_lid.then_some(&contact.jid));
        Self {
            found: true,
            lid: lid.map(Jid::to_string).unwrap_or_default(),
            phone: if by_lid {
                String::new()
            } else {
                contact.jid.user().to_owned()
            },
            first_name: contact.first_name.unwrap_or_default(),
            full_name: contact.full_name.unwrap_or_default(),
            push_name: contact.push_name.unwrap_or_default(),
            business_name: contact.business_name.unwrap_or_default(),
        }
    }
}

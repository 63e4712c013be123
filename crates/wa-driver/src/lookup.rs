//! Questions to WhatsApp: who has an account, and which groups the account is in.

use wagate_domain::model::{Group, Jid, JidServer, PhoneNumber, Timestamp};
use wagate_domain::ports::NumberLookup;
use wagate_domain::{Error, Result};
use whatsapp_rust::{Client, IsOnWhatsAppResult, Jid as WaJid};

use crate::convert::{group, jid};
use crate::error;

/// Numbers in one question. WhatsApp frowns on more.
const BATCH: usize = 50;

/// Which of these numbers have an account, in the same order.
pub(crate) async fn look_up(
    client: &Client,
    phones: &[PhoneNumber],
    now: Timestamp,
) -> Result<Vec<NumberLookup>> {
    let mut found = Vec::with_capacity(phones.len());
    for batch in phones.chunks(BATCH) {
        let answers = ask(client, batch).await?;
        for phone in batch {
            let jid = match answers.iter().find(|answer| names(answer, phone)) {
                Some(answer) => account(answer),
                // WhatsApp knows some numbers by other digits (Brazil, Mexico). Alone, the answer can
                // only belong to this question.
                None if batch.len() > 1 => ask(client, std::slice::from_ref(phone))
                    .await?
                    .first()
                    .and_then(account),
                None => answers.first().and_then(account),
            };
            found.push(NumberLookup {
                phone: phone.clone(),
                jid,
                checked_at: now,
            });
        }
    }
    Ok(found)
}

async fn ask(client: &Client, phones: &[PhoneNumber]) -> Result<Vec<IsOnWhatsAppResult>> {
    let jids: Vec<WaJid> = phones.iter().map(|phone| WaJid::pn(phone.digits())).collect();
    let asked = Box::pin(client.contacts().is_on_whatsapp(&jids)).await;
    asked.map_err(|failed| error::request("looked up numbers", &failed))
}

/// Whether the answer is about this very number.
fn names(answer: &IsOnWhatsAppResult, phone: &PhoneNumber) -> bool {
    [Some(&answer.jid), answer.pn_jid.as_ref()]
        .into_iter()
        .flatten()
        .any(|jid| jid.server.carries_phone_number() && jid.user_base() == phone.digits())
}

/// The account in the answer, by phone number where WhatsApp tells it.
fn account(answer: &IsOnWhatsAppResult) -> Option<Jid> {
    if !answer.is_registered {
        return None;
    }
    let named = jid::to_account(&answer.jid);
    let by_number = answer.pn_jid.as_ref().and_then(jid::to_account);
    by_number
        .or_else(|| named.clone().filter(|jid| jid.server() == JidServer::Phone))
        .or(named)
}

/// Every group that the account is in, by address.
pub(crate) async fn groups(client: &Client) -> Result<Vec<Group>> {
    let asked = Box::pin(client.groups().get_participating()).await;
    let all = asked
        .map_err(|failed: whatsapp_rust::GroupError| -> Error { error::request("listed groups", &failed) })?;
    let mut groups: Vec<Group> = all.values().filter_map(group::to_domain).collect();
    groups.sort_by(|a, b| a.jid.cmp(&b.jid));
    Ok(groups)
}

//! Saying that messages were read.

use std::collections::BTreeMap;

use wagate_domain::Result;
use wagate_domain::model::{Jid, MessageId};
use whatsapp_rust::{Client, Jid as WaJid};

use crate::convert::jid::to_wa;
use crate::convert::party::People;
use crate::error;

/// One receipt for each who wrote, in the conversation in which they did.
pub(crate) async fn mark_read(client: &Client, chat: &Jid, messages: &[(MessageId, Jid)]) -> Result<()> {
    let mut by_sender: BTreeMap<&Jid, Vec<&str>> = BTreeMap::new();
    for (id, sender) in messages {
        by_sender.entry(sender).or_default().push(&id.0);
    }
    let to = as_written(client, chat).await;
    for (sender, ids) in by_sender {
        let sender = if chat.is_group() {
            Some(as_written(client, sender).await)
        } else {
            None
        };
        let told = client.mark_as_read(&to, sender.as_ref(), &ids).await;
        told.map_err(|failed| {
            let cause: &(dyn std::error::Error + Send + Sync + 'static) = failed.as_ref();
            error::request("said what was read", cause)
        })?;
    }
    Ok(())
}

/// People write under their hidden identity when they have one.
pub(crate) async fn as_written(people: &dyn People, jid: &Jid) -> WaJid {
    let written = to_wa(jid);
    if !written.is_pn() {
        return written;
    }
    people.other_half(&written).await.unwrap_or(written)
}

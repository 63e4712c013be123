//! The own account as others see it: not shown as online unless it types, and what its name and picture are.

use std::sync::Arc;
use std::time::Duration;

use wagate_domain::model::EventBody;

use crate::live::Live;
use crate::shared::Shared;

/// How long looking at the own picture may take.
const PICTURE_LIMIT: Duration = Duration::from_secs(20);

/// Upstream shows the account as online on each connection, which keeps the phone from notifying its
/// owner.
pub(crate) async fn be_quiet(shared: Arc<Shared>, live: Arc<Live>) {
    let mut seen = shared.seen.lock().await;
    *seen = false;
    if has_name(&live)
        && let Err(error) = live.client.presence().set_unavailable().await
    {
        tracing::debug!(%error, "presence was not sent");
    }
}

/// Shows the account as online, unless it is already: WhatsApp shows typing, and tells of others', only to those who
/// are. The session's task ends it after a while.
pub(crate) async fn be_seen(shared: &Shared, live: &Live) {
    let mut seen = shared.seen.lock().await;
    if *seen || !has_name(live) {
        return;
    }
    match live.client.presence().set_available().await {
        Ok(()) => *seen = true,
        Err(error) => tracing::debug!(%error, "presence was not sent"),
    }
}

/// Presence carries the account's name. Right after pairing it is not known yet, and comes with a signal of its own.
fn has_name(live: &Live) -> bool {
    !live.client.push_name().is_empty()
}

/// What a session does once it is logged in.
pub(crate) async fn welcome(shared: Arc<Shared>, live: Arc<Live>) {
    be_quiet(shared.clone(), live.clone()).await;
    let name = live.client.push_name();
    if !name.is_empty() {
        let changed = EventBody::ProfileChanged {
            push_name: Some(name),
            picture_url: None,
        };
        shared.journal.report(shared.clock.now(), changed);
    }
    tell_picture(shared, live).await;
}

/// Tells the address of the own picture.
pub(crate) async fn tell_picture(shared: Arc<Shared>, live: Arc<Live>) {
    let Some(own) = live.client.pn().map(|jid| jid.to_non_ad()) else {
        return;
    };
    let contacts = live.client.contacts();
    let asked = Box::pin(contacts.get_profile_picture_with_timeout(&own, false, Some(PICTURE_LIMIT)));
    match asked.await {
        Ok(picture) => {
            let url = picture.map(|picture| picture.url).unwrap_or_default();
            let changed = EventBody::ProfileChanged {
                push_name: None,
                picture_url: Some(url),
            };
            shared.journal.report(shared.clock.now(), changed);
        }
        Err(error) => tracing::debug!(%error, "the own picture was not told"),
    }
}

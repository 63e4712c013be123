//! Recording events: everything that one commit of the driver comes to, in one transaction.

use async_trait::async_trait;
use diesel::prelude::*;
use wagate_domain::Result;
use wagate_domain::model::{DeviceId, EventId};
use wagate_domain::ports::{EventBatch, EventStore, NewEvent};

use crate::dialect::Conn;
use crate::error::{Failure, no_device};
use crate::pool::Database;
use crate::schema::{devices as device_table, events};
use crate::{deliveries, devices, directory, outbox};

/// [`EventStore`] in a database.
pub struct SqlEvents {
    pub(crate) database: Database,
}

impl std::fmt::Debug for SqlEvents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqlEvents")
    }
}

fn record(conn: &mut Conn<'_>, batch: EventBatch) -> Result<Vec<EventId>, Failure> {
    require_device(conn, batch.device)?;
    if let Some(device) = &batch.device_after {
        devices::overwrite(conn, device)?;
    }
    let mut new = Vec::new();
    for event in batch.events {
        if insert(conn, batch.device, &event)? {
            new.push(event);
        }
    }
    deliveries::queue(conn, batch.device, &new)?;
    directory::merge(conn, batch.device, batch.contacts)?;
    directory::remove(conn, batch.device, &batch.removed_contacts)?;
    for (message, status) in &batch.statuses {
        outbox::raise_status(conn, batch.device, message, *status)?;
    }
    Ok(new.iter().map(|event| event.id).collect())
}

/// A batch may hold nothing that hangs on the device and must fail all the same when it is gone.
fn require_device(conn: &mut Conn<'_>, id: DeviceId) -> Result<(), Failure> {
    let found: Option<String> = on!(conn, c => {
        device_table::table.find(id.to_string()).select(device_table::id).first(c).optional()?
    });
    if found.is_some() {
        Ok(())
    } else {
        Err(no_device(id).into())
    }
}

/// Whether the event was new.
fn insert(conn: &mut Conn<'_>, device: DeviceId, event: &NewEvent) -> Result<bool, Failure> {
    let inserted = on!(conn, c => {
        diesel::insert_into(events::table)
            .values((
                events::id.eq(event.id.to_string()),
                events::device_id.eq(device.to_string()),
                events::kind.eq(event.kind.as_str()),
                events::dedupe_key.eq(event.dedupe_key.as_deref()),
                events::at.eq(event.at.0),
                events::recorded_at.eq(event.recorded_at.0),
                events::data.eq(&event.data[..]),
            ))
            .on_conflict_do_nothing()
            .execute(c)?
    });
    Ok(inserted == 1)
}

#[async_trait]
impl EventStore for SqlEvents {
    async fn record(&self, batch: EventBatch) -> Result<Vec<EventId>> {
        self.database.write(move |conn| record(conn, batch)).await
    }
}

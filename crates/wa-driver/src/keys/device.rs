//! The client's own row: identity, registration and what the last connection learned.

use serde::{Deserialize, Serialize};
use wagate_domain::ports::KeyKind;
use whatsapp_rust::async_trait;
use whatsapp_rust::wacore::stats::StorageResourceReport;
use whatsapp_rust::wacore::store::Device;
use whatsapp_rust::wacore::store::error::StoreError;
use whatsapp_rust::wacore::store::traits::DeviceStore;

use super::codec::{from_json, text, to_json};
use super::{StoreResult, VaultBackend, World};

/// There is one row per device.
const ROW: &str = "device";

/// Upstream numbers the devices of one store; ours holds one.
const UPSTREAM_ID: i32 = 1;

#[derive(Serialize)]
struct Row<'a> {
    world: &'static str,
    device: &'a Device,
}

#[derive(Deserialize)]
struct StoredRow {
    world: String,
    device: Device,
}

impl World {
    fn name(self) -> &'static str {
        match self {
            Self::WhatsApp => "whatsapp",
            Self::Simulated => "simulated",
        }
    }
}

#[async_trait]
impl DeviceStore for VaultBackend {
    async fn save(&self, device: &Device) -> StoreResult<()> {
        let row = Row {
            world: self.world.name(),
            device,
        };
        self.put(KeyKind::Device, text(ROW), to_json(&row)?).await
    }

    async fn load(&self) -> StoreResult<Option<Device>> {
        let Some(bytes) = self.get_now(KeyKind::Device, text(ROW)).await? else {
            return Ok(None);
        };
        let row: StoredRow = from_json(&bytes)?;
        if row.world == self.world.name() {
            Ok(Some(row.device))
        } else {
            Err(StoreError::Validation(format!(
                "these keys belong to the {} world",
                row.world
            )))
        }
    }

    async fn exists(&self) -> StoreResult<bool> {
        Ok(self.get_now(KeyKind::Device, text(ROW)).await?.is_some())
    }

    async fn create(&self) -> StoreResult<i32> {
        self.save(&Device::new()).await?;
        Ok(UPSTREAM_ID)
    }

    async fn snapshot_db(&self, _name: &str, _extra_content: Option<&[u8]>) -> StoreResult<()> {
        // A debugging aid that would write keys to disk outside the database.
        Ok(())
    }

    async fn resource_report(&self) -> StorageResourceReport {
        StorageResourceReport::default()
    }
}

//! What clients see of API keys.

use serde::Serialize;
use utoipa::ToSchema;
use wagate_domain::accounts::IssuedKey;
use wagate_domain::model::{ApiKey, ApiKeyId, DeviceId, KeyReach};

use super::view::time;

/// An API key, without the key.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(super) struct ApiKeyView {
    /// Its id.
    #[schema(value_type = String, example = "key_01K0000000000000000000000A")]
    id: ApiKeyId,
    /// What people call it.
    name: String,
    /// How the key begins, to tell it from others.
    #[schema(example = "wg_3q2-7w")]
    prefix: String,
    /// What it may do: `all`, or some of `read`, `send` and `manage`.
    scope: Vec<&'static str>,
    /// The id of the one device that it is for.
    #[schema(value_type = Option<String>, required = true)]
    device: Option<DeviceId>,
    /// The workspace whose devices it is for.
    #[schema(required = true)]
    workspace: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was last used, to a minute.
    #[schema(format = DateTime, required = true)]
    last_used_at: Option<String>,
}

/// An API key and what to call with, shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKeyWithKey)]
pub(super) struct IssuedKeyView {
    #[serde(flatten)]
    about: ApiKeyView,
    /// The key. It is not shown again.
    key: String,
}

impl From<ApiKey> for ApiKeyView {
    fn from(key: ApiKey) -> Self {
        let (device, workspace) = match key.scope.reach() {
            KeyReach::Everything => (None, None),
            KeyReach::Device(id) => (Some(*id), None),
            KeyReach::Workspace(name) => (None, Some(name.to_string())),
        };
        Self {
            id: key.id,
            name: key.name.to_string(),
            prefix: key.prefix,
            scope: key.scope.words(),
            device,
            workspace,
            created_at: time(key.created_at),
            last_used_at: key.last_used_at.map(time),
        }
    }
}

impl From<IssuedKey> for IssuedKeyView {
    fn from(issued: IssuedKey) -> Self {
        Self {
            key: issued.plain.reveal().to_owned(),
            about: issued.key.into(),
        }
    }
}

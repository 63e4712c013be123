//! Typed ids: a prefix that says what it is, and a ULID, so that ids sort by time of creation.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::{Error, Result};

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $field:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Ulid);

        impl $name {
            /// Wraps a ULID made by an [`IdSource`](crate::ports::IdSource).
            pub fn new(ulid: Ulid) -> Self {
                Self(ulid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                text.strip_prefix($prefix)
                    .and_then(|rest| Ulid::from_string(rest).ok())
                    .map(Self)
                    .ok_or_else(|| Error::invalid($field, format!("not an id of the form {}…", $prefix)))
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

typed_id!(
    /// A device: one linked WhatsApp number, or one waiting to be linked.
    DeviceId, "dev_", "device_id"
);
typed_id!(
    /// An event as stored; also the `webhook-id` that receivers deduplicate on.
    EventId, "evt_", "event_id"
);
typed_id!(
    /// A webhook endpoint.
    WebhookId, "whk_", "webhook_id"
);
typed_id!(
    /// One event on its way to one endpoint.
    DeliveryId, "dlv_", "delivery_id"
);
typed_id!(
    /// Somebody who may sign in and do everything.
    AdminId, "adm_", "admin_id"
);
typed_id!(
    /// A key that programs call with.
    ApiKeyId, "key_", "api_key_id"
);
typed_id!(
    /// Long work that goes on after the request that began it.
    JobId, "job_", "job_id"
);

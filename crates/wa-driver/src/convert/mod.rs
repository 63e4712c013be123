//! Between WhatsApp's protobuf and the domain: pure functions, and the only place with protobuf types.

pub(crate) mod call;
pub(crate) mod contact;
pub(crate) mod group;
pub(crate) mod incoming;
pub(crate) mod jid;
pub(crate) mod outgoing;
pub(crate) mod party;
pub(crate) mod raw;
pub(crate) mod receipt;
pub(crate) mod typing;

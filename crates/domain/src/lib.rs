//! The core of wagate: values, ports and use cases. No I/O and no framework, so that a service can
//! embed the gateway without HTTP.
//!
//! Start reading at [`Gateway`]: every use case is one of its methods, and what it needs from the
//! world comes in through the traits of [`ports`]. Signing in stands beside it: [`Accounts`].

pub mod accounts;
pub mod dispatch;
pub mod error;
pub mod gateway;
pub mod model;
pub mod ports;
#[cfg(feature = "testing")]
pub mod testing;

pub use accounts::{Accounts, AccountsParts};
pub use dispatch::{Dispatch, Inbox, Parcel};
pub use error::{Error, Needs, Result};
pub use gateway::{Gateway, GatewayParts, GatewaySettings};

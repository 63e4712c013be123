//! Signing in: the first admin, sessions of browsers, keys of programs, and what keeps guessing slow. Beside the
//! [`Gateway`](crate::Gateway), because whoever embeds that has accounts of their own.

mod api_keys;
mod core;
mod keyring;
mod throttle;

pub use self::api_keys::{IssuedKey, NewApiKey};
pub use self::core::{Accounts, AccountsParts, NewAdmin, Recognized, SignedIn};

//! Signing in: the first admin, sessions of browsers, and what keeps guessing slow. Beside the
//! [`Gateway`](crate::Gateway), because whoever embeds that has accounts of their own.

mod core;
mod throttle;

pub use self::core::{Accounts, AccountsParts, NewAdmin, Recognized, SignedIn};

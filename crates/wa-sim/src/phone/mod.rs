//! The simulated person: a primary device with real Signal keys, an address book and a thumb on the screen.

pub mod content;
pub mod control;
pub mod files;
pub mod keys;
pub mod link;
pub mod receive;
pub mod retry;
pub mod send;
pub mod signal;
pub mod store;

#[cfg(test)]
mod tests;

//! The control API: how a test or a person drives the simulated people. One file per resource.

mod calls;
mod camera;
mod faults;
mod fetch;
mod groups;
mod ledger;
mod messages;
mod page;
mod pairing;
mod phones;
mod presence;
mod reply;
mod routes;

pub(crate) use routes::routes;

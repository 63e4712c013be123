//! Durable webhook delivery: what the gateway has recorded is signed and posted until the receiver
//! says yes or the schedule ends. Start reading at [`Worker`]; one delivery's way is in `attempt`.

mod attempt;
mod backoff;
mod post;
mod request;
mod verdict;
mod worker;

pub use backoff::Schedule;
pub use post::{Post, PostError, Response};
pub use request::Request;
pub use worker::{Worker, WorkerSettings};

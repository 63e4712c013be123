//! Durable webhook delivery: what the gateway has recorded is signed and posted until the receiver says yes
//! or the schedule ends. Start reading at [`Worker`]; one delivery's way is in `attempt`, who may have how
//! much under way in `endpoints`, what becomes of outcomes in `settling`.

mod arrival;
mod attempt;
mod backoff;
mod endpoints;
mod look;
mod pipeline;
mod post;
mod record;
mod request;
mod reserved;
mod settings;
mod settling;
mod tester;
mod verdict;
mod worker;

pub use backoff::Schedule;
pub use bytes::Bytes;
pub use post::{Post, PostError, Response, ResponseBody};
pub use request::Request;
pub use settings::WorkerSettings;
pub use tester::Tester;
pub use worker::Worker;

//! Upstream's tasks run inside the session's own span, so that every log line tells which device it is
//! about: upstream does not know our ids.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tracing::{Instrument as _, Span};
use whatsapp_rust::TokioRuntime;
use whatsapp_rust::wacore::runtime::{AbortHandle, Runtime};

type Task = Pin<Box<dyn Future<Output = ()> + Send + 'static>>;

/// Tokio, in a span.
pub(crate) struct SessionRuntime {
    span: Span,
}

impl SessionRuntime {
    pub(crate) fn new(span: Span) -> Self {
        Self { span }
    }
}

impl Runtime for SessionRuntime {
    fn spawn(&self, future: Task) -> AbortHandle {
        TokioRuntime.spawn(Box::pin(future.instrument(self.span.clone())))
    }

    fn spawn_detached(&self, future: Task) {
        TokioRuntime.spawn_detached(Box::pin(future.instrument(self.span.clone())));
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        TokioRuntime.sleep(duration)
    }

    fn spawn_blocking(
        &self,
        work: Box<dyn FnOnce() + Send + 'static>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let span = self.span.clone();
        TokioRuntime.spawn_blocking(Box::new(move || span.in_scope(work)))
    }

    fn yield_now(&self) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        TokioRuntime.yield_now()
    }
}

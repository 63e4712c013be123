//! What a key may ask for. Every operation is in [`OPERATIONS`]; what is not there is open to nobody whose key is
//! limited.

#[cfg(test)]
mod tests;

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::ServiceRequest;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use wagate_domain::Error;
use wagate_domain::model::{
    ApiKey, Job, JobId, JobKind, KeyAction, KeyReach, KeyScope, Token, WorkspaceName,
};

use crate::problem::Problem;
use crate::query::QueryFields;
use crate::state::ApiState;

/// Who calls.
#[derive(Clone)]
pub(crate) enum Caller {
    /// The key of the configuration, or an admin who is signed in: may do everything.
    Admin,
    /// Whoever has a key that was made, also in a browser.
    Key(Arc<ApiKey>),
}

/// What a key lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lack {
    /// The scope `all`.
    All,
    /// An action.
    Action(KeyAction),
    /// The key is for one device or workspace, and this is about something else.
    Reach,
}

/// What an operation asks of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Nothing: any key will do.
    Any,
    /// An action, on something.
    May(KeyAction, About),
    /// Everything.
    All,
}

/// What an operation is about, and where it says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// The device whose token follows `/v1/devices/` in the path.
    Path,
    /// The device that the query has to name when the key is for one.
    Query,
    /// The device that [`SeedInput`](crate::extract::SeedInput) reads, which looks at the key's reach itself.
    Input,
    /// The device of the job that follows `/v1/jobs/` in the path.
    Job,
    /// Devices, of the workspace that the query has to name when the key is for one.
    Listed,
    /// Everybody, or what belongs to nobody.
    Everybody,
}

const READ: KeyAction = KeyAction::Read;
const SEND: KeyAction = KeyAction::Send;
const MANAGE: KeyAction = KeyAction::Manage;

/// Every operation behind a key: its method, its path as it is routed, and what it asks for.
#[rustfmt::skip] // A table is read line by line.
const OPERATIONS: &[(&str, &str, Class)] = &[
    ("GET", "/v1/devices", Class::May(READ, About::Listed)),
    ("POST", "/v1/devices", Class::May(MANAGE, About::Everybody)),
    ("GET", "/v1/devices/{device}", Class::May(READ, About::Path)),
    ("PATCH", "/v1/devices/{device}", Class::May(MANAGE, About::Path)),
    ("DELETE", "/v1/devices/{device}", Class::May(MANAGE, About::Path)),
    ("GET", "/v1/devices/{device}/session", Class::May(READ, About::Path)),
    ("POST", "/v1/devices/{device}/session/start", Class::May(MANAGE, About::Path)),
    ("POST", "/v1/devices/{device}/session/reconnect", Class::May(MANAGE, About::Path)),
    ("POST", "/v1/devices/{device}/session/log-out", Class::May(MANAGE, About::Path)),
    ("POST", "/v1/devices/{device}/session/pair", Class::May(MANAGE, About::Path)),
    ("GET", "/v1/devices/{device}/contacts", Class::May(READ, About::Path)),
    ("GET", "/v1/devices/{device}/groups", Class::May(READ, About::Path)),
    ("GET", "/v1/devices/{device}/groups/{id}", Class::May(READ, About::Path)),
    ("GET", "/v1/devices/{device}/messages", Class::May(READ, About::Path)),
    ("POST", "/v1/devices/{device}/messages", Class::May(SEND, About::Path)),
    ("GET", "/v1/devices/{device}/messages/{id}", Class::May(READ, About::Path)),
    ("GET", "/v1/devices/{device}/chats", Class::May(READ, About::Path)),
    ("GET", "/v1/devices/{device}/chats/{jid}", Class::May(READ, About::Path)),
    ("GET", "/v1/devices/{device}/chats/{jid}/messages", Class::May(READ, About::Path)),
    // It tells whoever wrote.
    ("POST", "/v1/devices/{device}/chats/{jid}/read", Class::May(SEND, About::Path)),
    ("PUT", "/v1/devices/{device}/chats/{jid}/typing", Class::May(SEND, About::Path)),
    // It asks WhatsApp in the account's name.
    ("POST", "/v1/devices/{device}/number-checks", Class::May(SEND, About::Path)),
    ("GET", "/v1/jobs", Class::May(READ, About::Query)),
    ("GET", "/v1/jobs/{id}", Class::May(READ, About::Job)),
    ("GET", "/v1/jobs/{id}/results", Class::May(READ, About::Job)),
    // What began the job may stop it: which that is, the operation looks at itself.
    ("POST", "/v1/jobs/{id}/cancel", Class::Any),
    ("GET", "/v1/workspaces", Class::May(READ, About::Everybody)),
    // What is done to a workspace is done to its keys.
    ("PATCH", "/v1/workspaces/{workspace}", Class::All),
    ("DELETE", "/v1/workspaces/{workspace}", Class::All),
    ("GET", "/v1/events", Class::May(READ, About::Query)),
    ("GET", "/v1/stream", Class::May(READ, About::Query)),
    ("GET", "/v1/webhooks", Class::May(READ, About::Everybody)),
    ("POST", "/v1/webhooks", Class::May(MANAGE, About::Everybody)),
    ("GET", "/v1/webhooks/{id}", Class::May(READ, About::Everybody)),
    ("PATCH", "/v1/webhooks/{id}", Class::May(MANAGE, About::Everybody)),
    ("DELETE", "/v1/webhooks/{id}", Class::May(MANAGE, About::Everybody)),
    ("POST", "/v1/webhooks/{id}/rotate-secret", Class::May(MANAGE, About::Everybody)),
    ("POST", "/v1/webhooks/{id}/test", Class::May(MANAGE, About::Everybody)),
    ("POST", "/v1/webhooks/{id}/replay", Class::May(MANAGE, About::Everybody)),
    ("GET", "/v1/deliveries", Class::May(READ, About::Everybody)),
    ("GET", "/v1/deliveries/{id}", Class::May(READ, About::Everybody)),
    ("POST", "/v1/deliveries/{id}/replay", Class::May(MANAGE, About::Everybody)),
    ("GET", "/v1/health", Class::May(READ, About::Everybody)),
    ("GET", "/v1/settings", Class::May(READ, About::Everybody)),
    ("PATCH", "/v1/settings", Class::All),
    ("GET", "/v1/openapi.json", Class::Any),
    ("GET", "/v1/event-types", Class::Any),
    // Signing in and asking who is signed in are open to everybody; whoever is signed in may sign out.
    ("DELETE", "/v1/sign-in", Class::Any),
    ("GET", "/v1/api-keys", Class::All),
    ("POST", "/v1/api-keys", Class::All),
    ("GET", "/v1/api-keys/{id}", Class::All),
    ("DELETE", "/v1/api-keys/{id}", Class::All),
    ("POST", "/api/start", Class::May(MANAGE, About::Input)),
    ("GET", "/api/qrcode", Class::May(MANAGE, About::Input)),
    ("POST", "/api/qrcode", Class::May(MANAGE, About::Input)),
    ("POST", "/api/pair", Class::May(MANAGE, About::Input)),
    ("GET", "/api/status", Class::May(READ, About::Input)),
    ("POST", "/api/status", Class::May(READ, About::Input)),
    ("POST", "/api/send", Class::May(SEND, About::Input)),
    ("GET", "/api/contacts", Class::May(READ, About::Input)),
    ("GET", "/api/groups", Class::May(READ, About::Input)),
    ("POST", "/api/logout", Class::May(MANAGE, About::Input)),
    ("POST", "/api/reconnect", Class::May(MANAGE, About::Input)),
    ("GET", "/api/devices", Class::May(READ, About::Listed)),
    ("DELETE", "/api/device", Class::May(MANAGE, About::Input)),
    ("POST", "/api/webhook", Class::May(MANAGE, About::Input)),
    // It would give the device to whoever has a key for the other workspace.
    ("POST", "/api/workspace", Class::May(MANAGE, About::Everybody)),
    ("GET", "/api/workspaces", Class::May(READ, About::Everybody)),
    ("GET", "/metrics", Class::May(READ, About::Everybody)),
];

/// Lets the caller in, as far as can be seen without the body, and leaves who it is for the handler.
pub(crate) async fn admit(caller: Caller, request: &ServiceRequest, state: &ApiState) -> Result<(), Problem> {
    if let Caller::Key(key) = &caller
        && let KeyScope::Limited { actions, reach } = &key.scope
    {
        look(actions, reach, request, state).await?;
    }
    request.extensions_mut().insert(caller);
    Ok(())
}

async fn look(
    actions: &[KeyAction],
    reach: &KeyReach,
    request: &ServiceRequest,
    state: &ApiState,
) -> Result<(), Problem> {
    // As the router reads it: with escapes undone.
    let path = request.match_info().as_str();
    let about = match class(request.method().as_str(), path) {
        Some(Class::Any) => return Ok(()),
        Some(Class::May(action, about)) if actions.contains(&action) => about,
        Some(Class::May(action, _)) => return Err(Problem::ScopeMissing(Lack::Action(action))),
        // There is nothing to be kept from.
        None if request.resource_map().match_pattern(path).is_none() => return Ok(()),
        Some(Class::All) | None => return Err(Problem::ScopeMissing(Lack::All)),
    };
    let query = || QueryFields::parse(request.query_string()).ok();
    let reached = match (about, reach) {
        (_, KeyReach::Everything) | (About::Input, _) => true,
        (About::Path, _) => match device_in(path).and_then(|token| token.parse().ok()) {
            Some(token) => within(reach, &token, state).await?,
            None => false,
        },
        (About::Query, _) => match query().and_then(|query| query.read("device").ok().flatten()) {
            Some(token) => within(reach, &token, state).await?,
            None => false,
        },
        (About::Job, _) => match job_in(path).and_then(|id| state.gateway.get_job(id).ok()) {
            Some(job) => reaches_job(reach, &job, state).await?,
            None => false,
        },
        (About::Listed, KeyReach::Workspace(own)) => {
            let asked = query().and_then(|query| query.get("workspace")?.parse::<WorkspaceName>().ok());
            asked.as_ref() == Some(own)
        }
        (About::Listed, KeyReach::Device(_)) | (About::Everybody, _) => false,
    };
    reached.then_some(()).ok_or(Problem::ScopeMissing(Lack::Reach))
}

/// The part of the path that names the device.
fn device_in(path: &str) -> Option<&str> {
    path.strip_prefix("/v1/devices/")?.split('/').next()
}

/// The part of the path that names the job.
fn job_in(path: &str) -> Option<JobId> {
    path.strip_prefix("/v1/jobs/")?.split('/').next()?.parse().ok()
}

/// Whether a key of this reach reaches what the job is about. Endpoints are everybody's.
async fn reaches_job(reach: &KeyReach, job: &Job, state: &ApiState) -> Result<bool, Error> {
    match (&job.kind, reach) {
        (_, KeyReach::Everything) => Ok(true),
        (JobKind::NumberCheck { token, .. }, _) => within(reach, token, state).await,
        (JobKind::WebhookReplay { .. }, _) => Ok(false),
    }
}

/// Whether a key of this reach reaches the device. One that does not exist is out of reach like any other: a key tells
/// nothing about devices that are not its own.
async fn within(reach: &KeyReach, token: &Token, state: &ApiState) -> Result<bool, Error> {
    let device = match state.gateway.get_device(token).await {
        Ok(status) => status.device,
        Err(Error::NotFound { .. }) => return Ok(false),
        Err(error) => return Err(error),
    };
    Ok(match reach {
        KeyReach::Everything => true,
        KeyReach::Device(id) => device.id == *id,
        KeyReach::Workspace(name) => device.workspace.as_ref() == Some(name),
    })
}

fn class(method: &str, path: &str) -> Option<Class> {
    let found = OPERATIONS
        .iter()
        .find(|(of, pattern, _)| *of == method && fits(pattern, path));
    found.map(|(_, _, class)| *class)
}

/// Whether the path has the form of the pattern, part by part.
fn fits(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given => {}
            (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() => {}
            _ => return false,
        }
    }
}

impl Caller {
    /// Refuses whoever has a key for one device or workspace.
    pub(crate) fn reaches_everything(&self) -> Result<(), Problem> {
        match self {
            Self::Key(key) if *key.scope.reach() != KeyReach::Everything => {
                Err(Problem::ScopeMissing(Lack::Reach))
            }
            Self::Admin | Self::Key(_) => Ok(()),
        }
    }

    /// Refuses whoever has a key for other devices than this.
    pub(crate) async fn reaches(&self, token: &Token, state: &ApiState) -> Result<(), Problem> {
        match self {
            Self::Admin => Ok(()),
            Self::Key(key) => match key.scope.reach() {
                KeyReach::Everything => Ok(()),
                reach if within(reach, token, state).await? => Ok(()),
                _ => Err(Problem::ScopeMissing(Lack::Reach)),
            },
        }
    }

    /// Refuses whoever has a key that could not have begun this job.
    pub(crate) async fn may_stop(&self, job: &Job, state: &ApiState) -> Result<(), Problem> {
        let Self::Key(key) = self else { return Ok(()) };
        let KeyScope::Limited { actions, reach } = &key.scope else {
            return Ok(());
        };
        let action = match &job.kind {
            JobKind::NumberCheck { .. } => SEND,
            JobKind::WebhookReplay { .. } => MANAGE,
        };
        if !actions.contains(&action) {
            return Err(Problem::ScopeMissing(Lack::Action(action)));
        }
        let reached = reaches_job(reach, job, state).await?;
        reached.then_some(()).ok_or(Problem::ScopeMissing(Lack::Reach))
    }

    /// Returns once the caller's key is none any more; never for others.
    pub(crate) async fn revoked(self, state: ApiState) {
        match self {
            Self::Admin => std::future::pending().await,
            Self::Key(key) => state.accounts.key_revoked(key.id).await,
        }
    }

    /// Who it is, as [`admit`] left it.
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let known = request.extensions().get::<Self>().cloned();
        known.ok_or_else(|| Error::Unauthenticated.into())
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut actix_web::dev::Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

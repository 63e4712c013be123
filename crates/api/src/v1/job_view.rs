//! A job as it is shown, and what a number check found.

use serde::Serialize;
use utoipa::ToSchema;
use wagate_domain::model::{CheckedNumber, Job, JobKind, JobState, NumberFound};

use super::problem::ProblemView;
use super::view::time;
use super::wording::Language;

/// Long work that goes on after the request that began it.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
pub(super) struct JobView {
    /// Its id.
    id: String,
    /// `number_check` or `webhook_replay`.
    kind: &'static str,
    /// `running`, `done`, `cancelled` or `failed`.
    state: &'static str,
    /// How many of `total` are dealt with.
    done: u64,
    /// How many there are.
    total: u64,
    /// The token of the device that it is about.
    #[schema(required = true)]
    device: Option<String>,
    /// The id of the endpoint that it is about.
    #[schema(required = true)]
    webhook: Option<String>,
    /// When it began.
    #[schema(format = DateTime)]
    started_at: String,
    /// When it ended.
    #[schema(required = true, format = DateTime)]
    ended_at: Option<String>,
    /// Where what it found can be read, also while it goes on.
    #[schema(required = true, format = "uri-reference")]
    results: Option<String>,
    /// Why it could not go on.
    #[schema(required = true)]
    failure: Option<ProblemView>,
}

impl JobView {
    pub(super) fn new(job: &Job, language: Language) -> Self {
        let results = match &job.kind {
            JobKind::NumberCheck { .. } => Some(format!("/v1/jobs/{}/results", job.id)),
            JobKind::WebhookReplay { .. } => None,
        };
        let failure = match &job.state {
            JobState::Failed(error) => Some(ProblemView::told(error, language)),
            JobState::Running | JobState::Done | JobState::Cancelled => None,
        };
        let (device, webhook) = match &job.kind {
            JobKind::NumberCheck { token, .. } => (Some(token.to_string()), None),
            JobKind::WebhookReplay { webhook } => (None, Some(webhook.to_string())),
        };
        Self {
            id: job.id.to_string(),
            kind: job.kind.as_str(),
            state: job.state.as_str(),
            done: job.done,
            total: job.total,
            device,
            webhook,
            started_at: time(job.started_at),
            ended_at: job.ended_at.map(time),
            results,
            failure,
        }
    }
}

/// What came of one number.
#[derive(Serialize, ToSchema)]
#[schema(as = CheckedNumber)]
pub(super) struct CheckedNumberView {
    /// As it was given; the first 64 characters of it.
    number: String,
    /// As it was understood, with its country code; null when it is no number.
    #[schema(required = true)]
    phone: Option<String>,
    /// The account that WhatsApp knows it by, which may have other digits; null when it has none.
    #[schema(required = true)]
    jid: Option<String>,
    /// Whether it has an account; null while that is not known.
    #[schema(required = true)]
    registered: Option<bool>,
    /// Why it cannot be read.
    #[schema(required = true)]
    problem: Option<ProblemView>,
}

impl CheckedNumberView {
    pub(super) fn new(line: CheckedNumber, language: Language) -> Self {
        let mut view = Self {
            number: line.number,
            phone: None,
            jid: None,
            registered: None,
            problem: None,
        };
        match line.found {
            NumberFound::Unreadable(error) => view.problem = Some(ProblemView::told(&error, language)),
            NumberFound::Unknown(phone) => view.phone = Some(phone.to_string()),
            NumberFound::Known(phone, jid) => {
                view.phone = Some(phone.to_string());
                view.registered = Some(jid.is_some());
                view.jid = jid.map(|jid| jid.to_string());
            }
        }
        view
    }
}

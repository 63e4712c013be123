//! `/v1/jobs`: long work, how far it has come, and stopping it.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use utoipa::IntoParams;
use wagate_domain::model::{CursorQuery, JobId, Line, Token, WebhookId};
use wagate_domain::{Error, Result};

use super::extract::{Body, Named, NoFields, NoQuery, Params};
use super::job_view::{CheckedNumberView, JobView};
use super::problem::{PROBLEM_JSON, ProblemView};
use super::view::PageView;
use super::wording::Language;
use crate::access::Caller;
use crate::problem::Problem;
use crate::query::QueryFields;
use crate::state::ApiState;

/// Which jobs.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct JobsQuery {
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<JobId>,
    /// Most jobs on the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: u32,
    /// Only those about the device with this token.
    #[param(value_type = Option<String>)]
    device: Option<Token>,
    /// Only those about the endpoint with this id.
    #[param(value_type = Option<String>)]
    webhook: Option<WebhookId>,
}

impl TryFrom<QueryFields> for JobsQuery {
    type Error = Error;

    fn try_from(query: QueryFields) -> Result<Self> {
        Ok(Self {
            after: query.read("after")?,
            limit: query.limit()?,
            device: query.read("device")?,
            webhook: query.read("webhook")?,
        })
    }
}

/// Which lines.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct JobResultsQuery {
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Line>,
    /// Most lines on the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: u32,
}

impl TryFrom<QueryFields> for JobResultsQuery {
    type Error = Error;

    fn try_from(query: QueryFields) -> Result<Self> {
        Ok(Self {
            after: query.read("after")?,
            limit: query.limit()?,
        })
    }
}

/// Lists jobs.
///
/// The newest first: those that run, and of those that ended the last hundred. The gateway forgets them when it is
/// started anew.
#[utoipa::path(
    get,
    path = "/v1/jobs",
    tag = "jobs",
    params(JobsQuery),
    responses(
        (status = 200, description = "One page of jobs", body = PageView<JobView>),
        (status = 404, description = "There is no such device", body = ProblemView, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn list_jobs(
    state: Data<ApiState>,
    request: HttpRequest,
    query: Params<JobsQuery>,
) -> Result<Json<PageView<JobView>>, Problem> {
    let JobsQuery {
        after,
        limit,
        device,
        webhook,
    } = query.0;
    let cursor = CursorQuery::new(after, limit);
    let page = state.gateway.list_jobs(device.as_ref(), webhook, cursor).await?;
    let language = Language::of(&request);
    Ok(Json(PageView::new(page, |job| JobView::new(&job, language))))
}

/// Gives one job.
#[utoipa::path(
    get,
    path = "/v1/jobs/{id}",
    tag = "jobs",
    params(("id" = String, Path, description = "The job's id")),
    responses((status = 200, description = "The job", body = JobView)),
)]
pub(super) async fn get_job(
    state: Data<ApiState>,
    request: HttpRequest,
    id: Named<JobId>,
    _: Params<NoQuery>,
) -> Result<Json<JobView>, Problem> {
    let job = state.gateway.get_job(id.0)?;
    Ok(Json(JobView::new(&job, Language::of(&request))))
}

/// Lists what a number check found.
///
/// Line by line, in the order in which the numbers were given; also while it goes on, and after it was cancelled or
/// failed. Other jobs find nothing.
#[utoipa::path(
    get,
    path = "/v1/jobs/{id}/results",
    tag = "jobs",
    params(("id" = String, Path, description = "The job's id"), JobResultsQuery),
    responses((status = 200, description = "One page of lines", body = PageView<CheckedNumberView>)),
)]
pub(super) async fn list_job_results(
    state: Data<ApiState>,
    request: HttpRequest,
    id: Named<JobId>,
    query: Params<JobResultsQuery>,
) -> Result<Json<PageView<CheckedNumberView>>, Problem> {
    let cursor = CursorQuery::new(query.0.after, query.0.limit);
    let page = state.gateway.list_job_results(id.0, cursor)?;
    let language = Language::of(&request);
    Ok(Json(PageView::new(page, |line| {
        CheckedNumberView::new(line, language)
    })))
}

/// Stops a job.
///
/// A number check keeps what it found. Of a replay, the deliveries that nobody has tried yet stand as they did before,
/// and can be asked for again; the others go on. A job that is over stays as it is. A key needs what it takes to begin
/// such a job: `send` for a number check, `manage` for a replay.
#[utoipa::path(
    post,
    path = "/v1/jobs/{id}/cancel",
    tag = "jobs",
    params(("id" = String, Path, description = "The job's id")),
    responses((status = 200, description = "The job: `cancelled`, or `running` when it takes longer to stop it", body = JobView)),
)]
pub(super) async fn cancel_job(
    state: Data<ApiState>,
    request: HttpRequest,
    caller: Caller,
    id: Named<JobId>,
    _: Params<NoQuery>,
    _: Body<NoFields>,
) -> Result<Json<JobView>, Problem> {
    caller.may_stop(&state.gateway.get_job(id.0)?, &state).await?;
    let job = state
        .run(|gateway| async move { gateway.cancel_job(id.0).await })
        .await?;
    Ok(Json(JobView::new(&job, Language::of(&request))))
}

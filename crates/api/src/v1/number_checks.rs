//! `/v1/devices/{device}/number-checks`: which of many numbers have an account.

use actix_web::http::header::LOCATION;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::ToSchema;
use wagate_domain::Result;
use wagate_domain::model::Token;

use super::extract::{Body, Named, NoQuery, Params};
use super::fields::numbers;
use super::job_view::JobView;
use super::problem::{PROBLEM_JSON, ProblemView};
use super::wording::Language;
use crate::extract::Field;
use crate::problem::Problem;
use crate::state::ApiState;

/// Numbers to look for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CheckNumbers)]
pub(super) struct CheckNumbersBody {
    /// 1 to 10,000 numbers in any human form. One that cannot be read is told in its line.
    #[schema(value_type = Vec<String>, example = json!(["+62 812-3456-789", "08123456780"]))]
    numbers: Field,
}

/// Finds out which numbers are on WhatsApp.
///
/// WhatsApp is asked for 50 at a time, unless it was asked lately. When the session is lost meanwhile the job fails, and
/// keeps what it has.
#[utoipa::path(
    post,
    path = "/v1/devices/{device}/number-checks",
    tag = "jobs",
    params(("device" = String, Path, description = "The device's token")),
    request_body = CheckNumbersBody,
    responses(
        (status = 202, description = "The job that does it", body = JobView,
         headers(("Location" = String, description = "Where to ask how far it has come"))),
        (status = 409, description = "The device is not linked or not connected, or checks other numbers already", body = ProblemView, content_type = PROBLEM_JSON),
        (status = 429, description = "Too many jobs run: come back after `Retry-After` seconds", body = ProblemView, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn check_numbers(
    state: Data<ApiState>,
    request: HttpRequest,
    device: Named<Token>,
    _: Params<NoQuery>,
    body: Body<CheckNumbersBody>,
) -> Result<HttpResponse, Problem> {
    let numbers = numbers(body.0.numbers)?;
    let job = state
        .run(|gateway| async move { gateway.check_numbers(&device.0, numbers).await })
        .await?;
    Ok(HttpResponse::Accepted()
        .insert_header((LOCATION, format!("/v1/jobs/{}", job.id)))
        .json(JobView::new(&job, Language::of(&request))))
}

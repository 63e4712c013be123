//! Errors of `/v1` as RFC 9457 problems.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LANGUAGE, CONTENT_TYPE, HeaderValue, VARY};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;
use wagate_domain::Error;

use super::wording::{Language, told};
use crate::problem::Problem;
use crate::request_id::RequestId;

/// The media type of a problem.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// Where a problem's page stands.
const PAGES: &str = "/docs/problems/";

/// Why a request got no answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemView {
    /// What kind of problem: `/docs/problems/` and the code.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference")]
    kind: String,
    /// The kind in a few words.
    title: String,
    /// The status, once more.
    status: u16,
    /// What is wrong this time, as a sentence in the language that the client asked for.
    detail: String,
    /// Stable code to decide on, such as `device_not_found`.
    code: String,
    /// The request id, as in the header `x-request-id` and in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    /// WhatsApp's own code, with `whatsapp_refused`.
    #[serde(skip_serializing_if = "Option::is_none")]
    wa_code: Option<u16>,
}

impl ProblemView {
    fn new(problem: &Problem, language: Language, instance: Option<String>) -> Self {
        let code = problem.code();
        let (title, detail) = told(problem, language);
        Self {
            kind: format!("{PAGES}{code}"),
            title,
            status: status(problem).as_u16(),
            detail,
            code,
            instance,
            wa_code: problem.wa_code(),
        }
    }
}

impl ProblemView {
    /// What went wrong with something that an answer tells of.
    pub(super) fn told(error: &Error, language: Language) -> Self {
        Self::new(&Problem::from(error.clone()), language, None)
    }
}

/// Writes every error below it as a problem, in a language that the client reads; its headers stay.
pub(crate) async fn as_problem_json(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let response = next.call(request).await?;
    let error = response.response().error();
    let Some(problem) = error.and_then(|error| error.as_error::<Problem>()) else {
        return Ok(response.map_into_left_body());
    };
    let status = status(problem);
    let id = response.request().extensions().get::<RequestId>().cloned();
    let instance = id.and_then(|RequestId(id)| id.to_str().ok().map(ToOwned::to_owned));
    let language = Language::wanted(response.request().headers());
    let body = serde_json::to_vec(&ProblemView::new(problem, language, instance))?;
    Ok(response
        .map_body(|head, _| {
            head.status = status;
            head.headers
                .insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
            head.headers
                .insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
            head.headers
                .append(VARY, HeaderValue::from_static("accept-language"));
            body
        })
        .map_into_right_body())
}

/// Wrong input is "unprocessable" here; a request that cannot be read at all does not get this far.
fn status(problem: &Problem) -> StatusCode {
    match problem {
        Problem::Failed(Error::Invalid { .. }) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => problem.status_code(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(error: Error) -> serde_json::Value {
        let problem = Problem::from(error);
        serde_json::to_value(ProblemView::new(
            &problem,
            Language::English,
            Some("req_1".into()),
        ))
        .unwrap()
    }

    #[test]
    fn a_problem_says_what_is_wrong_and_where_to_read_on() {
        assert_eq!(
            shown(Error::invalid("url", "url must start with http:// or https://")),
            serde_json::json!({
                "type": "/docs/problems/invalid_url",
                "title": "Invalid input",
                "status": 422,
                "detail": "url must start with http:// or https://",
                "code": "invalid_url",
                "instance": "req_1",
            })
        );
    }

    #[test]
    fn a_refusal_tells_the_code_of_whatsapp_and_a_defect_tells_nothing() {
        let refused = Error::Refused {
            wa_code: Some(463),
            text: "no".into(),
        };
        assert_eq!(shown(refused)["wa_code"], 463);
        let internal = shown(Error::internal("a secret of ours"));
        assert_eq!(
            (&internal["status"], &internal["code"]),
            (&500.into(), &"internal".into())
        );
        assert!(!internal.to_string().contains("secret"));
    }
}

//! `/v1/devices/{device}/messages`: sending, and what became of it.

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use wagate_domain::gateway::{MessageRequest, SendOutcome};
use wagate_domain::model::{CursorQuery, MessageId, Token};
use wagate_domain::{Error, Result};

use super::extract::{Body, Named, NoQuery, Params};
use super::fields::{message_id, required};
use super::message_view::{MessageView, SentView};
use super::problem::{PROBLEM_JSON, ProblemView};
use super::view::PageView;
use crate::extract::{Field, text, under};
use crate::idempotency::idempotency;
use crate::problem::Problem;
use crate::query::QueryFields;
use crate::state::ApiState;

/// What to send.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SendMessage)]
pub(super) struct SendMessageBody {
    /// A number in any human form, or a JID of a person, a group or `status@broadcast`.
    #[schema(value_type = String, example = "+62 812-3456-789")]
    to: Field,
    /// Text, or the caption of a file.
    #[schema(value_type = Option<String>, example = "Hello World")]
    text: Field,
    /// Address of a file: `http:`, `https:` or `data:`.
    #[schema(value_type = Option<String>)]
    file_url: Field,
    /// Name shown for the file.
    #[schema(value_type = Option<String>)]
    file_name: Field,
}

impl TryFrom<SendMessageBody> for MessageRequest {
    type Error = Error;

    fn try_from(body: SendMessageBody) -> Result<Self> {
        let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        let request = Self {
            to: required("to", body.to)?,
            text: text("text", body.text)?,
            file_url: text("file_url", body.file_url)?,
            file_name: text("file_name", body.file_name)?,
        };
        if given(&request.text) || given(&request.file_url) {
            Ok(request)
        } else {
            Err(Error::invalid("text", "text or file_url is required"))
        }
    }
}

/// Which messages.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct MessagesQuery {
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<MessageId>,
    /// Most messages on the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: u32,
}

impl TryFrom<QueryFields> for MessagesQuery {
    type Error = Error;

    fn try_from(query: QueryFields) -> Result<Self> {
        let after = query.one("after")?.map(message_id).transpose();
        Ok(Self {
            after: after.map_err(|error| under("after", error))?,
            limit: query.limit()?,
        })
    }
}

/// Sends a message.
///
/// Answers once WhatsApp's server has accepted it. With the header `Idempotency-Key` a retry is safe: the same
/// request under the same key gets the first answer.
#[utoipa::path(
    post,
    path = "/v1/devices/{device}/messages",
    tag = "messages",
    params(
        ("device" = String, Path, description = "The device's token"),
        ("Idempotency-Key" = Option<String>, Header, description = "The client's name for this request"),
    ),
    request_body = SendMessageBody,
    responses(
        (status = 201, description = "WhatsApp's server accepted it", body = SentView,
         headers(("Location" = String, description = "Where to ask what becomes of it"))),
        (status = 409, description = "The device is not linked or not connected, or the first request with this key still runs", body = ProblemView, content_type = PROBLEM_JSON),
        (status = 422, description = "Wrong input; the number is not on WhatsApp; WhatsApp refused the message; or the key was used for another request", body = ProblemView, content_type = PROBLEM_JSON),
        (status = 429, description = "WhatsApp wants us to slow down: come back after `Retry-After` seconds", body = ProblemView, content_type = PROBLEM_JSON),
        (status = 504, description = "No answer in time: it may or may not have been sent", body = ProblemView, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn send_message(
    state: Data<ApiState>,
    request: HttpRequest,
    device: Named<Token>,
    _: Params<NoQuery>,
    body: Body<SendMessageBody>,
) -> Result<HttpResponse, Problem> {
    let (token, message) = (device.0, MessageRequest::try_from(body.0)?);
    let idempotency = idempotency(request.headers(), &token, &message)?;
    let sender = token.clone();
    let outcome = state
        .run(|gateway| async move { gateway.send_message(&sender, message, idempotency).await })
        .await
        .map_err(in_our_words)?;
    match outcome {
        SendOutcome::Sent(sent) => Ok(HttpResponse::Created()
            .insert_header((LOCATION, format!("/v1/devices/{token}/messages/{}", sent.id)))
            .json(SentView::new(&token, sent))),
        SendOutcome::NotOnWhatsApp { phone } => Err(Problem::NotOnWhatsApp { phone }),
    }
}

/// The use case names fields as the older surface does.
fn in_our_words(error: Error) -> Error {
    match error {
        Error::Invalid { field: "phone", .. } => under("to", error),
        Error::Invalid { field: "message", .. } => under("text", error),
        other => other,
    }
}

/// Lists a device's messages.
///
/// The newest first, with what became of each.
#[utoipa::path(
    get,
    path = "/v1/devices/{device}/messages",
    tag = "messages",
    params(("device" = String, Path, description = "The device's token"), MessagesQuery),
    responses((status = 200, description = "One page of messages", body = PageView<MessageView>)),
)]
pub(super) async fn list_messages(
    state: Data<ApiState>,
    device: Named<Token>,
    query: Params<MessagesQuery>,
) -> Result<Json<PageView<MessageView>>, Problem> {
    let query = CursorQuery::new(query.0.after, query.0.limit);
    let page = state.gateway.list_messages(&device.0, query).await?;
    Ok(Json(PageView::new(page, |send| {
        MessageView::new(&device.0, send)
    })))
}

/// Gives one message.
#[utoipa::path(
    get,
    path = "/v1/devices/{device}/messages/{id}",
    tag = "messages",
    params(
        ("device" = String, Path, description = "The device's token"),
        ("id" = String, Path, description = "The message's id"),
    ),
    responses((status = 200, description = "What became of it", body = MessageView)),
)]
pub(super) async fn get_message(
    state: Data<ApiState>,
    device: Named<Token>,
    id: Named<MessageId>,
    _: Params<NoQuery>,
) -> Result<Json<MessageView>, Problem> {
    let send = state.gateway.get_message(&device.0, &id.0).await?;
    Ok(Json(MessageView::new(&device.0, send)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<MessageRequest> {
        MessageRequest::try_from(serde_json::from_str::<SendMessageBody>(json).unwrap())
    }

    #[test]
    fn a_message_has_a_recipient_and_says_something() {
        assert!(read(r#"{"to":"628111111111","text":"hi"}"#).is_ok());
        assert!(read(r#"{"to":"628111111111","file_url":"https://example.com/a.png","text":""}"#).is_ok());
        for (json, code) in [
            (r#"{"text":"hi"}"#, "invalid_to"),
            (r#"{"to":" ","text":"hi"}"#, "invalid_to"),
            (r#"{"to":628111111111,"text":"hi"}"#, "invalid_to"),
            (r#"{"to":"628111111111"}"#, "invalid_text"),
            (r#"{"to":"628111111111","text":"","file_url":""}"#, "invalid_text"),
            (r#"{"to":"628111111111","text":"a\u0000b"}"#, "invalid_text"),
            (
                r#"{"to":"628111111111","text":"hi","file_name":7}"#,
                "invalid_file_name",
            ),
        ] {
            assert_eq!(read(json).unwrap_err().code(), code, "{json}");
        }
    }

    #[test]
    fn fields_that_nobody_knows_are_refused_by_name() {
        let error = serde_json::from_str::<SendMessageBody>(r#"{"phone":"628"}"#)
            .err()
            .unwrap();
        assert!(
            error
                .to_string()
                .contains("unknown field `phone`, expected one of `to`")
        );
    }

    #[test]
    fn complaints_use_the_names_of_this_surface() {
        let error = in_our_words(Error::invalid("phone", "a phone number cannot contain 'x'"));
        assert_eq!(
            (error.code().as_str(), error.to_string().as_str()),
            ("invalid_to", "to: a phone number cannot contain 'x'")
        );
    }
}

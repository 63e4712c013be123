//! `POST /api/send`: a text or a file to a person, a group or the status.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wagate_domain::gateway::{MessageRequest, SendOutcome};
use wagate_domain::model::{MessageId, SentMessage};
use wagate_domain::{Error, Result};

use crate::extract::{Field, SeedInput, text, text_or_number};
use crate::idempotency::idempotency;
use crate::problem::Problem;
use crate::state::ApiState;

#[derive(Deserialize, ToSchema)]
#[schema(as = SeedSend)]
pub(super) struct SendBody {
    /// A number in any human form, or a JID of a person, a group or `status@broadcast`.
    #[schema(value_type = Option<String>)]
    phone: Field,
    /// Text, or the caption of a file.
    #[schema(value_type = Option<String>)]
    message: Field,
    /// Address of a file: `http:`, `https:` or `data:`.
    #[schema(value_type = Option<String>)]
    file_url: Field,
    /// Name shown for the file.
    #[schema(value_type = Option<String>)]
    file_name: Field,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = SeedSent)]
pub(super) enum SendView {
    Sent {
        status: bool,
        phone: String,
        message: &'static str,
        data: SentView,
    },
    NotOnWhatsApp {
        status: bool,
        token: String,
        phone: String,
        message: &'static str,
        code: &'static str,
        #[schema(value_type = Vec<Object>)]
        data: [(); 0],
    },
}

#[derive(Serialize, ToSchema)]
#[schema(as = SeedSentMessage)]
pub(super) struct SentView {
    #[schema(value_type = String)]
    id: MessageId,
    status: bool,
}

/// Sends a message.
///
/// A number without an account is an answer, not an error.
#[utoipa::path(
    post,
    path = "/api/send",
    tag = "seed",
    params(("Idempotency-Key" = Option<String>, Header, description = "The client's name for this request")),
    request_body = SendBody,
    responses((status = 200, description = "WhatsApp accepted it, or the number has no account", body = SendView)),
)]
pub(super) async fn send_message(
    state: Data<ApiState>,
    request: HttpRequest,
    input: SeedInput<SendBody>,
) -> Result<Json<SendView>, Problem> {
    let message = MessageRequest::try_from(input.body)?;
    let idempotency = idempotency(request.headers(), &input.token, &message)?;
    let (token, to) = (input.token.clone(), message.to.clone());
    let outcome = state
        .run(|gateway| async move { gateway.send_message(&input.token, message, idempotency).await })
        .await?;
    Ok(Json(match outcome {
        SendOutcome::Sent(sent) => sent_view(sent, &to),
        SendOutcome::NotOnWhatsApp { phone } => SendView::NotOnWhatsApp {
            status: false,
            token: token.to_string(),
            phone: phone.to_string(),
            message: "Not registered on WhatsApp",
            code: "not_on_whatsapp",
            data: [],
        },
    }))
}

/// `phone` is what WhatsApp knows the number by; a JID comes back as it was given.
fn sent_view(sent: SentMessage, asked: &str) -> SendView {
    let phone = if asked.contains('@') {
        asked.trim().to_owned()
    } else {
        sent.to.user().to_owned()
    };
    SendView::Sent {
        status: true,
        phone,
        message: "Sent",
        data: SentView {
            id: sent.id,
            status: true,
        },
    }
}

impl TryFrom<SendBody> for MessageRequest {
    type Error = Error;

    fn try_from(body: SendBody) -> Result<Self> {
        Ok(Self {
            to: required_phone(body.phone)?,
            text: text("message", body.message)?,
            file_url: text("file_url", body.file_url)?,
            file_name: text("file_name", body.file_name)?,
        })
    }
}

/// The phone as the client wrote it.
pub(super) fn required_phone(field: Field) -> Result<String> {
    let phone = text_or_number("phone", field)?.unwrap_or_default();
    if phone.trim().is_empty() {
        return Err(Error::invalid("phone", "phone is required"));
    }
    Ok(phone)
}

//! `POST /api/send`: a text or a file to a person, a group or the status.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wagate_domain::gateway::{MessageRequest, SendOutcome};
use wagate_domain::model::{Idempotency, IdempotencyKey, MessageId, SentMessage, Token};
use wagate_domain::{Error, Result};

use crate::extract::{Field, SeedInput, text, text_or_number};
use crate::problem::Problem;
use crate::state::ApiState;

const IDEMPOTENCY_KEY: &str = "idempotency-key";

#[derive(Deserialize)]
pub(super) struct SendBody {
    phone: Field,
    message: Field,
    file_url: Field,
    file_name: Field,
}

#[derive(Serialize)]
#[serde(untagged)]
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
        data: [(); 0],
    },
}

#[derive(Serialize)]
pub(super) struct SentView {
    id: MessageId,
    status: bool,
}

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

fn idempotency(headers: &HeaderMap, token: &Token, message: &MessageRequest) -> Result<Option<Idempotency>> {
    let Some(header) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    // What is no visible ASCII fails the key's own rule.
    let key: IdempotencyKey = header.to_str().unwrap_or_default().parse()?;
    Ok(Some(Idempotency {
        key,
        fingerprint: fingerprint(token, message)?,
    }))
}

/// A digest of what was asked for, not of the bytes: field order and blanks do not make another request.
fn fingerprint(token: &Token, message: &MessageRequest) -> Result<[u8; 32]> {
    let MessageRequest {
        to,
        text,
        file_url,
        file_name,
    } = message;
    let canonical =
        serde_json::to_vec(&(token.as_str(), to, text, file_url, file_name)).map_err(Error::internal)?;
    Ok(Sha256::digest(canonical).into())
}

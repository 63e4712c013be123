//! Sending a message, once.

use super::Gateway;
use super::intake::of_change;
use crate::model::event::{Failure, Progress};
use crate::model::{
    Answer, Content, Device, Idempotency, Jid, MessageId, MessageStatus, OutgoingMessage, PhoneNumber,
    SentMessage, Token,
};
use crate::ports::{OutboxEntry, SendBegin};
use crate::{Error, Result};

/// What a client wants sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MessageRequest {
    /// A number in any human form, or a JID.
    pub to: String,
    /// Text, or the caption of a file.
    pub text: Option<String>,
    /// Address of a file: `http:`, `https:` or `data:`.
    pub file_url: Option<String>,
    /// Name shown for the file.
    pub file_name: Option<String>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// WhatsApp's server accepted it.
    Sent(SentMessage),
    /// The number has no WhatsApp account; nothing was sent.
    NotOnWhatsApp {
        /// The number as it was understood.
        phone: PhoneNumber,
    },
}

/// Whom a message is for, before WhatsApp was asked.
enum Recipient {
    Known(Jid),
    Number(PhoneNumber),
}

impl Recipient {
    /// The conversation that it most likely is.
    fn conversation(&self) -> Jid {
        match self {
            Self::Known(jid) => jid.clone(),
            Self::Number(phone) => Jid::phone(phone.digits()),
        }
    }
}

impl Gateway {
    /// Sends a message and returns once WhatsApp's server has accepted it. With an idempotency key,
    /// doing it again gives the first answer; after a crash in between it goes out with the same
    /// message id, so that the recipient sees it once.
    #[tracing::instrument(skip_all, fields(%token))]
    pub async fn send_message(
        &self,
        token: &Token,
        request: MessageRequest,
        idempotency: Option<Idempotency>,
    ) -> Result<SendOutcome> {
        let device = self.device(token).await?;
        let recipient = self.recipient(&device, &request.to)?;
        check_content(&request)?;
        let _running = idempotency
            .as_ref()
            .map(|i| self.run_key(device.id, i.key.as_str()))
            .transpose()?;
        // An answer that was given before is given again whatever the session does now.
        let replayable = self.session(device.id).filter(|_| idempotency.is_some());
        let session = replayable.map_or_else(|| self.connected_session(&device), Ok)?;
        let now = self.parts.clock.now();
        let message = session.new_message_id();
        let entry = OutboxEntry {
            device: device.id,
            to: request.to.trim().into(),
            said: self.said(&message, recipient.conversation(), &request),
            message,
            idempotency,
            at: now,
        };
        let id = match self
            .parts
            .outbox
            .begin(entry, now - self.settings.idempotency_ttl)
            .await?
        {
            SendBegin::Begun(id) => id,
            SendBegin::Answered(id, answer) => return replay(id, answer, recipient),
            SendBegin::KeyReused => return Err(Error::KeyReused),
        };
        let sent = self.send_begun(&device, &id, recipient, request).await;
        self.finish_send(&device, id, &sent).await?;
        sent
    }

    async fn finish_send(&self, device: &Device, id: MessageId, sent: &Result<SendOutcome>) -> Result<()> {
        let (progress, answer) = verdict(id, sent);
        let change = self.intake.status_change(device, progress).await?;
        let deliveries = of_change(&change);
        self.intake
            .dispatch(deliveries, |express| {
                self.parts.outbox.finish(device.id, change, answer, express)
            })
            .await?;
        Ok(())
    }

    async fn send_begun(
        &self,
        device: &Device,
        id: &MessageId,
        recipient: Recipient,
        request: MessageRequest,
    ) -> Result<SendOutcome> {
        let session = self.connected_session(device)?;
        let guess = recipient.conversation();
        let to = match recipient {
            Recipient::Known(jid) => jid,
            Recipient::Number(phone) => match self.account_of(session.as_ref(), &phone).await? {
                Some(jid) => jid,
                None => return Ok(SendOutcome::NotOnWhatsApp { phone }),
            },
        };
        let content = self.content(request).await?;
        self.complete_message(device, id, (&guess, &to), &content).await?;
        let message = OutgoingMessage {
            id: id.clone(),
            to,
            content,
        };
        session.send(&message).await.map(SendOutcome::Sent)
    }

    async fn content(&self, request: MessageRequest) -> Result<Content> {
        let text = request.text.filter(|text| !text.is_empty());
        match request.file_url.filter(|url| !url.is_empty()) {
            None => Ok(Content::Text(text.unwrap_or_default())),
            Some(url) => {
                let file = self.parts.media.fetch(&url).await?;
                let file_name = request.file_name.filter(|name| !name.is_empty());
                let file_name = file_name.or_else(|| file.file_name().map(ToOwned::to_owned));
                Ok(Content::Media {
                    file,
                    caption: text,
                    file_name,
                })
            }
        }
    }

    fn recipient(&self, device: &Device, to: &str) -> Result<Recipient> {
        if to.trim().is_empty() {
            return Err(Error::invalid("phone", "phone is required"));
        }
        if to.contains('@') {
            let jid: Jid = to
                .parse()
                .map_err(|error: Error| Error::invalid("phone", error.to_string()))?;
            return Ok(Recipient::Known(jid.account()));
        }
        Ok(Recipient::Number(PhoneNumber::parse(
            to,
            self.region_for(device),
        )?))
    }
}

fn check_content(request: &MessageRequest) -> Result<()> {
    let given = |field: &Option<String>| field.as_ref().is_some_and(|text| !text.is_empty());
    if given(&request.text) || given(&request.file_url) {
        Ok(())
    } else {
        Err(Error::invalid("message", "message or file_url is required"))
    }
}

/// What the outbox keeps of a send: an answer only where a retry must get the same one.
fn verdict(id: MessageId, sent: &Result<SendOutcome>) -> (Progress, Option<Answer>) {
    let mut progress = Progress {
        id,
        chat: None,
        chat_lid: None,
        status: MessageStatus::Failed,
        failure: None,
    };
    let answer = match sent {
        Ok(SendOutcome::Sent(message)) => {
            progress.status = MessageStatus::Sent;
            progress.chat = Some(message.to.clone());
            Some(Answer::Sent {
                to: message.to.clone(),
                at: message.at,
            })
        }
        Ok(SendOutcome::NotOnWhatsApp { .. }) => {
            progress.failure = Some(Failure {
                code: "not_on_whatsapp".into(),
                wa_code: None,
                text: "the number is not on WhatsApp".into(),
            });
            Some(Answer::NotOnWhatsApp)
        }
        Err(error) => {
            if matches!(error, Error::TimedOut { .. }) {
                progress.status = MessageStatus::Unknown;
            }
            progress.failure = Some(failure(error));
            refusal(error)
        }
    };
    (progress, answer)
}

/// A refusal by WhatsApp is final: a retry with the same key hears it again.
fn refusal(error: &Error) -> Option<Answer> {
    match error {
        Error::Refused { wa_code, text } => Some(Answer::Refused {
            wa_code: *wa_code,
            text: text.clone(),
        }),
        _ => None,
    }
}

fn failure(error: &Error) -> Failure {
    let wa_code = match error {
        Error::Refused { wa_code, .. } => *wa_code,
        _ => None,
    };
    Failure {
        code: error.code(),
        wa_code,
        text: error.to_string(),
    }
}

fn replay(id: MessageId, answer: Answer, recipient: Recipient) -> Result<SendOutcome> {
    match (answer, recipient) {
        (Answer::Sent { to, at }, _) => Ok(SendOutcome::Sent(SentMessage { id, to, at })),
        (Answer::NotOnWhatsApp, Recipient::Number(phone)) => Ok(SendOutcome::NotOnWhatsApp { phone }),
        // The key's fingerprint covers the recipient, so only a number can have been looked up.
        (Answer::NotOnWhatsApp, Recipient::Known(jid)) => Err(Error::internal(format!(
            "{} was never looked up",
            jid.server().as_str()
        ))),
        (Answer::Refused { wa_code, text }, _) => Err(Error::Refused { wa_code, text }),
    }
}

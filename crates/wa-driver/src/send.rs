//! Sending: upload, hand over, and wait for the server's word.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;

use tempfile::NamedTempFile;
use wagate_domain::model::{Content, Jid, MediaFile, MediaKind, MessageId, OutgoingMessage, SentMessage};
use wagate_domain::{Error, Result};
use whatsapp_rust::features::StatusSendOptions;
use whatsapp_rust::wacore::upload::{EncryptedMediaInfo, UploadSource, encrypt_media_streaming};
use whatsapp_rust::waproto::whatsapp::Message;
use whatsapp_rust::{Client, SendOptions};

use crate::convert::jid::to_wa;
use crate::convert::outgoing::{self, Uploaded};
use crate::error::{self, WHATSAPP};
use crate::shared::Shared;

/// Bytes of a message id that are chosen at random.
const ID_BYTES: usize = 9;
/// What ids of messages from linked devices begin with.
const ID_PREFIX: &str = "3EB0";

/// A new message id in the form of WhatsApp's own clients.
pub(crate) fn new_message_id() -> MessageId {
    let random: [u8; ID_BYTES] = rand::random();
    let mut id = String::from(ID_PREFIX);
    id.extend(
        random
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 0xF])
            .map(hex_digit),
    );
    MessageId(id)
}

fn hex_digit(half: u8) -> char {
    char::from_digit(half.into(), 16).map_or('0', |c| c.to_ascii_uppercase())
}

/// Sends, and returns once the server has accepted the message.
pub(crate) async fn send(shared: &Shared, outgoing: &OutgoingMessage) -> Result<SentMessage> {
    let live = shared.connected()?;
    let story = outgoing.to == Jid::status_broadcast();
    let message = live
        .work(prepare(shared, &live.client, outgoing, story), Shared::went_away)
        .await?;
    // From before the message leaves, so that a quick answer is not missed.
    let mut expected = shared.acks.expect(&outgoing.id)?;
    let handed_over = hand_over(shared, &live.client, outgoing, message, story);
    live.work(handed_over, || Error::TimedOut { what: WHATSAPP })
        .await?;
    // The wait goes on when the connection is lost: nothing sends the message again, and its answer may
    // still be on the way.
    let answered = tokio::time::timeout(shared.parts.settings.ack_timeout, expected.answer()).await;
    let ack = answered.map_err(|_| Error::TimedOut { what: WHATSAPP })?;
    if let Some(code) = ack.error {
        return Err(error::nack(&code));
    }
    let at = ack.at.unwrap_or_else(|| shared.clock.now());
    Ok(SentMessage {
        id: outgoing.id.clone(),
        to: outgoing.to.clone(),
        at,
    })
}

async fn prepare(
    shared: &Shared,
    client: &Client,
    outgoing: &OutgoingMessage,
    story: bool,
) -> Result<Message> {
    match &outgoing.content {
        Content::Text(text) if story => Ok(outgoing::story_text(text)),
        Content::Text(text) => Ok(outgoing::text(text)),
        Content::Media {
            file,
            caption,
            file_name,
        } => {
            let uploaded = upload(shared, client, file).await?;
            Ok(outgoing::file(
                uploaded,
                file,
                caption.clone(),
                file_name.as_deref(),
            ))
        }
    }
}

async fn hand_over(
    shared: &Shared,
    client: &Client,
    outgoing: &OutgoingMessage,
    message: Message,
    story: bool,
) -> Result<()> {
    let id = outgoing.id.0.clone();
    let sent = if story {
        let people: Vec<_> = shared.book.people().await?.iter().map(to_wa).collect();
        if people.is_empty() {
            return Err(Error::invalid(
                "to",
                "the phone's address book is empty: nobody would see the story",
            ));
        }
        let options = StatusSendOptions {
            message_id: Some(id),
            ..StatusSendOptions::default()
        };
        Box::pin(client.status().send_raw(message, &people, options)).await
    } else {
        let options = SendOptions::default().with_message_id(id);
        client
            .send_message_with_options(to_wa(&outgoing.to), message, options)
            .await
    };
    sent.map(drop).map_err(|failed| error::send(&failed))
}

/// Encrypts into a file of its own and uploads from there: memory does not grow with the file.
async fn upload(shared: &Shared, client: &Client, file: &MediaFile) -> Result<Uploaded> {
    let _turn = shared.uploads.acquire().await.map_err(Error::internal)?;
    let kind = file.kind();
    let (source, temp_dir) = (file.path().to_owned(), shared.parts.settings.temp_dir.clone());
    let encrypted = tokio::task::spawn_blocking(move || encrypt(&source, kind, &temp_dir));
    let (encrypted, info) = encrypted.await.map_err(Error::internal)??;
    let media_type = outgoing::media_type(kind);
    let uploaded = Box::pin(client.upload_stream(encrypted, info, media_type)).await;
    uploaded.map(Uploaded::from).map_err(|failed| {
        let cause: &(dyn std::error::Error + Send + Sync + 'static) = failed.as_ref();
        match error::request("uploaded a file", cause) {
            Error::Internal(_) => {
                Error::unavailable("media", "WhatsApp's media servers did not take the file")
            }
            known => known,
        }
    })
}

fn encrypt(source: &PathBuf, kind: MediaKind, temp_dir: &PathBuf) -> Result<(Encrypted, EncryptedMediaInfo)> {
    let plain = BufReader::new(File::open(source).map_err(Error::internal)?);
    let target = NamedTempFile::new_in(temp_dir).map_err(Error::internal)?;
    let mut writer = BufWriter::new(target);
    let info = encrypt_media_streaming(plain, &mut writer, outgoing::media_type(kind))
        .map_err(|failed| Error::internal(std::io::Error::other(failed.to_string())))?;
    writer.flush().map_err(Error::internal)?;
    let file = writer
        .into_inner()
        .map_err(|failed| Error::internal(failed.into_error()))?;
    let length = file.as_file().metadata().map_err(Error::internal)?.len();
    Ok((Encrypted { file, length }, info))
}

/// Ciphertext on disk; removed with this value.
struct Encrypted {
    file: NamedTempFile,
    length: u64,
}

impl UploadSource for Encrypted {
    fn len(&self) -> u64 {
        self.length
    }

    fn reader_from(&self, offset: u64) -> std::io::Result<Box<dyn Read + Send>> {
        let mut reader = self.file.reopen()?;
        reader.seek(SeekFrom::Start(offset))?;
        Ok(Box::new(reader))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_look_like_whatsapps_and_differ() {
        let id = new_message_id().0;
        assert_eq!(id.len(), 22);
        assert!(
            id.starts_with(ID_PREFIX) && id.chars().all(|c| c.is_ascii_hexdigit() && !c.is_lowercase()),
            "{id}"
        );
        assert_ne!(new_message_id(), new_message_id());
    }

    #[test]
    fn ciphertext_is_read_from_any_offset_and_goes_with_its_value() {
        let dir = tempfile::tempdir().unwrap();
        let source = dir.path().join("plain");
        std::fs::write(&source, vec![7; 1_000]).unwrap();
        let (encrypted, info) = encrypt(&source, MediaKind::Image, &dir.path().to_owned()).unwrap();
        assert_eq!(info.file_length, 1_000);
        let mut all = Vec::new();
        encrypted.reader_from(0).unwrap().read_to_end(&mut all).unwrap();
        let mut rest = Vec::new();
        encrypted.reader_from(10).unwrap().read_to_end(&mut rest).unwrap();
        assert_eq!(encrypted.len(), all.len() as u64);
        assert_eq!(all[10..], rest);
        drop(encrypted);
        assert_eq!(
            std::fs::read_dir(dir.path()).unwrap().count(),
            1,
            "only the source is left"
        );
    }
}

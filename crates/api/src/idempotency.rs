//! The header `Idempotency-Key`, the same on both surfaces: a retry may come in by the other one.

use actix_web::http::header::HeaderMap;
use sha2::{Digest, Sha256};
use wagate_domain::gateway::MessageRequest;
use wagate_domain::model::{Idempotency, IdempotencyKey, Token};
use wagate_domain::{Error, Result};

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The client's key, and what it asked for under it.
pub(crate) fn idempotency(
    headers: &HeaderMap,
    token: &Token,
    message: &MessageRequest,
) -> Result<Option<Idempotency>> {
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

//! Who may call: API keys, known by their digests alone and compared in constant time.

use std::fmt;

use actix_web::HttpResponse;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};
use wagate_domain::Error;

use crate::problem::Problem;
use crate::state::ApiState;

/// The keys that are let in. Keeps SHA-256 digests, never the keys.
#[derive(Clone, Default)]
pub struct ApiKeys {
    digests: Vec<[u8; 32]>,
}

impl ApiKeys {
    /// Lets in who presents one of these keys. Empty ones are left out: an empty header must not
    /// open an installation whose key was forgotten.
    pub fn from_plain(keys: &[&str]) -> Self {
        Self {
            digests: keys
                .iter()
                .filter(|key| !key.is_empty())
                .map(|key| digest(key.as_bytes()))
                .collect(),
        }
    }

    /// Lets in who presents a key with one of these SHA-256 digests.
    pub fn from_digests(digests: Vec<[u8; 32]>) -> Self {
        Self { digests }
    }

    /// Whether this is one of the keys. Takes the same time for every wrong key.
    pub fn admit(&self, presented: &[u8]) -> bool {
        let presented = digest(presented);
        let known = self
            .digests
            .iter()
            .fold(Choice::from(0), |found, digest| found | digest.ct_eq(&presented));
        known.into()
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeys({})", self.digests.len())
    }
}

fn digest(key: &[u8]) -> [u8; 32] {
    Sha256::digest(key).into()
}

/// Turns away who presents no key or a wrong one, before anything of the body is read.
pub(crate) async fn require_key(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let state = request.app_data::<Data<ApiState>>();
    if state.is_some_and(|state| presented(request.headers()).any(|key| state.keys.admit(key))) {
        return next.call(request).await.map(ServiceResponse::map_into_left_body);
    }
    let refusal = HttpResponse::from_error(Problem::from(Error::Unauthenticated));
    // Not `into_response`: it would lose the error, and each surface writes it in its own form.
    let (request, _) = request.into_parts();
    Ok(ServiceResponse::new(request, refusal).map_into_right_body())
}

/// Every key that the request presents: a proxy in between may use `Authorization` for itself.
fn presented(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let named = ["apikey", "x-api-key"]
        .into_iter()
        .filter_map(|name| headers.get(name))
        .map(HeaderValue::as_bytes);
    let bearer = headers.get(AUTHORIZATION).and_then(|value| {
        let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then_some(key.trim().as_bytes())
    });
    named.chain(bearer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admits_each_of_the_keys_and_nothing_else() {
        let keys = ApiKeys::from_plain(&["first", "second"]);
        assert!(keys.admit(b"first") && keys.admit(b"second"));
        assert!(!keys.admit(b"") && !keys.admit(b"firs") && !keys.admit(b"first "));
    }

    #[test]
    fn without_keys_nobody_is_admitted() {
        assert!(!ApiKeys::default().admit(b""));
        assert!(!ApiKeys::from_plain(&[""]).admit(b""));
    }

    #[test]
    fn keys_do_not_reach_a_log() {
        assert_eq!(format!("{:?}", ApiKeys::from_plain(&["secret"])), "ApiKeys(1)");
    }
}

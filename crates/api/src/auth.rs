//! Who may call: whoever has an API key, known by its digest alone and compared in constant time; and on `/v1` a
//! browser that is signed in. What they may ask for is in `access.rs`.

use std::fmt;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderValue, SET_COOKIE};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use subtle::{Choice, ConstantTimeEq};
use wagate_domain::accounts::Recognized;
use wagate_domain::model::{Account, KeyDigest, SessionToken};
use wagate_domain::{Error, Result};

use crate::access::{self, Caller};
use crate::cookie;
use crate::origin::Origin;
use crate::peer::Peer;
use crate::problem::Problem;
use crate::state::ApiState;

/// The keys that may do everything and are in no database, so that nobody is locked out. Keeps SHA-256 digests, never
/// the keys.
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
                .map(|key| KeyDigest::of(key.as_bytes()).0)
                .collect(),
        }
    }

    /// Lets in who presents a key with one of these SHA-256 digests.
    pub fn from_digests(digests: Vec<[u8; 32]>) -> Self {
        Self { digests }
    }

    /// Whether this is one of the keys. Takes the same time for every wrong key.
    pub fn admit(&self, presented: &[u8]) -> bool {
        self.knows(&KeyDigest::of(presented))
    }

    /// Whether a key with this digest is one of the keys. Takes the same time for every other one.
    pub(crate) fn knows(&self, key: &KeyDigest) -> bool {
        let known = self
            .digests
            .iter()
            .fold(Choice::from(0), |found, digest| found | digest.ct_eq(&key.0));
        known.into()
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeys({})", self.digests.len())
    }
}

/// Who has the key with this digest.
pub(crate) fn holder(key: &KeyDigest, state: &ApiState) -> Option<Caller> {
    if state.keys.knows(key) {
        return Some(Caller::Admin);
    }
    state.accounts.key_with(key).map(Caller::Key)
}

/// Who presents a key that is known.
fn key_holder(headers: &HeaderMap, state: &ApiState) -> Option<Caller> {
    presented(headers).find_map(|key| holder(&KeyDigest::of(key), state))
}

/// Turns away who presents no key or a wrong one, or may not do this, before anything of the body is read.
pub(crate) async fn require_key(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    match admit_key(&request).await {
        Ok(()) => next.call(request).await.map(ServiceResponse::map_into_left_body),
        Err(problem) => Ok(refused(request, problem).map_into_right_body()),
    }
}

async fn admit_key(request: &ServiceRequest) -> Result<(), Problem> {
    let Some(state) = request.app_data::<Data<ApiState>>() else {
        return Err(Error::Unauthenticated.into());
    };
    let caller = key_holder(request.headers(), state).ok_or(Error::Unauthenticated)?;
    access::admit(caller, request, state).await
}

/// The operations of `/v1` that anybody may ask for: somebody who is not signed in has to begin somewhere.
const PUBLIC: [(Method, &str); 3] = [
    (Method::GET, "/v1/sign-in"),
    (Method::POST, "/v1/sign-in"),
    (Method::POST, "/v1/setup"),
];

/// Whether an operation is one of those.
pub(crate) fn is_public(method: &str, path: &str) -> bool {
    PUBLIC
        .iter()
        .any(|(open, of)| open.as_str() == method && *of == path)
}

/// Turns away who presents neither a key nor the cookie of somebody who is signed in, or may not do this, before
/// anything of the body is read.
pub(crate) async fn require_caller(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    match admit(&request).await {
        Ok(renewed) => {
            let mut response = next.call(request).await?;
            if let Some(renewed) = renewed
                && !response.headers().contains_key(SET_COOKIE)
            {
                response.headers_mut().append(SET_COOKIE, renewed);
            }
            Ok(response.map_into_left_body())
        }
        Err(problem) => Ok(refused(request, problem).map_into_right_body()),
    }
}

/// Lets in; with the cookie when it was prolonged.
async fn admit(service: &ServiceRequest) -> Result<Option<HeaderValue>, Problem> {
    let (request, method) = (service.request(), service.method());
    let Some(state) = request.app_data::<Data<ApiState>>() else {
        return Err(Error::Unauthenticated.into());
    };
    let changes = method != Method::GET && method != Method::HEAD;
    let peer = Peer::of(request, &state.proxies);
    let origin = Origin::of(request.headers(), &peer);
    if is_public(method.as_str(), request.path()) {
        // Another page must neither guess through its visitors nor sign them in as somebody else.
        return if changes && origin == Origin::Foreign {
            Err(Problem::CrossOrigin)
        } else {
            Ok(None)
        };
    }
    if let Some(caller) = key_holder(request.headers(), state) {
        access::admit(caller, service, state).await?;
        return Ok(None);
    }
    let Some((token, known, caller)) = signed_in(request, state).await? else {
        return Err(Error::Unauthenticated.into());
    };
    if changes && origin != Origin::Same {
        return Err(Problem::CrossOrigin);
    }
    access::admit(caller, service, state).await?;
    Ok(known.extended.then(|| cookie::set(&token, peer.secure)).flatten())
}

/// Who the request's cookie says is signed in. One who signed in with an API key is, as long as that is a key, and may do
/// what the key may.
pub(crate) async fn signed_in(
    request: &HttpRequest,
    state: &ApiState,
) -> Result<Option<(SessionToken, Recognized, Caller)>> {
    let peer = Peer::of(request, &state.proxies);
    for token in cookie::presented(request.headers(), peer.secure) {
        let Some(known) = state.accounts.who_is(&token).await? else {
            continue;
        };
        let caller = match &known.sign_in.account {
            Account::ApiKey(key) => holder(key, state),
            Account::Admin { .. } => Some(Caller::Admin),
        };
        if let Some(caller) = caller {
            return Ok(Some((token, known, caller)));
        }
    }
    Ok(None)
}

fn refused(request: ServiceRequest, problem: Problem) -> ServiceResponse {
    let refusal = HttpResponse::from_error(problem);
    // Not `into_response`: it would lose the error, and each surface writes it in its own form.
    let (request, _) = request.into_parts();
    ServiceResponse::new(request, refusal)
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

//! `/v1/sign-in` and `/v1/setup`: browsers get a session for their name and password, or for an API key.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, LOCATION, SET_COOKIE};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wagate_domain::accounts::{NewAdmin, SignedIn};
use wagate_domain::model::{Account, AdminName, KeyDigest, Password, Secret, SetupCode, SignIn};
use wagate_domain::{Error, Result};

use super::extract::{Body, NoQuery, Params};
use super::fields::required;
use super::problem::{PROBLEM_JSON, ProblemView};
use super::view::time;
use crate::auth::{holder, signed_in};
use crate::cookie;
use crate::extract::{Field, text};
use crate::peer::Peer;
use crate::problem::Problem;
use crate::state::ApiState;

/// Whether somebody is signed in, and whether somebody can be.
#[derive(Serialize, ToSchema)]
#[schema(as = SignInState)]
pub(super) struct SignInStateView {
    /// Whether the first admin has yet to be made.
    setup_required: bool,
    /// Who is signed in; null when nobody is.
    #[schema(required = true)]
    account: Option<AccountView>,
    /// `whatsapp`, or `simulated`: then nobody that the gateway talks to is real.
    network: &'static str,
}

/// Somebody who has just been signed in.
#[derive(Serialize, ToSchema)]
#[schema(as = SignedIn)]
pub(super) struct SignedInView {
    /// Who it is.
    account: AccountView,
}

/// Who is signed in.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
pub(super) struct AccountView {
    /// The admin's name, or `API key`.
    name: String,
    /// With what: `password` or `api_key`.
    via: &'static str,
    /// When the session ends, unless it is used before.
    expires_at: String,
}

impl From<SignIn> for AccountView {
    fn from(sign_in: SignIn) -> Self {
        let (name, via) = match sign_in.account {
            Account::Admin { name, .. } => (name.to_string(), "password"),
            Account::ApiKey(_) => ("API key".into(), "api_key"),
        };
        Self {
            name,
            via,
            expires_at: time(sign_in.expires_at),
        }
    }
}

/// The first admin.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Setup)]
pub(super) struct SetupBody {
    /// The setup code that the gateway prints when it starts.
    #[schema(value_type = String, example = "7G4K-Q2WX-9RTB")]
    code: Field,
    /// What they will sign in by: 1 to 64 characters.
    #[schema(value_type = String, example = "admin")]
    name: Field,
    /// What they will sign in with: 10 to 256 characters.
    #[schema(value_type = String, example = "a long password")]
    password: Field,
}

impl TryFrom<SetupBody> for NewAdmin {
    type Error = Error;

    fn try_from(body: SetupBody) -> Result<Self> {
        Ok(Self {
            code: SetupCode::typed(&required("code", body.code)?),
            name: required("name", body.name)?.parse()?,
            password: Password::new(required("password", body.password)?)?,
        })
    }
}

/// Either name and password, or an API key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignIn)]
pub(super) struct SignInBody {
    /// The admin's name.
    #[schema(value_type = Option<String>)]
    name: Field,
    /// Their password.
    #[schema(value_type = Option<String>)]
    password: Field,
    /// An API key, instead of both.
    #[schema(value_type = Option<String>, example = "YOUR_API_KEY")]
    api_key: Field,
}

/// What somebody wants to sign in with.
enum Credentials {
    Password(AdminName, Secret),
    ApiKey(Secret),
}

impl TryFrom<SignInBody> for Credentials {
    type Error = Error;

    fn try_from(body: SignInBody) -> Result<Self> {
        let Some(key) = text("api_key", body.api_key)? else {
            let name = required("name", body.name)?.parse()?;
            let password = Secret::new(required("password", body.password)?);
            return Ok(Self::Password(name, password));
        };
        if body.name.is_some() || body.password.is_some() {
            let reason = "api_key cannot be given beside name and password";
            return Err(Error::invalid("api_key", reason));
        }
        Ok(Self::ApiKey(Secret::new(key)))
    }
}

/// Says who is signed in.
///
/// Anybody may ask: `account` is null for whoever presents no cookie, or one that is worth nothing.
#[utoipa::path(
    get,
    path = "/v1/sign-in",
    tag = "sign-in",
    security(()),
    responses((status = 200, description = "Who it is", body = SignInStateView)),
)]
pub(super) async fn who_is(
    state: Data<ApiState>,
    request: HttpRequest,
    _: Params<NoQuery>,
) -> Result<HttpResponse, Problem> {
    let setup_required = state.accounts.setup_required().await?;
    let known = signed_in(&request, &state).await?;
    let renewed = known
        .as_ref()
        .filter(|(_, known, _)| known.extended)
        .and_then(|(token, ..)| cookie::set(token, peer(&state, &request).secure));
    let view = SignInStateView {
        setup_required,
        account: known.map(|(_, known, _)| known.sign_in.into()),
        network: state.about.network,
    };
    Ok(with_cookie(HttpResponse::Ok().json(view), renewed))
}

/// Makes the first admin, and signs them in.
///
/// Works once, with the code that the gateway prints when it starts without an admin.
#[utoipa::path(
    post,
    path = "/v1/setup",
    tag = "sign-in",
    security(()),
    request_body = SetupBody,
    responses(
        (status = 201, description = "They are signed in", body = SignedInView,
         headers(("Location" = String, description = "Who is signed in"),
                 ("Set-Cookie" = String, description = "The session"))),
        (status = 401, description = "The code is wrong", body = ProblemView, content_type = PROBLEM_JSON),
        (status = 409, description = "There is an admin already", body = ProblemView, content_type = PROBLEM_JSON),
        (status = 429, description = "Too many wrong codes: come back after `Retry-After` seconds",
         body = ProblemView, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn setup(
    state: Data<ApiState>,
    request: HttpRequest,
    _: Params<NoQuery>,
    body: Body<SetupBody>,
) -> Result<HttpResponse, Problem> {
    let new = NewAdmin::try_from(body.0)?;
    let peer = peer(&state, &request);
    let signed_in = state
        .run_accounts(|accounts| async move { accounts.setup(new, peer.address).await })
        .await?;
    let mut response = welcome(StatusCode::CREATED, signed_in, peer.secure);
    response
        .headers_mut()
        .insert(LOCATION, HeaderValue::from_static("/v1/sign-in"));
    Ok(response)
}

/// Signs in.
///
/// With name and password, or with an API key. The session is in the cookie of the answer, and lasts seven days after
/// it was last used.
#[utoipa::path(
    post,
    path = "/v1/sign-in",
    tag = "sign-in",
    security(()),
    request_body = SignInBody,
    responses(
        (status = 200, description = "They are signed in", body = SignedInView,
         headers(("Set-Cookie" = String, description = "The session"))),
        (status = 401, description = "Something of it is wrong", body = ProblemView, content_type = PROBLEM_JSON),
        (status = 429, description = "Too many failures: come back after `Retry-After` seconds",
         body = ProblemView, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn sign_in(
    state: Data<ApiState>,
    request: HttpRequest,
    _: Params<NoQuery>,
    body: Body<SignInBody>,
) -> Result<HttpResponse, Problem> {
    let credentials = Credentials::try_from(body.0)?;
    let Peer { address, secure, .. } = peer(&state, &request);
    let signed_in = match credentials {
        Credentials::Password(name, password) => {
            state
                .run_accounts(|accounts| async move { accounts.sign_in(&name, &password, address).await })
                .await?
        }
        Credentials::ApiKey(key) => {
            let digest = KeyDigest::of(key.reveal().as_bytes());
            let known = holder(&digest, &state).map(|_| digest);
            state
                .run_accounts(|accounts| async move { accounts.sign_in_with_key(known, address).await })
                .await?
        }
    };
    Ok(welcome(StatusCode::OK, signed_in, secure))
}

/// Signs out.
///
/// Ends the session of the cookie; others go on.
#[utoipa::path(
    delete,
    path = "/v1/sign-in",
    tag = "sign-in",
    responses((status = 204, description = "The session has ended")),
)]
pub(super) async fn sign_out(
    state: Data<ApiState>,
    request: HttpRequest,
    _: Params<NoQuery>,
) -> Result<HttpResponse, Problem> {
    let peer = peer(&state, &request);
    for token in cookie::presented(request.headers(), peer.secure) {
        state
            .run_accounts(|accounts| async move { accounts.sign_out(&token).await })
            .await?;
    }
    Ok(with_cookie(
        HttpResponse::NoContent().finish(),
        cookie::clear(peer.secure),
    ))
}

fn peer(state: &ApiState, request: &HttpRequest) -> Peer {
    Peer::of(request, &state.proxies)
}

fn welcome(status: StatusCode, signed_in: SignedIn, secure: bool) -> HttpResponse {
    let cookie = cookie::set(&signed_in.token, secure);
    let view = SignedInView {
        account: signed_in.sign_in.into(),
    };
    with_cookie(HttpResponse::build(status).json(view), cookie)
}

fn with_cookie(mut response: HttpResponse, cookie: Option<HeaderValue>) -> HttpResponse {
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(json: &str) -> Result<Credentials> {
        Credentials::try_from(serde_json::from_str::<SignInBody>(json).unwrap())
    }

    #[test]
    fn credentials_are_a_name_and_a_password_or_a_key() {
        let by_name = credentials(r#"{"name":" siti ","password":" x "}"#).ok();
        assert!(matches!(by_name, Some(Credentials::Password(name, password))
                if name.as_str() == "siti" && password.reveal() == " x "));
        let by_key = credentials(r#"{"api_key":"k","name":null}"#).ok();
        assert!(matches!(by_key, Some(Credentials::ApiKey(key)) if key.reveal() == "k"));
    }

    #[test]
    fn what_is_missing_or_too_much_is_told_by_name() {
        for (json, code) in [
            ("{}", "invalid_name"),
            (r#"{"name":"siti"}"#, "invalid_password"),
            (r#"{"name":"siti","password":""}"#, "invalid_password"),
            (r#"{"password":"x"}"#, "invalid_name"),
            (r#"{"name":"a\nb","password":"x"}"#, "invalid_name"),
            (r#"{"name":7,"password":"x"}"#, "invalid_name"),
            (r#"{"api_key":7}"#, "invalid_api_key"),
            (r#"{"api_key":"k","password":"x"}"#, "invalid_api_key"),
        ] {
            assert_eq!(credentials(json).err().unwrap().code(), code, "{json}");
        }
    }

    #[test]
    fn the_first_admin_is_read_field_by_field() {
        let read = |json: &str| NewAdmin::try_from(serde_json::from_str::<SetupBody>(json).unwrap());
        let new = read(r#"{"code":"ab","name":"siti","password":"0123456789"}"#).unwrap();
        assert_eq!(new.password.secret().reveal(), "0123456789");
        for (json, code) in [
            (r#"{"name":"siti","password":"0123456789"}"#, "invalid_code"),
            (r#"{"code":"ab","password":"0123456789"}"#, "invalid_name"),
            (
                r#"{"code":"ab","name":"siti","password":"012345678"}"#,
                "invalid_password",
            ),
            (
                r#"{"code":"ab","name":"siti","password":"          "}"#,
                "invalid_password",
            ),
        ] {
            assert_eq!(read(json).unwrap_err().code(), code, "{json}");
        }
    }
}

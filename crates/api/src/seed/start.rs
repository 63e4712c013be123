//! `POST /api/start`: makes the device when it is new, and connects.

use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wagate_domain::gateway::CallPatch;
use wagate_domain::{Error, Result};

use crate::extract::{Field, SeedInput, text, text_or_number};
use crate::problem::Problem;
use crate::state::ApiState;

#[derive(Deserialize, ToSchema)]
#[schema(as = SeedStart)]
pub(super) struct StartBody {
    /// `Y` rejects calls, `N` lets them ring.
    #[serde(rename = "reject_call")]
    #[schema(value_type = Option<String>)]
    reject: Field,
    /// Numbers that may call all the same, separated by commas.
    #[serde(rename = "reject_exclude_phone")]
    #[schema(value_type = Option<String>)]
    exclude: Field,
    /// Text that a rejected caller gets.
    #[serde(rename = "reject_message")]
    #[schema(value_type = Option<String>)]
    message: Field,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SeedStarted)]
pub(super) struct StartedView {
    status: bool,
    message: &'static str,
}

/// Makes the device when it is new, and connects.
///
/// Call settings are stored; a field that is left out stays as it is.
#[utoipa::path(
    post,
    path = "/api/start",
    tag = "seed",
    request_body = StartBody,
    responses((status = 200, description = "It is starting", body = StartedView)),
)]
pub(super) async fn start_session(
    state: Data<ApiState>,
    input: SeedInput<StartBody>,
) -> Result<Json<StartedView>, Problem> {
    let calls = CallPatch::try_from(input.body)?;
    state
        .run(|gateway| async move { gateway.start_session(&input.token, calls).await })
        .await?;
    Ok(Json(StartedView {
        status: true,
        message: "Session started",
    }))
}

impl TryFrom<StartBody> for CallPatch {
    type Error = Error;

    fn try_from(body: StartBody) -> Result<Self> {
        Ok(Self {
            reject: switch("reject_call", body.reject)?,
            exclude: phones("reject_exclude_phone", body.exclude)?,
            message: text("reject_message", body.message)?,
        })
    }
}

/// "Y" or "N", true or false; an empty text, as forms send it, says nothing.
fn switch(name: &'static str, field: Field) -> Result<Option<bool>> {
    let Some(raw) = field else { return Ok(None) };
    match raw.get().trim_matches('"').to_ascii_lowercase().as_str() {
        "" => Ok(None),
        "y" | "yes" | "true" => Ok(Some(true)),
        "n" | "no" | "false" => Ok(Some(false)),
        _ => Err(Error::invalid(name, format!("{name} must be \"Y\" or \"N\""))),
    }
}

/// A list of numbers, or one text with commas.
fn phones(name: &'static str, field: Field) -> Result<Option<Vec<String>>> {
    let Some(raw) = field else { return Ok(None) };
    if raw.get().starts_with('[') {
        let list: Vec<Field> = serde_json::from_str(raw.get())
            .map_err(|_| Error::invalid(name, format!("{name} must be a list of phone numbers")))?;
        let phones = list
            .into_iter()
            .map(|item| text_or_number(name, item).map(Option::unwrap_or_default));
        return phones
            .filter(|phone| !matches!(phone, Ok(text) if text.is_empty()))
            .collect::<Result<_>>()
            .map(Some);
    }
    let text = text_or_number(name, Some(raw))?.unwrap_or_default();
    Ok(Some(
        text.split(',')
            .map(str::trim)
            .filter(|phone| !phone.is_empty())
            .map(ToOwned::to_owned)
            .collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(json: &str) -> Result<CallPatch> {
        CallPatch::try_from(serde_json::from_str::<StartBody>(json).unwrap())
    }

    #[test]
    fn the_switch_is_read_in_all_its_forms() {
        for (json, want) in [
            (r#""Y""#, Some(true)),
            (r#""y""#, Some(true)),
            ("true", Some(true)),
            (r#""TRUE""#, Some(true)),
            (r#""N""#, Some(false)),
            ("false", Some(false)),
            (r#""""#, None),
            ("null", None),
        ] {
            assert_eq!(
                patch(&format!(r#"{{"reject_call":{json}}}"#)).unwrap().reject,
                want,
                "{json}"
            );
        }
        for json in [r#""maybe""#, "1", "[]", "{}"] {
            let error = patch(&format!(r#"{{"reject_call":{json}}}"#)).unwrap_err();
            assert_eq!(error.code(), "invalid_reject_call", "{json}");
        }
    }

    #[test]
    fn excluded_numbers_come_as_a_list_or_as_one_text() {
        let exclude = |json: &str| {
            patch(&format!(r#"{{"reject_exclude_phone":{json}}}"#))
                .unwrap()
                .exclude
        };
        assert_eq!(
            exclude(r#"["628111", 628222, ""]"#).unwrap(),
            ["628111", "628222"]
        );
        assert_eq!(exclude(r#""628111, 628222""#).unwrap(), ["628111", "628222"]);
        assert_eq!(exclude("628111").unwrap(), ["628111"]);
        assert_eq!(exclude("[]").unwrap(), Vec::<String>::new());
        assert_eq!(exclude(r#""""#).unwrap(), Vec::<String>::new());
        assert_eq!(exclude("null"), None);
    }

    #[test]
    fn what_is_left_out_says_nothing() {
        assert_eq!(patch("{}").unwrap(), CallPatch::default());
    }
}

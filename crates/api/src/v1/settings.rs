//! `/v1/settings`: what can be chosen while the gateway runs. Everything else is in its configuration.

use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wagate_domain::gateway::{Setting, SettingsNow, SettingsPatch};
use wagate_domain::model::{Change, RegionChoice, Retention};
use wagate_domain::{Error, Result};

use super::extract::{Body, NoQuery, Params};
use crate::extract::{Field, text, under};
use crate::problem::Problem;
use crate::state::ApiState;

/// What stands for the country of the account that sends.
const ACCOUNT: &str = "account";

/// The settings, and where each is from.
#[derive(Serialize, ToSchema)]
#[schema(as = Settings)]
pub(super) struct SettingsView {
    /// What completes numbers that are written with a leading 0: an ISO 3166 code, or `account`: the country of the
    /// account that sends.
    default_region: RegionSettingView,
    /// How long events, deliveries and messages are kept, in hours.
    retention_hours: HoursSettingView,
}

/// A country.
#[derive(Serialize, ToSchema)]
#[schema(as = RegionSetting)]
struct RegionSettingView {
    /// What is in force.
    value: String,
    /// `settings` when it was chosen here, else `configuration`.
    source: &'static str,
    /// What the configuration says.
    configured: String,
}

/// A number of hours.
#[derive(Serialize, ToSchema)]
#[schema(as = HoursSetting)]
struct HoursSettingView {
    /// What is in force.
    value: u64,
    /// `settings` when it was chosen here, else `configuration`.
    source: &'static str,
    /// What the configuration says; hours that are not whole are left out.
    configured: u64,
}

fn source<T>(setting: &Setting<T>) -> &'static str {
    if setting.chosen.is_some() {
        "settings"
    } else {
        "configuration"
    }
}

fn region(choice: RegionChoice) -> String {
    match choice {
        RegionChoice::Account => ACCOUNT.into(),
        RegionChoice::Region(region) => region.to_string(),
    }
}

impl From<SettingsNow> for SettingsView {
    fn from(now: SettingsNow) -> Self {
        let hours = |duration: std::time::Duration| duration.as_secs() / 3_600;
        Self {
            default_region: RegionSettingView {
                value: region(now.default_region.value()),
                source: source(&now.default_region),
                configured: region(now.default_region.configured),
            },
            retention_hours: HoursSettingView {
                value: hours(now.retention.value()),
                source: source(&now.retention),
                configured: hours(now.retention.configured),
            },
        }
    }
}

/// What to change. What is left out stays; an empty text goes back to the configuration.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdateSettings)]
pub(super) struct UpdateSettingsBody {
    /// An ISO 3166 code such as `ID`, or `account`.
    #[schema(value_type = Option<String>)]
    default_region: Field,
    /// A whole number from 24 to 87,600, or an empty text.
    #[schema(value_type = Option<HoursSchema>)]
    retention_hours: Field,
}

/// A whole number of hours, or an empty text.
#[derive(ToSchema)]
#[schema(as = Hours)]
#[serde(untagged)]
#[expect(dead_code, reason = "documents what is read by hand")]
pub(super) enum HoursSchema {
    /// So many.
    #[schema(title = "hours")]
    Number(u64),
    /// As configured.
    #[schema(title = "as configured")]
    Text(String),
}

impl TryFrom<UpdateSettingsBody> for SettingsPatch {
    type Error = Error;

    fn try_from(body: UpdateSettingsBody) -> Result<Self> {
        Ok(Self {
            default_region: region_change(body.default_region)?,
            retention: retention_change(body.retention_hours)?,
        })
    }
}

fn region_change(field: Field) -> Result<Change<RegionChoice>> {
    match text("default_region", field)?.as_deref() {
        None => Ok(Change::Keep),
        Some("") => Ok(Change::Clear),
        Some(ACCOUNT) => Ok(Change::Set(RegionChoice::Account)),
        Some(code) => code
            .parse()
            .map(|region| Change::Set(RegionChoice::Region(region)))
            .map_err(|error| under("default_region", error)),
    }
}

fn retention_change(field: Field) -> Result<Change<Retention>> {
    let Some(raw) = field else {
        return Ok(Change::Keep);
    };
    match raw.get() {
        r#""""# => Ok(Change::Clear),
        // What is no such number is out of range, and told so.
        json => Retention::from_hours(serde_json::from_str(json).unwrap_or_default()).map(Change::Set),
    }
}

/// Gives the settings.
#[utoipa::path(
    get,
    path = "/v1/settings",
    tag = "about",
    responses((status = 200, description = "Each value, and where it is from", body = SettingsView)),
)]
pub(super) async fn get_settings(
    state: Data<ApiState>,
    _: Params<NoQuery>,
) -> Result<Json<SettingsView>, Problem> {
    Ok(Json(state.gateway.get_settings().into()))
}

/// Changes settings.
///
/// They count at once, and after a restart; they go before the configuration.
#[utoipa::path(
    patch,
    path = "/v1/settings",
    tag = "about",
    request_body = UpdateSettingsBody,
    responses((status = 200, description = "The settings as they are now", body = SettingsView)),
)]
pub(super) async fn update_settings(
    state: Data<ApiState>,
    _: Params<NoQuery>,
    body: Body<UpdateSettingsBody>,
) -> Result<Json<SettingsView>, Problem> {
    let patch = SettingsPatch::try_from(body.0)?;
    let now = state
        .run(|gateway| async move { gateway.update_settings(patch).await })
        .await?;
    Ok(Json(now.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<SettingsPatch> {
        serde_json::from_str::<UpdateSettingsBody>(json)
            .unwrap()
            .try_into()
    }

    #[test]
    fn what_is_left_out_stays_and_what_is_empty_is_as_configured() {
        assert_eq!(read("{}").unwrap(), SettingsPatch::default());
        assert_eq!(
            read(r#"{"default_region":null,"retention_hours":null}"#).unwrap(),
            SettingsPatch::default()
        );
        let cleared = SettingsPatch {
            default_region: Change::Clear,
            retention: Change::Clear,
        };
        assert_eq!(
            read(r#"{"default_region":"","retention_hours":""}"#).unwrap(),
            cleared
        );
        let set = SettingsPatch {
            default_region: Change::Set(RegionChoice::Region("BR".parse().unwrap())),
            retention: Change::Set(Retention::from_hours(48).unwrap()),
        };
        assert_eq!(
            read(r#"{"default_region":"br","retention_hours":48}"#).unwrap(),
            set
        );
        let account = read(r#"{"default_region":"account"}"#).unwrap();
        assert_eq!(account.default_region, Change::Set(RegionChoice::Account));
    }

    #[test]
    fn what_is_no_setting_is_told_by_name() {
        for (json, code) in [
            (r#"{"default_region":"XX"}"#, "invalid_default_region"),
            (r#"{"default_region":62}"#, "invalid_default_region"),
            (r#"{"retention_hours":23}"#, "invalid_retention_hours"),
            (r#"{"retention_hours":24.5}"#, "invalid_retention_hours"),
            (r#"{"retention_hours":-24}"#, "invalid_retention_hours"),
            (r#"{"retention_hours":"48"}"#, "invalid_retention_hours"),
            (
                r#"{"retention_hours":99999999999999999999}"#,
                "invalid_retention_hours",
            ),
        ] {
            assert_eq!(read(json).unwrap_err().code(), code, "{json}");
        }
    }
}

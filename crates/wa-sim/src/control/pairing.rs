//! Linking a gateway's device to a phone, by QR code or by typed code, and unlinking it.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::camera;
use super::reply::{Body, Problem, Reply, done};
use crate::server::Site;

/// Other fields are fine: the gateway's whole answer may be shown to the phone.
#[derive(Deserialize)]
pub(super) struct Scan {
    /// The pairing string, or a picture of it as a `data:` address.
    #[serde(alias = "qrcode")]
    qr: String,
}

pub(super) async fn scan(
    State(site): State<Arc<Site>>,
    Path(phone): Path<String>,
    Body(scan): Body<Scan>,
) -> Reply<Value> {
    known(&site, &phone)?;
    let shown = filled("qr", &scan.qr)?;
    let qr = if shown.starts_with("data:") {
        camera::read(shown).ok_or_else(|| Problem::invalid("qr", "the picture shows no QR code"))?
    } else {
        shown.to_owned()
    };
    let device = site.world.scan(&phone, &qr).await?;
    done(json!({ "device": device }))
}

/// The same where the test harnesses of other clients expect it: raw text, account by push name.
pub(super) async fn scan_by_push_name(State(site): State<Arc<Site>>, qr: String) -> Reply<Value> {
    let device = site.world.scan_by_push_name(filled("qr", &qr)?).await?;
    done(json!({ "device": device }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PairCode {
    code: String,
}

pub(super) async fn pair_code(
    State(site): State<Arc<Site>>,
    Path(phone): Path<String>,
    Body(typed): Body<PairCode>,
) -> Reply<Value> {
    known(&site, &phone)?;
    // Shown as ABCD-EFGH, typed without the dash and in any case.
    let code: String = typed.code.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
    let device = site
        .world
        .pair_code(&phone, &filled("code", &code)?.to_ascii_uppercase())
        .await?;
    done(json!({ "device": device }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unlink {
    device: String,
}

pub(super) async fn unlink(
    State(site): State<Arc<Site>>,
    Path(phone): Path<String>,
    Body(unlink): Body<Unlink>,
) -> Reply<Value> {
    site.world.unlink(&phone, filled("device", &unlink.device)?)?;
    done(json!({}))
}

/// A phone that is not there is the first thing to say, before anything about the code.
fn known(site: &Site, phone: &str) -> Result<(), Problem> {
    site.world.phone(phone)?;
    Ok(())
}

fn filled<'a>(field: &str, text: &'a str) -> Result<&'a str, Problem> {
    let text = text.trim();
    if text.is_empty() {
        Err(Problem::invalid(field, "must not be empty"))
    } else {
        Ok(text)
    }
}

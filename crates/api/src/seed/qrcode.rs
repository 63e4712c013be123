//! `GET` and `POST /api/qrcode`: the code to scan now, or the status when there is nothing to scan.

use actix_web::web::{Data, Json};
use serde::Serialize;
use wagate_domain::gateway::QrOutcome;

use super::status::StatusView;
use crate::extract::{SeedInput, TokenOnly};
use crate::problem::Problem;
use crate::qr;
use crate::state::ApiState;

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum QrView {
    Scan { status: bool, qrcode: String },
    Paired(StatusView),
}

pub(super) async fn pairing_qr(
    state: Data<ApiState>,
    input: SeedInput<TokenOnly>,
) -> Result<Json<QrView>, Problem> {
    let outcome = state
        .run(|gateway| async move { gateway.pairing_qr(&input.token).await })
        .await?;
    Ok(Json(match outcome {
        QrOutcome::Scan { qr, .. } => QrView::Scan {
            status: true,
            qrcode: qr::data_uri(&qr)?,
        },
        QrOutcome::Paired(status) => QrView::Paired(StatusView::from(*status)),
    }))
}

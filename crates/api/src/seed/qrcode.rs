//! `GET` and `POST /api/qrcode`: the code to scan now, or the status when there is nothing to scan.

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;
use wagate_domain::gateway::QrOutcome;

use super::status::StatusView;
use crate::extract::{SeedInput, TokenOnly};
use crate::problem::Problem;
use crate::qr;
use crate::state::ApiState;

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = SeedQr)]
pub(super) enum QrView {
    Scan { status: bool, qrcode: String },
    Paired(StatusView),
}

/// Gives the code to scan, or the status when there is nothing to scan.
///
/// Waits up to 20 seconds for the first code.
#[utoipa::path(
    method(get, post),
    path = "/api/qrcode",
    tag = "seed",
    responses((status = 200, description = "The code as a PNG in a data address, or the status", body = QrView)),
)]
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

//! `POST /api/pair`: a code to type into the phone instead of scanning.

use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wagate_domain::Result;

use super::send::required_phone;
use crate::extract::{Field, SeedInput};
use crate::problem::Problem;
use crate::state::ApiState;

#[derive(Deserialize, ToSchema)]
#[schema(as = SeedPair)]
pub(super) struct PairBody {
    /// The number of the phone that will type the code.
    #[schema(value_type = Option<String>)]
    phone: Field,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SeedPairCode)]
pub(super) struct PairView {
    status: bool,
    code: String,
}

/// Gives a code to type into the phone instead of scanning.
#[utoipa::path(
    post,
    path = "/api/pair",
    tag = "seed",
    request_body = PairBody,
    responses((status = 200, description = "The code", body = PairView)),
)]
pub(super) async fn pair_by_phone(
    state: Data<ApiState>,
    input: SeedInput<PairBody>,
) -> Result<Json<PairView>, Problem> {
    let phone = required_phone(input.body.phone)?;
    let pairing = state
        .run(|gateway| async move { gateway.pair_by_phone(&input.token, &phone).await })
        .await?;
    Ok(Json(PairView {
        status: true,
        code: pairing.code.display(),
    }))
}

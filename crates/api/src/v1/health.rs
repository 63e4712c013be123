//! `/v1/health`: how the gateway is, for people. Orchestrators ask `/readyz`.

use std::collections::BTreeMap;

use actix_web::web::{self, Data, Json};
use serde::Serialize;
use utoipa::ToSchema;
use wagate_domain::gateway::Health;
use wagate_domain::model::StateName;
use wagate_domain::{Error, Result};

use super::extract::{NoQuery, Params};
use super::view::time;
use crate::problem::Problem;
use crate::state::{ApiState, DiskSpace};

/// How the gateway is.
#[derive(Serialize, ToSchema)]
#[schema(as = Health)]
pub(super) struct HealthView {
    /// Its version.
    version: &'static str,
    /// When it was started.
    #[schema(format = DateTime)]
    started_at: String,
    /// Whether it can do its work now.
    ready: bool,
    /// What is missing, while it cannot.
    #[schema(required = true)]
    reason: Option<String>,
    /// `sqlite` or `postgres`.
    database: &'static str,
    /// `whatsapp`, or `simulated`: then nobody that it talks to is real.
    network: &'static str,
    /// How many devices' sessions are in each state; null while the database cannot be asked.
    #[schema(required = true, value_type = Option<BTreeMap<String, u64>>)]
    sessions: Option<BTreeMap<&'static str, u64>>,
    /// Deliveries to endpoints; null while the database cannot be asked.
    #[schema(required = true)]
    queue: Option<QueueView>,
    /// The disk of the data directory; null while the system does not say.
    #[schema(required = true)]
    disk: Option<DiskView>,
}

/// How many deliveries there are of those that somebody may have to care for.
#[derive(Serialize, ToSchema)]
#[schema(as = Queue)]
struct QueueView {
    /// Waiting to be made.
    pending: u64,
    /// Given up.
    dead: u64,
}

/// How full a disk is.
#[derive(Serialize, ToSchema)]
#[schema(as = Disk)]
struct DiskView {
    /// What can still be written.
    free_bytes: u64,
    /// All of it.
    total_bytes: u64,
}

impl From<DiskSpace> for DiskView {
    fn from(space: DiskSpace) -> Self {
        Self {
            free_bytes: space.free_bytes,
            total_bytes: space.total_bytes,
        }
    }
}

impl HealthView {
    fn new(state: &ApiState, health: Result<Health, String>, disk: Option<DiskSpace>) -> Self {
        let (health, reason) = match health {
            Ok(health) => (Some(health), None),
            Err(reason) => (None, Some(reason)),
        };
        let queue = health.as_ref().map(|health| QueueView {
            pending: health.deliveries.pending,
            dead: health.deliveries.dead,
        });
        let named = |(state, count): (StateName, u64)| (state.as_str(), count);
        Self {
            version: env!("CARGO_PKG_VERSION"),
            started_at: time(state.about.started_at),
            ready: reason.is_none(),
            reason,
            database: state.about.database,
            network: state.about.network,
            sessions: health.map(|health| health.sessions.into_iter().map(named).collect()),
            queue,
            disk: disk.map(DiskView::from),
        }
    }
}

/// Says how the gateway is.
///
/// The answer is 200 also while it cannot do its work: then `ready` is false and `reason` says what is missing.
#[utoipa::path(
    get,
    path = "/v1/health",
    tag = "about",
    responses((status = 200, description = "How it is", body = HealthView)),
)]
pub(super) async fn get_health(
    state: Data<ApiState>,
    _: Params<NoQuery>,
) -> Result<Json<HealthView>, Problem> {
    let look = state.disk.clone();
    // The file system may be one that lets its callers wait.
    let disk = web::block(move || look()).await.ok().flatten();
    if let Err(missing) = state.readiness.check().await {
        return Ok(Json(HealthView::new(&state, Err(missing), disk)));
    }
    let health = match state.gateway.get_health().await {
        Err(error @ Error::Unavailable { .. }) => Err(error.to_string()),
        health => Ok(health?),
    };
    Ok(Json(HealthView::new(&state, health, disk)))
}

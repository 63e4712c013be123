//! Linking by phone number: a code that the person types, beside the code that they may scan.

use std::sync::Arc;
use std::time::Duration;

use wagate_domain::model::{PairCode, PhoneNumber, Secret};
use wagate_domain::ports::Clock;
use wagate_domain::{Error, Result};
use whatsapp_rust::pair_code::PairCodeOptions;

use crate::error::{self, WHATSAPP};
use crate::live::Live;

/// How long a code can be typed.
pub(crate) const CODE_LIFETIME: Duration = Duration::from_mins(3);
/// The system that the phone shows while a code is typed: WhatsApp takes real names only, so our own
/// device name cannot stand here.
const SHOWN_OS: &str = "Linux";
/// How long to wait for the connection.
const SOCKET_LIMIT: Duration = Duration::from_secs(20);

/// Asks WhatsApp for a code. A code that was asked for earlier stops working: the person sees the
/// newest one.
pub(crate) async fn ask(live: &Live, phone: &PhoneNumber, clock: &Arc<dyn Clock>) -> Result<PairCode> {
    let client = &live.client;
    let asked = async {
        client
            .wait_for_socket(SOCKET_LIMIT)
            .await
            .map_err(|_| Error::unavailable(WHATSAPP, "there is no connection yet"))?;
        client.cancel_pair_code().await;
        let options = PairCodeOptions {
            phone_number: phone.digits().to_owned(),
            display_os: Some(SHOWN_OS.to_owned()),
            ..PairCodeOptions::default()
        };
        let expires_at = clock.now() + CODE_LIFETIME;
        let code = Box::pin(client.pair_with_code(options))
            .await
            .map_err(|failed| error::pair(&failed))?;
        Ok(PairCode::new(Secret::new(code), expires_at))
    };
    live.work(asked, || {
        Error::unavailable(WHATSAPP, "the session connects anew")
    })
    .await
}

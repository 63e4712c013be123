//! A WhatsApp that does what a test tells it: [`FakeDriver`] opens sessions, and the [`FakeSession`]
//! of a device is both the gateway's side and the test's handle on it.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::fake_session::FakeSession;
use crate::model::{Device, Jid, MessageId, PhoneNumber};
use crate::ports::{Clock, Driver, EventSink, KeyVault, NumberLookup, Session};
use crate::{Error, Result};

/// Opens fake sessions. A linked device is connected at once, one that is not stays `Connecting` until
/// the test gives it a code to scan.
pub struct FakeDriver {
    world: Arc<FakeWorld>,
    sessions: Mutex<HashMap<String, Vec<Arc<FakeSession>>>>,
}

/// What all sessions share: the WhatsApp behind them.
pub(super) struct FakeWorld {
    pub(super) clock: Arc<dyn Clock>,
    numbers: Mutex<Numbers>,
    message_ids: AtomicU64,
}

#[derive(Default)]
struct Numbers {
    missing: HashSet<String>,
    rewrites: HashMap<String, String>,
    asked: Vec<PhoneNumber>,
    out_of_reach: bool,
}

impl fmt::Debug for FakeDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeDriver").finish_non_exhaustive()
    }
}

impl FakeDriver {
    /// A driver whose network works and where every number has an account.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let world = FakeWorld {
            clock,
            numbers: Mutex::default(),
            message_ids: AtomicU64::new(0),
        };
        Self {
            world: Arc::new(world),
            sessions: Mutex::default(),
        }
    }

    /// The session of the device with this token that was opened last.
    pub fn session(&self, token: &str) -> Arc<FakeSession> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions
            .get(token)
            .and_then(|opened| opened.last())
            .cloned()
            .expect("the device has no session")
    }

    /// How many sessions were opened for the device with this token.
    pub fn times_opened(&self, token: &str) -> usize {
        self.sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(token)
            .map_or(0, Vec::len)
    }

    /// From now on these digits have no account.
    pub fn not_on_whatsapp(&self, digits: &str) {
        self.world.numbers().missing.insert(digits.into());
    }

    /// From now on these digits have an account again.
    pub fn joins_whatsapp(&self, digits: &str) {
        self.world.numbers().missing.remove(digits);
    }

    /// From now on the account of `digits` is known by other digits, as in Brazil and Mexico.
    pub fn known_as(&self, digits: &str, other: &str) {
        self.world.numbers().rewrites.insert(digits.into(), other.into());
    }

    /// Every number that WhatsApp was asked for, in order.
    pub fn looked_up(&self) -> Vec<String> {
        self.world
            .numbers()
            .asked
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// From now on whoever opens or reconnects a session finds no network.
    pub fn go_out_of_reach(&self) {
        self.world.numbers().out_of_reach = true;
    }

    /// Ends [`FakeDriver::go_out_of_reach`].
    pub fn come_into_reach(&self) {
        self.world.numbers().out_of_reach = false;
    }
}

#[async_trait]
impl Driver for FakeDriver {
    async fn open(
        &self,
        device: &Device,
        keys: Arc<dyn KeyVault>,
        events: Arc<dyn EventSink>,
    ) -> Result<Arc<dyn Session>> {
        let session = Arc::new(FakeSession::open(self.world.clone(), device, keys, events));
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = sessions.entry(device.token.to_string()).or_default();
        assert!(
            opened.iter().all(|earlier| earlier.is_closed()),
            "two open sessions of one device"
        );
        opened.push(session.clone());
        Ok(session)
    }
}

impl FakeWorld {
    fn numbers(&self) -> MutexGuard<'_, Numbers> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_out_of_reach(&self) -> bool {
        self.numbers().out_of_reach
    }

    pub(super) fn new_message_id(&self) -> MessageId {
        let number = self.message_ids.fetch_add(1, Ordering::Relaxed) + 1;
        MessageId(format!("3EB0{number:016}"))
    }

    pub(super) fn look_up(&self, phones: &[PhoneNumber]) -> Result<Vec<NumberLookup>> {
        let mut numbers = self.numbers();
        if numbers.out_of_reach {
            return Err(Error::unavailable("whatsapp", "taken out of reach by a test"));
        }
        numbers.asked.extend_from_slice(phones);
        let answer = |phone: &PhoneNumber| {
            let digits = numbers
                .rewrites
                .get(phone.digits())
                .map_or(phone.digits(), String::as_str);
            let jid = (!numbers.missing.contains(phone.digits())).then(|| Jid::phone(digits));
            NumberLookup {
                phone: phone.clone(),
                jid,
                checked_at: self.clock.now(),
            }
        };
        Ok(phones.iter().map(answer).collect())
    }
}

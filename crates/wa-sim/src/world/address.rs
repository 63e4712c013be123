//! Who a JID means: one account has two users (phone number and LID), and devices below them.

use serde::{Deserialize, Serialize};
use wacore_binary::Jid;
use wacore_libsignal::protocol::ProtocolAddress;

/// One device of one account; device 0 is the phone itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Address {
    pub phone: String,
    pub device: u16,
}

impl Address {
    pub fn new(phone: &str, device: u16) -> Self {
        Self {
            phone: phone.to_owned(),
            device,
        }
    }

    pub fn primary(phone: &str) -> Self {
        Self::new(phone, 0)
    }

    pub fn is_primary(&self) -> bool {
        self.device == 0
    }

    pub fn pn_jid(&self) -> Jid {
        Jid::pn_device(self.phone.as_str(), self.device)
    }

    /// The simulated phones keep one session per device, whichever user name it is called by.
    pub fn protocol(&self) -> ProtocolAddress {
        ProtocolAddress::new(&self.phone, u32::from(self.device).into())
    }
}

/// Digits of a phone number given as `+49 151 …`, as digits or as a JID.
pub fn digits(text: &str) -> String {
    text.split(['@', ':'])
        .next()
        .unwrap_or_default()
        .chars()
        .filter(char::is_ascii_digit)
        .collect()
}

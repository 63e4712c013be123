//! One client connection, seen from the world: where its stanzas go, and whose it is.

use crate::phone::keys::Secret;
use crate::world::account::PublicKeys;
use crate::world::address::Address;
use crate::world::view::SimError;
use tokio::sync::{mpsc, oneshot};
use wacore_binary::Node;

/// What a connection's task is told to do.
#[derive(Debug)]
pub enum Out {
    Stanza(Node),
    Close,
}

/// The world's end of a connection.
#[derive(Debug, Clone)]
pub struct Link {
    /// Counts connections; tells an old connection of a device from its successor.
    pub number: u64,
    pub out: mpsc::UnboundedSender<Out>,
}

impl Link {
    /// A connection that is gone swallows the stanza; its queue keeps a copy of what matters.
    pub fn say(&self, stanza: Node) {
        let _ = self.out.send(Out::Stanza(stanza));
    }

    pub fn close(&self) {
        let _ = self.out.send(Out::Close);
    }
}

/// A device that is logged in.
#[derive(Debug, Clone)]
pub struct Online {
    pub link: Link,
    /// It has asked for what was queued (`<active/>`) and gets stanzas at once from then on.
    pub active: bool,
    /// It shows itself as present.
    pub available: bool,
}

/// A connection as handlers see it.
#[derive(Debug, Clone)]
pub struct Client {
    pub link: Link,
    /// The device, once logged in.
    pub address: Option<Address>,
    /// Public Noise static key.
    pub noise: Vec<u8>,
}

impl Client {
    pub fn say(&self, stanza: Node) {
        self.link.say(stanza);
    }

    /// Name in the ledger.
    pub fn label(&self) -> String {
        match &self.address {
            Some(address) => address.pn_jid().to_string(),
            None => format!("unpaired:{}", self.link.number),
        }
    }
}

/// An unregistered connection that shows QR codes or asks for a phone code.
#[derive(Debug)]
pub struct Pairing {
    pub link: Link,
    pub noise: Vec<u8>,
    pub keys: PublicKeys,
    /// Push name of the registration; picks the account where nobody says whose phone scans.
    pub push_name: Option<String>,
    pub refs: Vec<String>,
    /// Unix seconds.
    pub opened: u64,
    pub code: Option<CodeRequest>,
    pub pending: Option<PendingLink>,
}

/// A companion waits for the person to type its code.
#[derive(Debug)]
pub struct CodeRequest {
    pub phone: String,
    pub reference: Vec<u8>,
    /// The companion's ephemeral key, wrapped with the code.
    pub wrapped_ephemeral: Vec<u8>,
    /// Set once the phone has answered with a key of its own.
    pub hello: Option<PrimaryHello>,
}

#[derive(Debug)]
pub struct PrimaryHello {
    pub ephemeral: Secret,
    pub companion_ephemeral: [u8; 32],
    pub waiter: Waiter,
}

pub type Waiter = oneshot::Sender<Result<String, SimError>>;

/// A device whose signature over its identity is still due.
#[derive(Debug)]
pub struct PendingLink {
    /// Id of the `pair-success` iq.
    pub iq: String,
    pub address: Address,
    /// Encoded `ADVDeviceIdentity`.
    pub details: Vec<u8>,
    pub waiter: Waiter,
}

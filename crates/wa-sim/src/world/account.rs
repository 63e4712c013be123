//! An account: the simulated phone, its companions and what the server stores for both.

use crate::phone::content::Message;
use crate::phone::keys::rng;
use crate::phone::signal::SignalParty;
use crate::world::address::Address;
use crate::world::collection::Collections;
use crate::world::queue::Queue;
use crate::world::view::{CallView, PhoneView, Script, TypingView};
use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};
use wacore_binary::{Jid, Node};

/// Companion device numbers start here, where upstream's test server starts them.
const FIRST_COMPANION: u16 = 33;
const TOKEN_BYTES: usize = 32;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Phone {
    /// Digits in international form: the key of the account.
    pub number: String,
    /// User part of the LID.
    pub lid: String,
    pub name: String,
    pub about: String,
    pub picture: Option<Picture>,
    pub signal: SignalParty,
    /// `rawId` of the account's device identities.
    pub raw_id: u32,
    pub devices: BTreeMap<u16, Device>,
    /// Key index of the newest companion; never reused.
    pub last_key_index: u32,
    pub collections: Collections,
    /// The address book: phone number to name.
    pub contacts: BTreeMap<String, String>,
    pub messages: Vec<Message>,
    pub calls: Vec<CallView>,
    /// Who types to the person, and until when that is shown.
    #[serde(skip)]
    typing: Vec<(TypingView, Instant)>,
    /// Whether the phone has network; when not, its stanzas wait in `backlog`.
    pub online: bool,
    pub backlog: VecDeque<Node>,
    pub script: Script,
    /// Blocked accounts by phone number.
    pub blocked: BTreeSet<String>,
    pub privacy: BTreeMap<String, String>,
    /// Tokens made for trusted contacts, by phone number.
    #[serde(default)]
    tokens: BTreeMap<String, Vec<u8>>,
    /// Devices that hold the phone's sender key, by group JID.
    pub shared_sender_keys: BTreeMap<String, BTreeSet<Address>>,
    /// How often the phone has asked for a message again, by message id.
    pub retries: BTreeMap<String, u8>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Picture {
    pub id: String,
    pub direct_path: String,
}

/// A linked companion.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Device {
    pub key_index: u32,
    /// Public Noise static key: a login must come with it.
    pub noise: Vec<u8>,
    /// The identity container that both sides signed; served with every prekey bundle. Empty until signed.
    pub identity: Vec<u8>,
    pub keys: PublicKeys,
    pub queue: Queue,
    /// The app-state key has been shared with it.
    pub key_shared: bool,
}

/// What a device has uploaded for others to start sessions with.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct PublicKeys {
    pub registration: Vec<u8>,
    pub identity: Vec<u8>,
    pub signed: SignedKey,
    /// One-time keys, first in first out: id (three bytes) and public key.
    pub pool: VecDeque<(Vec<u8>, Vec<u8>)>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SignedKey {
    pub id: Vec<u8>,
    pub public: Vec<u8>,
    pub signature: Vec<u8>,
}

impl Phone {
    pub fn new(number: &str, lid: &str, name: &str, serial: u32) -> Self {
        Self {
            number: number.to_owned(),
            lid: lid.to_owned(),
            name: name.to_owned(),
            about: "Hey there! I am using WhatsApp.".to_owned(),
            picture: None,
            signal: SignalParty::generate(serial),
            raw_id: 7_000 + serial,
            devices: BTreeMap::new(),
            last_key_index: 0,
            collections: Collections::generate(serial),
            contacts: BTreeMap::new(),
            messages: Vec::new(),
            calls: Vec::new(),
            typing: Vec::new(),
            online: true,
            backlog: VecDeque::new(),
            script: Script::None,
            blocked: BTreeSet::new(),
            privacy: default_privacy(),
            tokens: BTreeMap::new(),
            shared_sender_keys: BTreeMap::new(),
            retries: BTreeMap::new(),
        }
    }

    pub fn pn_jid(&self) -> Jid {
        Jid::pn(self.number.as_str())
    }

    pub fn lid_jid(&self) -> Jid {
        Jid::lid(self.lid.as_str())
    }

    /// The device's JID in the user name space of `like`.
    pub fn device_jid(&self, device: u16, like: &Jid) -> Jid {
        if like.is_lid() {
            Jid::lid_device(self.lid.as_str(), device)
        } else {
            Jid::pn_device(self.number.as_str(), device)
        }
    }

    /// Companions that have finished pairing.
    pub fn linked(&self) -> impl Iterator<Item = (u16, &Device)> {
        self.devices
            .iter()
            .filter(|(_, device)| !device.identity.is_empty())
            .map(|(id, device)| (*id, device))
    }

    pub fn companions(&self) -> Vec<Address> {
        self.linked()
            .map(|(id, _)| Address::new(&self.number, id))
            .collect()
    }

    /// The phone and its companions.
    pub fn addresses(&self) -> Vec<Address> {
        let mut all = vec![Address::primary(&self.number)];
        all.extend(self.companions());
        all
    }

    /// Number and key index for a new companion.
    pub fn next_device(&mut self) -> (u16, u32) {
        self.last_key_index += 1;
        let offset = u16::try_from(self.last_key_index - 1).unwrap_or(u16::MAX - FIRST_COMPANION);
        (FIRST_COMPANION + offset, self.last_key_index)
    }

    /// The token that vouches for a trusted contact, made when first asked for.
    pub fn token_for(&mut self, contact: &str) -> Vec<u8> {
        let make = || {
            let mut token = vec![0; TOKEN_BYTES];
            rng().fill(&mut token[..]);
            token
        };
        self.tokens.entry(contact.to_owned()).or_insert_with(make).clone()
    }

    /// The token that this account once made for the contact.
    pub fn token_of(&self, contact: &str) -> Option<&[u8]> {
        self.tokens.get(contact).map(Vec::as_slice)
    }

    /// Somebody types to the person; it is shown for so long unless they go on, stop or write.
    pub fn show_typing(&mut self, typing: TypingView, lasts: Duration) {
        self.hide_typing(&typing.chat, &typing.sender);
        self.typing.push((typing, Instant::now() + lasts));
    }

    /// They have stopped, or have written.
    pub fn hide_typing(&mut self, chat: &str, sender: &str) {
        let now = Instant::now();
        self.typing
            .retain(|(typing, until)| *until > now && (typing.chat != chat || typing.sender != sender));
    }

    pub fn view(&self) -> PhoneView {
        let now = Instant::now();
        let typing = self.typing.iter().filter(|(_, until)| *until > now);
        PhoneView {
            phone: self.number.clone(),
            lid: self.lid_jid().to_string(),
            name: self.name.clone(),
            devices: self
                .companions()
                .iter()
                .map(|address| address.pn_jid().to_string())
                .collect(),
            online: self.online,
            script: self.script,
            typing: typing.map(|(typing, _)| typing.clone()).collect(),
        }
    }
}

fn default_privacy() -> BTreeMap<String, String> {
    let everyone = [
        "last",
        "online",
        "profile",
        "status",
        "readreceipts",
        "groupadd",
        "calladd",
    ];
    everyone
        .iter()
        .map(|name| ((*name).to_owned(), "all".to_owned()))
        .collect()
}

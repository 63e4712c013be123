//! What is inside the world's lock: accounts, groups, connections, and the delivery of stanzas to all of them.

use crate::ledger::{Direction, Entry, Ledger};
use crate::media::MediaStore;
use crate::phone::keys::rng;
use crate::wire::node::{attr_is, summary, text_attr};
use crate::world::WorldSettings;
use crate::world::account::{Device, Phone};
use crate::world::address::{Address, digits};
use crate::world::group::Group;
use crate::world::link::{Client, Online, Pairing};
use crate::world::queue::is_acknowledged;
use crate::world::view::SimError;
use rand::RngExt as _;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;
use wacore_binary::{Jid, JidExt as _, Node};

/// LIDs are as long as WhatsApp's and never look like phone numbers.
const FIRST_LID: u64 = 100_000_000_000_000;
/// Spent Signal counters remembered before the record starts anew.
const MAX_COUNTERS: usize = 200_000;

#[derive(Debug)]
pub struct State {
    pub phones: BTreeMap<String, Phone>,
    /// Phone number by LID user.
    lids: HashMap<String, String>,
    pub groups: BTreeMap<String, Group>,
    pub online: HashMap<Address, Online>,
    pub pairings: Vec<Pairing>,
    /// Who asked for the presence of whom.
    pub watchers: BTreeMap<String, BTreeSet<Address>>,
    /// Who has ever written to whom: the accounts that are told about new devices.
    pub acquaintances: BTreeMap<String, BTreeSet<String>>,
    /// Stanzas that phones are about to receive.
    pub inbox: VecDeque<(String, Node)>,
    /// Typing states that have not expired, for devices that come back.
    pub typing: Vec<Typing>,
    /// Recipient, ratchet key and counter of every Signal message that passed.
    counters: HashSet<(Address, [u8; 32], u32)>,
    ids: u64,
    pub settings: WorldSettings,
    pub ledger: Arc<Ledger>,
    pub media: Arc<MediaStore>,
}

#[derive(Debug)]
pub struct Typing {
    /// Whose they are, by phone number.
    pub from: String,
    pub to: Address,
    pub until: Instant,
    pub stanza: Node,
}

impl State {
    pub fn new(settings: WorldSettings, ledger: Arc<Ledger>, media: Arc<MediaStore>) -> Self {
        Self {
            phones: BTreeMap::new(),
            lids: HashMap::new(),
            groups: BTreeMap::new(),
            online: HashMap::new(),
            pairings: Vec::new(),
            watchers: BTreeMap::new(),
            acquaintances: BTreeMap::new(),
            inbox: VecDeque::new(),
            typing: Vec::new(),
            counters: HashSet::new(),
            ids: 0,
            settings,
            ledger,
            media,
        }
    }

    pub fn restore(&mut self, phones: Vec<Phone>, groups: Vec<Group>, ids: u64) -> Result<(), SimError> {
        for phone in phones {
            if self
                .lids
                .insert(phone.lid.clone(), phone.number.clone())
                .is_some()
            {
                return Err(SimError::Invalid(format!(
                    "two accounts with the LID {}",
                    phone.lid
                )));
            }
            self.phones.insert(phone.number.clone(), phone);
        }
        self.groups = groups
            .into_iter()
            .map(|group| (group.id.clone(), group))
            .collect();
        self.ids = ids;
        Ok(())
    }

    pub fn saved(&self) -> (Vec<Phone>, Vec<Group>, u64) {
        (
            self.phones.values().cloned().collect(),
            self.groups.values().cloned().collect(),
            self.ids,
        )
    }

    /// Makes an account; its number must be new.
    pub fn add_phone(&mut self, number: &str, name: &str) -> Result<&mut Phone, SimError> {
        let number = digits(number);
        if !(7..=15).contains(&number.len()) {
            return Err(SimError::Invalid("a phone number has 7 to 15 digits".to_owned()));
        }
        if self.phones.contains_key(&number) {
            return Err(SimError::Conflict(format!("{number} exists already")));
        }
        let serial = u32::try_from(self.phones.len()).unwrap_or(u32::MAX) + 1;
        let lid = (FIRST_LID + u64::from(serial)).to_string();
        let phone = Phone::new(&number, &lid, name, serial);
        self.lids.insert(lid, number.clone());
        Ok(self.phones.entry(number).or_insert(phone))
    }

    pub fn phone(&self, number: &str) -> Result<&Phone, SimError> {
        let number = digits(number);
        self.phones.get(&number).ok_or(SimError::NotFound {
            what: "phone",
            id: number,
        })
    }

    pub fn phone_mut(&mut self, number: &str) -> Result<&mut Phone, SimError> {
        let number = digits(number);
        self.phones.get_mut(&number).ok_or(SimError::NotFound {
            what: "phone",
            id: number,
        })
    }

    /// The account behind a user JID of either kind.
    pub fn account_of(&self, jid: &Jid) -> Option<&Phone> {
        if jid.is_lid() {
            self.phones.get(self.lids.get(jid.user.as_str())?)
        } else if jid.is_pn() {
            self.phones.get(jid.user.as_str())
        } else {
            None
        }
    }

    pub fn address_of(&self, jid: &Jid) -> Option<Address> {
        self.account_of(jid)
            .map(|phone| Address::new(&phone.number, jid.device))
    }

    pub fn device_mut(&mut self, address: &Address) -> Option<&mut Device> {
        self.phones
            .get_mut(&address.phone)?
            .devices
            .get_mut(&address.device)
    }

    pub fn group_of(&self, jid: &Jid) -> Option<&Group> {
        if jid.is_group() {
            self.groups.get(jid.user.as_str())
        } else {
            None
        }
    }

    /// A new stanza id.
    pub fn new_id(&mut self, prefix: &str) -> String {
        self.ids += 1;
        format!("{prefix}{}", self.ids)
    }

    /// A new message id, as phones make them.
    pub fn new_message_id() -> String {
        let mut bytes = [0_u8; 9];
        rng().fill(&mut bytes);
        format!("3A{}", hex::encode_upper(bytes))
    }

    /// Hands a stanza to a device: the phone's inbox, the socket, or the queue for later.
    pub fn deliver(&mut self, to: &Address, stanza: Node) {
        if to.is_primary() {
            self.deliver_to_phone(&to.phone, stanza);
            return;
        }
        let online = self
            .online
            .get(to)
            .filter(|online| online.active)
            .map(|online| online.link.clone());
        if is_acknowledged(&stanza) {
            let Some(device) = self.device_mut(to) else { return };
            device.queue.push(stanza.clone(), online.is_some());
        }
        if let Some(link) = online {
            link.say(stanza);
        }
    }

    fn deliver_to_phone(&mut self, number: &str, stanza: Node) {
        let Some(phone) = self.phones.get_mut(number) else {
            return;
        };
        if phone.online {
            self.inbox.push_back((number.to_owned(), stanza));
        } else if is_acknowledged(&stanza) {
            phone.backlog.push_back(stanza);
        }
    }

    pub fn deliver_all(&mut self, to: impl IntoIterator<Item = Address>, stanza: &Node) {
        for address in to {
            self.deliver(&address, stanza.clone());
        }
    }

    /// Gives every notification an id of its own.
    pub fn notify_all(&mut self, to: impl IntoIterator<Item = Address>, notification: &Node) {
        for address in to {
            let mut stanza = notification.clone();
            stanza.attrs.insert("id", self.new_id("N"));
            self.deliver(&address, stanza);
        }
    }

    pub fn is_available(&self, number: &str) -> bool {
        self.online
            .iter()
            .any(|(address, online)| address.phone == number && online.available)
    }

    /// Remembers that two accounts know each other.
    pub fn introduce(&mut self, one: &str, other: &str) {
        if one == other {
            return;
        }
        let known = self.acquaintances.entry(one.to_owned()).or_default();
        if known.insert(other.to_owned()) {
            self.acquaintances
                .entry(other.to_owned())
                .or_default()
                .insert(one.to_owned());
        }
    }

    /// False when this recipient has had a message of this ratchet key and counter before.
    pub fn spend_counter(&mut self, to: &Address, ratchet_key: [u8; 32], counter: u32) -> bool {
        if self.counters.len() >= MAX_COUNTERS {
            self.counters.clear();
        }
        self.counters.insert((to.clone(), ratchet_key, counter))
    }

    /// Writes a broken rule into the ledger.
    pub fn violation(&self, who: &str, stanza: &Node, what: impl Into<String>) {
        self.ledger.record(Entry {
            violation: Some(what.into()),
            ..entry(Direction::FromClient, who, stanza)
        });
    }

    pub fn accuse(&self, client: &Client, stanza: &Node, what: impl Into<String>) {
        self.violation(&client.label(), stanza, what);
    }
}

/// A ledger line about one stanza.
pub fn entry(direction: Direction, device: &str, stanza: &Node) -> Entry {
    let kind = if stanza.tag == "iq" && !attr_is(stanza, "type", "result") {
        "xmlns"
    } else {
        "type"
    };
    Entry {
        direction,
        device: device.to_owned(),
        tag: stanza.tag.to_string(),
        id: text_attr(stanza, "id"),
        kind: text_attr(stanza, kind),
        summary: summary(stanza),
        violation: None,
    }
}

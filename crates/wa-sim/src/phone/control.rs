//! What a person does with a simulated phone; the control API calls these and nothing else.

use crate::phone::files;
use crate::phone::receive::receipt_for;
use crate::phone::send::{self, Chat, Draft};
use crate::stanza::group_change::{self, Action};
use crate::stanza::pair::{self, QrCode};
use crate::stanza::pair_code::{self, Typed};
use crate::stanza::{appstate, call, chatstate, devices, receipt};
use crate::wire::node::{Build, empty};
use crate::world::World;
use crate::world::address::{Address, digits};
use crate::world::collection::{contact_value, push_name_value};
use crate::world::group::GroupSettings;
use crate::world::link::Waiter;
use crate::world::state::State;
use crate::world::view::{
    CallView, MessageView, OutgoingMedia, ParticipantChanges, PhoneView, Script, SimError, TypingState,
};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;
use wacore_binary::{Jid, Node};

/// A device that has been scanned signs at once, or not at all.
const PAIRING_LIMIT: Duration = Duration::from_secs(30);
/// Numbers of accounts that nobody named begin here; 555 numbers reach no one.
const FIRST_NUMBER: u64 = 15_550_000_000;
const LAST_NUMBER: u64 = 15_559_999_999;
const CONTACTS: &str = "critical_unblock_low";
const PROFILE: &str = "critical_block";
/// Schema version of contact entries, as WhatsApp Web stamps them.
const CONTACT_VERSION: i32 = 2;

impl World {
    /// Makes an account with its phone.
    pub fn create_phone(&self, phone: &str, name: &str) -> Result<PhoneView, SimError> {
        self.step(|state| make_phone(state, phone, name))
    }

    pub fn phones(&self) -> Vec<PhoneView> {
        self.look(|state| {
            state
                .phones
                .values()
                .map(crate::world::account::Phone::view)
                .collect()
        })
    }

    pub fn phone(&self, phone: &str) -> Result<PhoneView, SimError> {
        self.look(|state| state.phone(phone).map(crate::world::account::Phone::view))
    }

    pub fn set_script(&self, phone: &str, script: Script) -> Result<(), SimError> {
        self.step(|state| {
            state.phone_mut(phone)?.script = script;
            Ok(())
        })
    }

    /// Scans a QR code and waits until the device has signed; answers its JID.
    pub async fn scan(&self, phone: &str, qr: &str) -> Result<String, SimError> {
        let qr = QrCode::parse(qr)?;
        let phone = self.look(|state| state.phone(phone).map(|phone| phone.number.clone()))?;
        self.paired(|state, waiter| pair::scan(state, &phone, &qr, waiter))
            .await
    }

    /// Scans with the phone whose owner bears the push name of the registration; makes it when there is none.
    pub async fn scan_by_push_name(&self, qr: &str) -> Result<String, SimError> {
        let qr = QrCode::parse(qr)?;
        self.paired(|state, waiter| {
            let name = pair::push_name_of(state, &qr)?;
            let phone = phone_by_name(state, name)?;
            pair::scan(state, &phone, &qr, waiter)
        })
        .await
    }

    /// Types the code that a device shows; answers the device's JID once it is paired.
    pub async fn pair_code(&self, phone: &str, code: &str) -> Result<String, SimError> {
        let (connection, wrapped) = self.look(|state| pair_code::waiting(state, phone))?;
        let code = code.to_owned();
        let typed = tokio::task::spawn_blocking(move || Typed::compute(connection, &wrapped, &code));
        let typed = typed
            .await
            .map_err(|error| SimError::Invalid(error.to_string()))??;
        self.paired(|state, waiter| pair_code::primary_hello(state, phone, typed, waiter))
            .await
    }

    async fn paired(
        &self,
        start: impl FnOnce(&mut State, Waiter) -> Result<(), SimError>,
    ) -> Result<String, SimError> {
        let (waiter, outcome) = oneshot::channel();
        self.step(|state| start(state, waiter))?;
        match timeout(PAIRING_LIMIT, outcome).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(SimError::Conflict(
                "the device went away while pairing".to_owned(),
            )),
            Err(_) => Err(SimError::TimedOut("the device to sign its identity")),
        }
    }

    /// Saves a contact; linked devices hear of it by app-state sync.
    pub fn save_contact(&self, phone: &str, contact: &str, name: &str) -> Result<(), SimError> {
        self.step(|state| {
            let contact = digits(contact);
            let lid = state
                .phone(&contact)
                .map(|contact| contact.lid_jid().to_string())
                .unwrap_or_default();
            let owner = state.phone_mut(phone)?;
            owner.contacts.insert(contact.clone(), name.to_owned());
            let index = Jid::pn(contact).to_string();
            let value = contact_value(name, &lid);
            write(
                state,
                phone,
                CONTACTS,
                &["contact", &index],
                &value,
                CONTACT_VERSION,
            )
        })
    }

    /// Writes a message; `to` is a phone number or a JID. Answers the message id.
    pub fn send_text(&self, phone: &str, to: &str, text: &str) -> Result<String, SimError> {
        self.step(|state| {
            let number = state.phone(phone)?.number.clone();
            let chat = Chat::parse(state, to)?;
            send::send(state, &number, &chat, &Draft::text(text))
        })
    }

    /// Sends a file; the kind follows from its MIME type.
    pub fn send_media(&self, phone: &str, to: &str, media: &OutgoingMedia) -> Result<String, SimError> {
        let store = self.look(|state| state.media.clone());
        let draft = files::upload(&store, media)?;
        self.step(|state| {
            let number = state.phone(phone)?.number.clone();
            let chat = Chat::parse(state, to)?;
            send::send(state, &number, &chat, &draft)
        })
    }

    /// Everything the phone sent and received, oldest first.
    pub fn messages(&self, phone: &str) -> Result<Vec<MessageView>, SimError> {
        self.look(|state| {
            Ok(state
                .phone(phone)?
                .messages
                .iter()
                .map(|message| message.view.clone())
                .collect())
        })
    }

    /// The person reads a message: its author and the phone's other devices hear of it.
    pub fn mark_read(&self, phone: &str, chat: &str, id: &str) -> Result<(), SimError> {
        self.step(|state| {
            let chat = Chat::parse(state, chat)?.shown();
            let owner = state.phone(phone)?;
            let unknown = || SimError::NotFound {
                what: "message",
                id: id.to_owned(),
            };
            let message = owner
                .messages
                .iter()
                .find(|message| message.view.id == id && message.view.chat == chat);
            let message = message
                .filter(|message| !message.view.from_me)
                .ok_or_else(unknown)?;
            let author = message.author.parse::<Jid>().map_err(|_| unknown())?;
            let from = if chat.ends_with("@g.us") {
                chat.parse().map_err(|_| unknown())?
            } else {
                author.clone()
            };
            let own = Address::primary(&owner.number);
            for kind in ["read", "read-self"] {
                let mut receipt = receipt_for(id, &from, &author, Some(kind));
                if kind == "read-self" {
                    receipt.attrs.insert("recipient", author.to_non_ad());
                }
                receipt::route(state, &own, &receipt).map_err(|refusal| refused(&refusal))?;
            }
            Ok(())
        })
    }

    /// The person types, records or stops.
    pub fn typing(&self, phone: &str, to: &str, does: TypingState) -> Result<(), SimError> {
        self.step(|state| {
            let own = Address::primary(&state.phone(phone)?.number);
            let chat = Chat::parse(state, to)?;
            let chatstate = Build::new("chatstate")
                .attr("to", jid_of(state, &chat)?)
                .children([match does {
                    TypingState::Composing => empty("composing"),
                    TypingState::Recording => Build::new("composing").attr("media", "audio").build(),
                    TypingState::Paused => empty("paused"),
                }]);
            chatstate::route(state, &own, &chatstate.build()).map_err(|refusal| refused(&refusal))
        })
    }

    /// Unlinks a companion, named by its JID.
    pub fn unlink(&self, phone: &str, device: &str) -> Result<(), SimError> {
        self.step(|state| {
            let unknown = || SimError::NotFound {
                what: "device",
                id: device.to_owned(),
            };
            let jid = device.parse::<Jid>().map_err(|_| unknown())?;
            let number = state.phone(phone)?.number.clone();
            let target = state
                .address_of(&jid)
                .filter(|address| address.phone == number)
                .ok_or_else(unknown)?;
            if devices::remove(state, &target) {
                Ok(())
            } else {
                Err(unknown())
            }
        })
    }

    /// The phone loses its network: stanzas for it wait.
    pub fn set_offline(&self, phone: &str) -> Result<(), SimError> {
        self.step(|state| {
            state.phone_mut(phone)?.online = false;
            Ok(())
        })
    }

    /// The phone is back and receives what waited.
    pub fn set_online(&self, phone: &str) -> Result<(), SimError> {
        self.step(|state| {
            let phone = state.phone_mut(phone)?;
            phone.online = true;
            let (number, waiting) = (phone.number.clone(), std::mem::take(&mut phone.backlog));
            state
                .inbox
                .extend(waiting.into_iter().map(|stanza| (number.clone(), stanza)));
            Ok(())
        })
    }

    /// Rings another phone and its devices; answers the call id.
    pub fn call(&self, phone: &str, to: &str) -> Result<String, SimError> {
        self.step(|state| ring(state, phone, to))
    }

    pub fn calls(&self, phone: &str) -> Result<Vec<CallView>, SimError> {
        self.look(|state| Ok(state.phone(phone)?.calls.clone()))
    }

    /// Hangs up.
    pub fn end_call(&self, phone: &str, call_id: &str) -> Result<(), SimError> {
        self.step(|state| {
            let caller = state.phone(phone)?;
            let call = caller.calls.iter().find(|call| call.call_id == call_id);
            let call = call.ok_or(SimError::NotFound {
                what: "call",
                id: call_id.to_owned(),
            })?;
            let peer = if call.to == caller.number {
                call.from.clone()
            } else {
                call.to.clone()
            };
            let creator = state.phone(&call.from)?.lid_jid();
            let end = Build::new("terminate")
                .attr("call-id", call_id)
                .attr("call-creator", creator)
                .build();
            signal(state, phone, &peer, end)
        })
    }

    /// Makes a group; answers its JID.
    pub fn create_group(
        &self,
        phone: &str,
        subject: &str,
        participants: &[String],
    ) -> Result<String, SimError> {
        self.step(|state| {
            let own = Address::primary(&state.phone(phone)?.number);
            let members = known_numbers(state, participants)?;
            let id = group_change::create(state, &own, subject, &members, GroupSettings::default(), None);
            Ok(Jid::group(id).to_string())
        })
    }

    pub fn change_participants(
        &self,
        phone: &str,
        group: &str,
        changes: &ParticipantChanges,
    ) -> Result<(), SimError> {
        self.step(|state| {
            let own = Address::primary(&state.phone(phone)?.number);
            let Chat::Group(id) = Chat::parse(state, group)? else {
                return Err(SimError::Invalid(format!("{group} is not a group")));
            };
            let parts = [
                (Action::Add, &changes.add),
                (Action::Remove, &changes.remove),
                (Action::Promote, &changes.promote),
                (Action::Demote, &changes.demote),
            ];
            for (action, named) in parts.into_iter().filter(|(_, named)| !named.is_empty()) {
                let members = known_numbers(state, named)?;
                group_change::change_participants(state, &own, &id, action, &members)
                    .map_err(|refusal| refused(&refusal))?;
            }
            Ok(())
        })
    }
}

fn make_phone(state: &mut State, number: &str, name: &str) -> Result<PhoneView, SimError> {
    let number = state.add_phone(number, name)?.number.clone();
    write(
        state,
        &number,
        PROFILE,
        &["setting_pushName"],
        &push_name_value(name),
        1,
    )?;
    Ok(state.phone(&number)?.view())
}

fn phone_by_name(state: &mut State, name: Option<String>) -> Result<String, SimError> {
    let found = name
        .as_ref()
        .and_then(|name| state.phones.values().find(|phone| phone.name == *name));
    if let Some(phone) = found {
        return Ok(phone.number.clone());
    }
    let number = (FIRST_NUMBER..=LAST_NUMBER)
        .map(|number| number.to_string())
        .find(|number| !state.phones.contains_key(number))
        .unwrap_or_default();
    let name = name.unwrap_or_else(|| format!("Phone {number}"));
    make_phone(state, &number, &name)?;
    // Such accounts belong to test harnesses of clients, which count the receipts of their own devices.
    state.phone_mut(&number)?.script = Script::Silent;
    Ok(number)
}

/// Writes app state as the phone and tells the linked devices.
fn write(
    state: &mut State,
    phone: &str,
    collection: &str,
    index: &[&str],
    value: &waproto::whatsapp::SyncActionValue,
    version: i32,
) -> Result<(), SimError> {
    let phone = state.phone_mut(phone)?;
    let number = phone.number.clone();
    let reached = phone.collections.write(collection, index, value, version);
    let reached = reached.map_err(|error| SimError::Invalid(format!("{error:#}")))?;
    appstate::notify(state, &number, None, collection, reached);
    Ok(())
}

fn jid_of(state: &State, chat: &Chat) -> Result<Jid, SimError> {
    match chat {
        Chat::Person(number) => Ok(state.phone(number)?.lid_jid()),
        Chat::Group(id) => Ok(Jid::group(id.as_str())),
    }
}

fn known_numbers(state: &State, named: &[String]) -> Result<Vec<String>, SimError> {
    named
        .iter()
        .map(|number| state.phone(number).map(|phone| phone.number.clone()))
        .collect()
}

fn ring(state: &mut State, phone: &str, to: &str) -> Result<String, SimError> {
    let caller = state.phone(phone)?;
    let (creator, number) = (caller.lid_jid(), caller.pn_jid());
    let call_id = State::new_message_id();
    let audio = |rate: &'static str| Build::new("audio").attr("enc", "opus").attr("rate", rate).build();
    let offer = Build::new("offer")
        .attr("call-id", call_id.as_str())
        .attr("call-creator", creator)
        .attr("caller_pn", number)
        .children([audio("8000"), audio("16000")])
        .build();
    signal(state, phone, to, offer)?;
    Ok(call_id)
}

fn signal(state: &mut State, phone: &str, to: &str, action: Node) -> Result<(), SimError> {
    let own = Address::primary(&state.phone(phone)?.number);
    let to = jid_of(state, &Chat::parse(state, to)?)?;
    let id = state.new_id("CALL");
    let call = Build::new("call")
        .attr("to", to)
        .attr("id", id)
        .attr("platform", "android")
        .attr("version", "2.24.1")
        .children([action])
        .build();
    call::route(state, &own, &call).map_err(|refusal| refused(&refusal))
}

fn refused(refusal: &crate::stanza::Refusal) -> SimError {
    let why = refusal
        .violation
        .clone()
        .unwrap_or_else(|| refusal.text.to_owned());
    match refusal.code {
        404 => SimError::NotFound {
            what: "recipient",
            id: why,
        },
        _ => SimError::Conflict(format!("the server refused: {} {why}", refusal.code)),
    }
}

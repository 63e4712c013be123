//! A phone as a Signal party: seals and opens messages with its own sessions and sender keys.
//!
//! The stores answer at once, so every operation is over when its future has been polled once; that lets the world
//! do Signal work inside its lock, one stanza after the other, which is what keeps sessions free of races.

use crate::phone::keys::{Secret, rng};
use crate::phone::store::{Identities, NoOneTimeKeys, Records, SignedKeys};
use crate::world::account::{PublicKeys, SignedKey};
use crate::world::address::Address;
use anyhow::{Context as _, bail, ensure};
use futures_util::FutureExt as _;
use serde::{Deserialize, Serialize};
use wacore_libsignal::protocol::{
    CiphertextMessage, IdentityKey, PreKeyBundle, PreKeyId, PreKeySignalMessage, PublicKey,
    SenderKeyDistributionMessage, SenderKeyName, SenderKeyRecord, SessionRecord, SignalMessage,
    SignedPreKeyId, UsePQRatchet, create_sender_key_distribution_message, group_decrypt, group_encrypt,
    message_decrypt, message_encrypt, process_prekey_bundle, process_sender_key_distribution_message,
};

const SIGNED_PREKEY_ID: u32 = 1;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SignalParty {
    identities: Identities,
    signed: SignedKeys,
    sessions: Records<SessionRecord>,
    sender_keys: Records<SenderKeyRecord>,
}

/// An encrypted message and the value of its `enc` node's `type`.
#[derive(Debug, Clone)]
pub struct Sealed {
    pub kind: &'static str,
    pub bytes: Vec<u8>,
}

impl SignalParty {
    pub fn generate(serial: u32) -> Self {
        let own = Secret::generate();
        let key = Secret::generate();
        let signature = own.sign(&key.pair().public_key.serialize());
        Self {
            identities: Identities::new(own, 4_000 + serial),
            signed: SignedKeys {
                id: SIGNED_PREKEY_ID,
                key,
                signature,
            },
            sessions: Records::default(),
            sender_keys: Records::default(),
        }
    }

    pub fn identity(&self) -> &Secret {
        &self.identities.own
    }

    pub fn registration(&self) -> u32 {
        self.identities.registration
    }

    /// What others need to start a session with this phone.
    pub fn public_keys(&self) -> PublicKeys {
        PublicKeys {
            registration: self.registration().to_be_bytes().to_vec(),
            identity: self.identity().public().to_vec(),
            signed: SignedKey {
                id: self.signed.id.to_be_bytes()[1..].to_vec(),
                public: self.signed.key.public().to_vec(),
                signature: self.signed.signature.clone(),
            },
            pool: std::collections::VecDeque::new(),
        }
    }

    pub fn has_session(&self, peer: &Address) -> bool {
        self.sessions.contains(peer.protocol().as_str())
    }

    pub fn forget_session(&mut self, peer: &Address) {
        self.sessions.forget(peer.protocol().as_str());
    }

    /// Starts a session from a bundle; `one_time` has already been taken from the peer's pool.
    pub fn start_session(
        &mut self,
        peer: &Address,
        keys: &PublicKeys,
        one_time: Option<(Vec<u8>, Vec<u8>)>,
    ) -> anyhow::Result<()> {
        let one_time = one_time
            .map(|(id, key)| anyhow::Ok((PreKeyId::from(number(&id)), public(&key)?)))
            .transpose()?;
        let bundle = PreKeyBundle::new(
            number(&keys.registration),
            u32::from(peer.device).into(),
            one_time,
            SignedPreKeyId::from(number(&keys.signed.id)),
            public(&keys.signed.public)?,
            keys.signed.signature.clone(),
            IdentityKey::new(public(&keys.identity)?),
        )?;
        let Self {
            identities, sessions, ..
        } = self;
        at_once(process_prekey_bundle(
            &peer.protocol(),
            sessions,
            identities,
            &bundle,
            &mut rng(),
            UsePQRatchet::No,
        ))??;
        Ok(())
    }

    pub fn seal(&mut self, peer: &Address, plaintext: &[u8]) -> anyhow::Result<Sealed> {
        let Self {
            identities, sessions, ..
        } = self;
        let sealed = at_once(message_encrypt(plaintext, &peer.protocol(), sessions, identities))??;
        match sealed {
            CiphertextMessage::PreKeySignalMessage(message) => Ok(Sealed {
                kind: "pkmsg",
                bytes: message.serialized().to_vec(),
            }),
            CiphertextMessage::SignalMessage(message) => Ok(Sealed {
                kind: "msg",
                bytes: message.serialized().to_vec(),
            }),
            _ => bail!("unexpected kind of ciphertext"),
        }
    }

    /// Opens a `pkmsg` or `msg`; the plaintext is still padded.
    pub fn open(&mut self, peer: &Address, kind: &str, bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
        let sealed = match kind {
            "pkmsg" => CiphertextMessage::PreKeySignalMessage(PreKeySignalMessage::try_from(bytes)?),
            "msg" => CiphertextMessage::SignalMessage(SignalMessage::try_from(bytes)?),
            other => bail!("unknown enc type {other}"),
        };
        let Self {
            identities,
            sessions,
            signed,
            ..
        } = self;
        let opened = at_once(message_decrypt(
            &sealed,
            &peer.protocol(),
            sessions,
            identities,
            &mut NoOneTimeKeys,
            signed,
            &mut rng(),
            UsePQRatchet::No,
        ))??;
        Ok(opened.plaintext)
    }

    /// The phone's own sender key for a group, to be sent to those who lack it.
    pub fn distribution(&mut self, own: &Address, group: &str) -> anyhow::Result<Vec<u8>> {
        let name = sender_key_name(own, group);
        let message = at_once(create_sender_key_distribution_message(
            &name,
            &mut self.sender_keys,
            &mut rng(),
        ))??;
        Ok(message.serialized().to_vec())
    }

    pub fn seal_group(&mut self, own: &Address, group: &str, plaintext: &[u8]) -> anyhow::Result<Sealed> {
        let name = sender_key_name(own, group);
        let message = at_once(group_encrypt(&mut self.sender_keys, &name, plaintext, &mut rng()))??;
        Ok(Sealed {
            kind: "skmsg",
            bytes: message.serialized().to_vec(),
        })
    }

    /// Starts a new sender key with the next message: whoever left must not read on.
    pub fn rotate_sender_key(&mut self, own: &Address, group: &str) {
        self.sender_keys.forget(sender_key_name(own, group).cache_key());
    }

    pub fn learn_sender_key(
        &mut self,
        peer: &Address,
        group: &str,
        distribution: &[u8],
    ) -> anyhow::Result<()> {
        let message = SenderKeyDistributionMessage::try_from(distribution)?;
        let name = sender_key_name(peer, group);
        at_once(process_sender_key_distribution_message(
            &name,
            &message,
            &mut self.sender_keys,
        ))??;
        Ok(())
    }

    pub fn open_group(&mut self, peer: &Address, group: &str, bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
        let name = sender_key_name(peer, group);
        Ok(at_once(group_decrypt(bytes, &mut self.sender_keys, &name))??)
    }
}

fn sender_key_name(sender: &Address, group: &str) -> SenderKeyName {
    SenderKeyName::from_parts(group, sender.protocol().as_str())
}

/// Big-endian number of up to four bytes, as ids travel.
pub fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte))
}

fn public(bytes: &[u8]) -> anyhow::Result<PublicKey> {
    ensure!(bytes.len() == 32, "a public key has 32 bytes");
    Ok(PublicKey::from_djb_public_key_bytes(bytes)?)
}

fn at_once<T>(operation: impl Future<Output = T>) -> anyhow::Result<T> {
    operation
        .now_or_never()
        .context("a Signal store kept an operation waiting")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (SignalParty, Address, SignalParty, Address) {
        let (ann, bob) = (Address::primary("4911"), Address::primary("4922"));
        (SignalParty::generate(1), ann, SignalParty::generate(2), bob)
    }

    #[test]
    fn two_phones_talk_both_ways() {
        let (mut ann, at_ann, mut bob, at_bob) = pair();
        ann.start_session(&at_bob, &bob.public_keys(), None).unwrap();
        let hello = ann.seal(&at_bob, b"hello").unwrap();
        assert_eq!(hello.kind, "pkmsg");
        assert_eq!(bob.open(&at_ann, hello.kind, &hello.bytes).unwrap(), b"hello");
        let back = bob.seal(&at_ann, b"back").unwrap();
        assert_eq!(back.kind, "msg");
        assert_eq!(ann.open(&at_bob, back.kind, &back.bytes).unwrap(), b"back");
    }

    #[test]
    fn a_stored_party_goes_on_where_it_stopped() {
        let (mut ann, at_ann, mut bob, at_bob) = pair();
        ann.start_session(&at_bob, &bob.public_keys(), None).unwrap();
        let hello = ann.seal(&at_bob, b"hello").unwrap();
        bob.open(&at_ann, hello.kind, &hello.bytes).unwrap();
        let stored = serde_json::to_string(&bob).unwrap();
        let mut bob: SignalParty = serde_json::from_str(&stored).unwrap();
        let back = bob.seal(&at_ann, b"back").unwrap();
        assert_eq!(ann.open(&at_bob, back.kind, &back.bytes).unwrap(), b"back");
    }

    #[test]
    fn group_messages_need_the_sender_key() {
        let (mut ann, at_ann, mut bob, _) = pair();
        let distribution = ann.distribution(&at_ann, "1@g.us").unwrap();
        let sealed = ann.seal_group(&at_ann, "1@g.us", b"all").unwrap();
        assert!(bob.open_group(&at_ann, "1@g.us", &sealed.bytes).is_err());
        bob.learn_sender_key(&at_ann, "1@g.us", &distribution).unwrap();
        assert_eq!(bob.open_group(&at_ann, "1@g.us", &sealed.bytes).unwrap(), b"all");
    }
}

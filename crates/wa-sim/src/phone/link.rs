//! How a phone takes in a companion: the identity container it signs, and its half of the phone-code exchange.
//!
//! The prefixes and the order of signing are those that clients verify (seen in wacore 0.7.0 `pair.rs`).

use crate::clock;
use crate::phone::keys::{Secret, verify};
use crate::world::account::Phone;
use anyhow::{Context as _, ensure};
use buffa::Message as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use wacore::crypto::hkdf_sha256_into;
use wacore::libsignal::crypto::aes_256_gcm_decrypt;
use waproto::whatsapp as wa;

const ACCOUNT_PREFIX: [u8; 2] = [6, 0];
const DEVICE_PREFIX: [u8; 2] = [6, 1];
const KEY_INDEX_PREFIX: [u8; 2] = [6, 2];

/// The identity of a new companion, vouched for by the account.
pub struct Vouched {
    /// Encoded `ADVDeviceIdentity`.
    pub details: Vec<u8>,
    /// Encoded `ADVSignedDeviceIdentityHMAC`: what `pair-success` carries.
    pub container: Vec<u8>,
}

pub fn vouch(
    phone: &Phone,
    key_index: u32,
    companion_identity: &[u8],
    adv_secret: &[u8],
) -> anyhow::Result<Vouched> {
    let details = wa::ADVDeviceIdentity {
        raw_id: Some(phone.raw_id),
        timestamp: Some(clock::now()),
        key_index: Some(key_index),
        ..Default::default()
    }
    .encode_to_vec();
    let account = phone.signal.identity();
    let signed = wa::ADVSignedDeviceIdentity {
        account_signature: Some(
            account.sign(&[&ACCOUNT_PREFIX, details.as_slice(), companion_identity].concat()),
        ),
        account_signature_key: Some(account.public().to_vec()),
        details: Some(details.clone()),
        ..Default::default()
    }
    .encode_to_vec();
    let mut mac = Hmac::<Sha256>::new_from_slice(adv_secret).context("ADV secret")?;
    mac.update(&signed);
    let container = wa::ADVSignedDeviceIdentityHMAC {
        details: Some(signed),
        hmac: Some(mac.finalize().into_bytes().to_vec()),
        ..Default::default()
    }
    .encode_to_vec();
    Ok(Vouched { details, container })
}

/// Checks the companion's signature under its identity; it signs what the phone vouched for.
pub fn check_device_signature(
    phone: &Phone,
    companion_identity: &[u8],
    details: &[u8],
    identity: &[u8],
) -> anyhow::Result<()> {
    let signed = wa::ADVSignedDeviceIdentity::decode_from_slice(identity)?;
    ensure!(
        signed.details.as_deref() == Some(details),
        "the device signed other details"
    );
    let account = phone.signal.identity().public();
    let message = [&DEVICE_PREFIX, details, companion_identity, &account].concat();
    let signature = signed.device_signature.unwrap_or_default();
    ensure!(
        verify(companion_identity, &message, &signature),
        "bad device signature"
    );
    let message = [&ACCOUNT_PREFIX, details, companion_identity].concat();
    let signature = signed.account_signature.unwrap_or_default();
    ensure!(verify(&account, &message, &signature), "bad account signature");
    Ok(())
}

/// The account's signed list of valid companions; clients skip companions of an account that serves none.
pub fn key_index_list(phone: &Phone) -> Vec<u8> {
    let details = wa::ADVKeyIndexList {
        raw_id: Some(phone.raw_id),
        timestamp: Some(clock::now()),
        current_index: Some(phone.last_key_index),
        valid_indexes: phone.linked().map(|(_, device)| device.key_index).collect(),
        ..Default::default()
    }
    .encode_to_vec();
    let account = phone.signal.identity();
    wa::ADVSignedKeyIndexList {
        account_signature: Some(account.sign(&[&KEY_INDEX_PREFIX, details.as_slice()].concat())),
        account_signature_key: Some(account.public().to_vec()),
        details: Some(details),
    }
    .encode_to_vec()
}

/// Opens the key bundle of `companion_finish` and derives the secret that authenticates `pair-success`.
///
/// Layout: salt 32, nonce 12, then sealed companion identity, primary identity and 32 random bytes.
pub fn open_key_bundle(
    account: &Secret,
    ephemeral: &Secret,
    companion_ephemeral: &[u8],
    companion_identity: &[u8],
    bundle: &[u8],
) -> anyhow::Result<[u8; 32]> {
    let (salt, rest) = bundle.split_at_checked(32).context("short key bundle")?;
    let (nonce, sealed) = rest.split_at_checked(12).context("short key bundle")?;
    let shared = ephemeral.agree(companion_ephemeral)?;
    let mut key = [0; 32];
    hkdf_sha256_into(
        &shared,
        Some(salt),
        b"link_code_pairing_key_bundle_encryption_key",
        &mut key,
    )
    .map_err(|_| anyhow::anyhow!("bundle key derivation"))?;
    let mut opened = Vec::new();
    aes_256_gcm_decrypt(&key, nonce.try_into()?, b"", sealed, &mut opened)
        .map_err(|_| anyhow::anyhow!("the code is not the one that the device shows"))?;
    ensure!(opened.len() == 96, "the key bundle has another size");
    ensure!(
        opened[..32] == *companion_identity,
        "the key bundle names another companion"
    );
    ensure!(
        opened[32..64] == account.public(),
        "the key bundle names another account"
    );
    let identity_shared = account.agree(companion_identity)?;
    let mut secret = [0; 32];
    hkdf_sha256_into(
        &[&shared, &identity_shared, &opened[64..]].concat(),
        None,
        b"adv_secret",
        &mut secret,
    )
    .map_err(|_| anyhow::anyhow!("ADV secret derivation"))?;
    Ok(secret)
}

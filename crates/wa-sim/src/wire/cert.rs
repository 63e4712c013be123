//! The server's Noise identity and the certificate chain that vouches for it.
//!
//! The chain is real (root signs intermediate, intermediate signs leaf), so that any client that can be
//! told whom to trust verifies the simulator as it would verify WhatsApp.

use crate::clock;
use crate::phone::keys::Secret;
use buffa::{Message as _, MessageField};
use serde::{Deserialize, Serialize};
use waproto::whatsapp::CertChain;
use waproto::whatsapp::cert_chain::NoiseCertificate;
use waproto::whatsapp::cert_chain::noise_certificate::Details;

const DAY: u64 = 86_400;

/// Keys that outlive a restart, so that clients that pinned them may use Noise IK again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServerIdentity {
    root: Secret,
    noise: Secret,
    chain: Vec<u8>,
}

impl ServerIdentity {
    pub fn generate() -> Self {
        let (root, intermediate, noise) = (Secret::generate(), Secret::generate(), Secret::generate());
        let chain = CertChain {
            leaf: MessageField::some(certificate(2, 1, &noise, &intermediate)),
            intermediate: MessageField::some(certificate(1, 0, &intermediate, &root)),
        };
        Self {
            chain: chain.encode_to_vec(),
            root,
            noise,
        }
    }

    pub fn noise(&self) -> &Secret {
        &self.noise
    }

    pub fn chain(&self) -> &[u8] {
        &self.chain
    }

    pub fn root_key(&self) -> [u8; 32] {
        self.root.public()
    }
}

fn certificate(serial: u32, issuer: u32, subject: &Secret, signer: &Secret) -> NoiseCertificate {
    let details = Details {
        serial: Some(serial),
        issuer_serial: Some(issuer),
        key: Some(subject.public().to_vec()),
        not_before: Some(clock::now() - DAY),
        not_after: Some(clock::now() + 3650 * DAY),
    }
    .encode_to_vec();
    let signature = signer.sign(&details);
    NoiseCertificate {
        details: Some(details),
        signature: Some(signature),
    }
}

//! Proof, at run time, of whether server verification is compiled in. Cargo unifies features across a
//! build, so no code of ours can promise that the dangerous one is off: this asks the code that runs.

use wagate_domain::{Error, Result};
use whatsapp_rust::buffa::{Message as _, MessageField};
use whatsapp_rust::wacore::handshake::HandshakeUtils;
use whatsapp_rust::waproto::whatsapp::{CertChain, cert_chain};

/// Whether this build refuses a server that WhatsApp did not sign: a chain that is perfect but for
/// its signatures is put to the verifier that every connection goes through.
pub fn verification_is_on() -> bool {
    let static_key = [7; 32];
    HandshakeUtils::verify_server_cert(&forged_chain(static_key), &static_key).is_err()
}

/// Fails unless [`verification_is_on`]. A production binary calls this before it does anything else.
pub fn assert_verification_on() -> Result<()> {
    if verification_is_on() {
        Ok(())
    } else {
        Err(Error::internal(
            "this build accepts any WhatsApp server; it is for simulation only",
        ))
    }
}

/// A well-formed chain whose two signatures are zeros. It must be perfect in every other way: a
/// malformed one would be refused by any build and prove nothing.
fn forged_chain(static_key: [u8; 32]) -> Vec<u8> {
    let certificate = |serial: u32, issuer_serial: u32, key: [u8; 32]| {
        let details = cert_chain::noise_certificate::Details {
            serial: Some(serial),
            issuer_serial: Some(issuer_serial),
            key: Some(key.to_vec()),
            not_before: Some(0),
            not_after: Some(u64::from(u32::MAX)),
        };
        MessageField::some(cert_chain::NoiseCertificate {
            details: Some(details.encode_to_vec()),
            signature: Some(vec![0; 64]),
        })
    };
    CertChain {
        leaf: certificate(2, 1, static_key),
        intermediate: certificate(1, 0, [9; 32]),
    }
    .encode_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probe_tells_which_build_this_is() {
        assert_eq!(verification_is_on(), !cfg!(feature = "sim"));
        assert_eq!(assert_verification_on().is_ok(), !cfg!(feature = "sim"));
    }

    #[test]
    fn a_chain_for_another_key_is_refused_by_every_build() {
        assert!(HandshakeUtils::verify_server_cert(&forged_chain([7; 32]), &[8; 32]).is_err());
    }
}

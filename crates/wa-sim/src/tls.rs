//! TLS for clients that insist on it: a certificate made at start, which only a client told to be careless accepts.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use crate::Error;

/// First byte of a TLS handshake record; no HTTP method starts with it.
pub(crate) const HANDSHAKE: u8 = 0x16;
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// An acceptor with a fresh self-signed certificate for this machine's loopback names and `host`.
pub(crate) fn acceptor(host: &str) -> Result<TlsAcceptor, Error> {
    let mut names: Vec<String> = NAMES.map(Into::into).to_vec();
    if !names.iter().any(|name| name == host) {
        names.push(host.to_owned());
    }
    let made = rcgen::generate_simple_self_signed(names).map_err(|error| Error::Tls(error.to_string()))?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|config| {
            config
                .with_no_client_auth()
                .with_single_cert(vec![made.cert.der().clone()], key)
        })
        .map_err(|error| Error::Tls(error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

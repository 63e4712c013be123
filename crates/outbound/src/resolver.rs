//! Names become addresses here, right before the connection is made, and addresses that the policy
//! refuses fall out. A name that changes its mind between check and call finds the guard still there.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::client::Refused;
use crate::policy::TargetPolicy;

/// Looks names up.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// The addresses of a host.
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// Asks the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0))
            .await?
            .map(|address| address.ip())
            .collect())
    }
}

/// The resolver of a guarded client.
#[derive(Clone)]
pub(crate) struct GuardedResolver {
    policy: Arc<TargetPolicy>,
    lookup: Arc<dyn Lookup>,
}

impl GuardedResolver {
    pub(crate) fn new(policy: Arc<TargetPolicy>, lookup: Arc<dyn Lookup>) -> Self {
        Self { policy, lookup }
    }

    /// The permitted addresses of a host. `Ok(None)` says that it has addresses and none is.
    pub(crate) async fn permitted(&self, host: &str) -> io::Result<Option<Vec<IpAddr>>> {
        let mut addresses = self.lookup.lookup(host).await?;
        addresses.retain(|address| self.policy.permits(*address));
        Ok((!addresses.is_empty()).then_some(addresses))
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let addresses = resolver.permitted(name.as_str()).await?.ok_or(Refused)?;
            // Port 0 stands for the port of the address that is called.
            let addresses: Addrs = Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

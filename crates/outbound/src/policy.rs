//! Which addresses may be called: a pure function, so that tables and properties can pin it down.
//! What is not plainly public is refused, also when it hides inside another address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// What the configuration allows beyond public addresses. The default allows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetPolicy {
    /// The machine itself: `127.0.0.0/8` and `::1`.
    pub allow_loopback: bool,
    /// The machine itself and the networks around it: private, shared, unique local and link-local
    /// addresses, but not the metadata services of clouds, which hand out credentials.
    pub allow_private: bool,
    /// Networks that are allowed whatever they are.
    pub allow_cidrs: Vec<IpNet>,
}

/// How far an address reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Zone {
    /// Everybody.
    Public,
    /// This machine.
    Loopback,
    /// This network.
    Private,
    /// Nowhere good: reserved, documentation, multicast, metadata services …
    Forbidden,
}

/// Hand out a machine's credentials to whoever asks from it.
const METADATA_V4: [Ipv4Addr; 4] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(169, 254, 170, 23),
    Ipv4Addr::new(100, 100, 100, 200),
];
const METADATA_V6: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

impl TargetPolicy {
    /// Whether the address may be connected to.
    pub fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        if self.allow_cidrs.iter().any(|network| network.contains(&address)) {
            return true;
        }
        match address {
            IpAddr::V4(address) => self.permits_zone(zone_v4(address)),
            IpAddr::V6(address) => match carried(address) {
                Carried::Nothing => {
                    let inner = isatap(address);
                    self.permits_zone(zone_v6(address))
                        && inner.is_none_or(|inner| self.permits(inner.into()))
                }
                Carried::These(inner) => inner.into_iter().all(|inner| self.permits(inner.into())),
            },
        }
    }

    fn permits_zone(&self, zone: Zone) -> bool {
        match zone {
            Zone::Public => true,
            Zone::Loopback => self.allow_loopback || self.allow_private,
            Zone::Private => self.allow_private,
            Zone::Forbidden => false,
        }
    }
}

fn zone_v4(address: Ipv4Addr) -> Zone {
    if METADATA_V4.contains(&address) {
        return Zone::Forbidden;
    }
    match address.octets() {
        [127, ..] => Zone::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] | [169, 254, ..] => {
            Zone::Private
        }
        // This network, protocol assignments, test networks, 6to4 relays, benchmarks, multicast and
        // reserved with broadcast.
        [0 | 224..=255, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Zone::Forbidden,
        _ => Zone::Public,
    }
}

fn zone_v6(address: Ipv6Addr) -> Zone {
    if METADATA_V6.contains(&address) {
        return Zone::Forbidden;
    }
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Zone::Loopback,
        [0xfc00..=0xfdff | 0xfe80..=0xfebf, ..] => Zone::Private,
        // Protocol assignments and the two documentation prefixes, inside the public block.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Zone::Forbidden,
        [0x2000..=0x3fff, ..] => Zone::Public,
        // With it all of ::/8, local NAT64, site-local, multicast and what nobody has assigned.
        _ => Zone::Forbidden,
    }
}

/// The v4 addresses that a transition mechanism would lead to.
enum Carried {
    Nothing,
    These(Vec<Ipv4Addr>),
}

fn carried(address: Ipv6Addr) -> Carried {
    match address.segments() {
        // NAT64 by the well-known prefix, the only way to v4 in networks that have v6 alone; and 6to4.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            Carried::These(vec![v4(high, low)])
        }
        // Teredo: the server, and the client with every bit turned.
        [0x2001, 0, server_high, server_low, _, _, high, low] => {
            Carried::These(vec![v4(server_high, server_low), v4(!high, !low)])
        }
        _ => Carried::Nothing,
    }
}

/// ISATAP hides a v4 address in the last part of an address of any network, which counts as well.
fn isatap(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [.., 0 | 0x200, 0x5efe, high, low] => Some(v4(high, low)),
        _ => None,
    }
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
mod tests;

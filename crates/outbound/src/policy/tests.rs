//! The table of special addresses, and properties that hold for all of them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::TargetPolicy;

const PUBLIC: &[&str] = &[
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.0.3.1",
    "192.88.98.1",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "2606:4700::1111",
    "2001:200::1",
    "2a00::1",
    "3ffe::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
    "2606:4700::5efe:8.8.8.8",
];

const LOOPBACK: &[&str] = &[
    "127.0.0.1",
    "127.0.0.2",
    "127.1.2.3",
    "127.255.255.255",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:2",
    "64:ff9b::127.0.0.1",
    "2002:7f00:1::",
    "2002:7f00:1:1::1",
    // Teredo: a client behind a public server, a server.
    "2001:0:4136:e378::80ff:fffe",
    "2001:0:7f00:1::f7f7:f7f7",
    "2606:4700::5efe:127.0.0.1",
];

const PRIVATE: &[&str] = &[
    "10.0.0.0",
    "10.255.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.168.0.0",
    "192.168.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "169.254.0.1",
    "169.254.255.255",
    "::ffff:10.0.0.1",
    "64:ff9b::10.0.0.1",
    "2002:a00:1::1",
    "fc00::",
    "fd12:3456::1",
    "fdff:ffff::1",
    "fe80::1",
    "febf::1",
    "2001:0:4136:e378::f5ff:fffe",
    "2001:0:a00:1::f7f7:f7f7",
    // ISATAP: both parts count.
    "2606:4700::200:5efe:10.0.0.1",
    "fe80::5efe:8.8.8.8",
];

const FORBIDDEN: &[&str] = &[
    // Metadata services.
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "100.100.100.200",
    "::ffff:169.254.169.254",
    "64:ff9b::169.254.169.254",
    "2002:a9fe:a9fe::1",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
    // v4.
    "0.0.0.0",
    "0.1.2.3",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.254",
    "255.255.255.255",
    "::ffff:0.0.0.0",
    "::ffff:224.0.0.1",
    // v6.
    "::",
    "::2",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:0:8.8.8.8",
    "100::1",
    "64:ff9b::",
    "64:ff9b:1::1",
    "64:ff9b:1::808:808",
    "64:ff9b:0:1::808:808",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:e000:1::1",
    "2002::",
    "3fff::1",
    "3fff:fff::1",
    "4000::1",
    "5f00::1",
    "8000::1",
    "fbff::1",
    "fe00::1",
    "fec0::1",
    "feff::1",
    "ff00::",
    "ff02::1",
    "ffff::1",
];

fn permitted<'a>(policy: &TargetPolicy, addresses: &[&'a str]) -> Vec<&'a str> {
    addresses
        .iter()
        .copied()
        .filter(|address| policy.permits(address.parse().unwrap()))
        .collect()
}

const NONE: [&str; 0] = [];

#[test]
fn by_default_only_public_addresses() {
    let policy = TargetPolicy::default();
    assert_eq!(permitted(&policy, PUBLIC), PUBLIC);
    for refused in [LOOPBACK, PRIVATE, FORBIDDEN] {
        assert_eq!(permitted(&policy, refused), NONE);
    }
}

#[test]
fn loopback_alone() {
    let policy = TargetPolicy {
        allow_loopback: true,
        ..TargetPolicy::default()
    };
    assert_eq!(permitted(&policy, PUBLIC), PUBLIC);
    assert_eq!(permitted(&policy, LOOPBACK), LOOPBACK);
    assert_eq!(permitted(&policy, PRIVATE), NONE);
    assert_eq!(permitted(&policy, FORBIDDEN), NONE);
}

#[test]
fn private_means_loopback_too_but_never_metadata() {
    let policy = TargetPolicy {
        allow_private: true,
        ..TargetPolicy::default()
    };
    assert_eq!(permitted(&policy, LOOPBACK), LOOPBACK);
    assert_eq!(permitted(&policy, PRIVATE), PRIVATE);
    assert_eq!(permitted(&policy, FORBIDDEN), NONE);
}

#[test]
fn an_allowed_network_wins() {
    let networks = ["192.168.7.0/24", "169.254.169.254/32", "fd00::/16"];
    let policy = TargetPolicy {
        allow_cidrs: networks.iter().map(|network| network.parse().unwrap()).collect(),
        ..TargetPolicy::default()
    };
    let allowed = [
        "192.168.7.9",
        "::ffff:192.168.7.9",
        "64:ff9b::192.168.7.9",
        "169.254.169.254",
        "fd00:ec2::254",
    ];
    assert_eq!(permitted(&policy, &allowed), allowed);
    assert_eq!(
        permitted(&policy, &["192.168.8.1", "127.0.0.1", "fd01::1", "::1"]),
        NONE
    );
}

/// Says the same in other words: the standard library's, where it has them.
fn std_calls_it_special(address: Ipv4Addr) -> bool {
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || address.is_broadcast()
        || address.is_unspecified()
}

fn all_policies() -> impl Strategy<Value = TargetPolicy> {
    (any::<bool>(), any::<bool>()).prop_map(|(allow_loopback, allow_private)| TargetPolicy {
        allow_loopback,
        allow_private,
        allow_cidrs: Vec::new(),
    })
}

proptest! {
    #[test]
    fn nothing_special_is_permitted(bits: u32) {
        let address = Ipv4Addr::from_bits(bits);
        prop_assert!(!(TargetPolicy::default().permits(address.into()) && std_calls_it_special(address)));
    }

    #[test]
    fn a_wrapped_address_is_judged_like_the_bare_one(a: u16, b: u16, policy in all_policies()) {
        let address = Ipv4Addr::from_bits(u32::from(a) << 16 | u32::from(b));
        let bare = policy.permits(address.into());
        let wrapped = [
            address.to_ipv6_mapped(),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, a, b),
            Ipv6Addr::new(0x2002, a, b, 0, 0, 0, 0, 1),
            // Teredo by way of a public server.
            Ipv6Addr::new(0x2001, 0, 0x0808, 0x0808, 0, 0, !a, !b),
            Ipv6Addr::new(0x2606, 0x4700, 0, 0, 0, 0x5efe, a, b),
        ];
        for address in wrapped {
            prop_assert_eq!(policy.permits(IpAddr::V6(address)), bare, "{}", address);
        }
    }

    #[test]
    fn outside_the_public_block_and_the_known_ones_nothing_is_permitted(bits: u128) {
        let address = Ipv6Addr::from_bits(bits);
        let global_unicast = address.segments()[0] >> 13 == 1;
        if TargetPolicy::default().permits(address.into()) {
            prop_assert!(global_unicast || address.to_ipv4_mapped().is_some());
        }
    }

    #[test]
    fn allowing_more_never_refuses_more(bits: u128) {
        let address = IpAddr::V6(Ipv6Addr::from_bits(bits));
        let all = TargetPolicy { allow_loopback: true, allow_private: true, ..TargetPolicy::default() };
        prop_assert!(!TargetPolicy::default().permits(address) || all.permits(address));
    }
}

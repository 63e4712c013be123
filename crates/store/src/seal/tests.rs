//! Stories of one value, one row and one key; and what holds for all of them.

use std::error::Error as _;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const ROW: Place<'static> = Place {
    table: "keys",
    parts: &[b"dev_1", b"\x07", b"prekey:1"],
};

fn key(byte: u8) -> MasterKey {
    MasterKey::from_bytes([byte; 32])
}

fn sealer(current: u8, retired: &[u8]) -> Sealer {
    Sealer::new(Keyring::new(
        key(current),
        retired.iter().copied().map(key).collect(),
    ))
}

/// The sentence behind an internal error.
fn reason(result: Result<Vec<u8>>) -> String {
    let error = result.expect_err("it must not open");
    assert!(matches!(error, Error::Internal(_)), "{error:?}");
    error.source().unwrap().to_string()
}

#[test]
fn the_same_value_is_sealed_differently_each_time() {
    let sealer = sealer(1, &[]);
    let stored: std::collections::BTreeSet<_> = (0..100)
        .map(|_| sealer.seal(&ROW, b"a private key").unwrap())
        .collect();
    assert_eq!(stored.len(), 100);
    for stored in stored {
        assert_eq!(stored.len(), b"a private key".len() + 45);
        assert!(!stored.windows(7).any(|part| part == b"private"));
        assert_eq!(sealer.unseal(&ROW, &stored).unwrap(), b"a private key");
    }
}

/// Sealed by another implementation (libsodium): what was stored once must open for ever.
#[test]
fn what_another_implementation_sealed_opens() {
    let stored = hex::decode(
        "01fa94b452404142434445464748494a4b4c4d4e4f5051525354555657b5197502b9961862ead4ecdbd6f2bd6aaad6baac06be02\
         adbd74011ddb",
    );
    let key: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap());
    let sealer = Sealer::new(Keyring::new(MasterKey::from_bytes(key), Vec::new()));
    assert_eq!(sealer.current().to_string(), "fa94b452");
    assert_eq!(sealer.unseal(&ROW, &stored.unwrap()).unwrap(), b"a private key");
}

#[test]
fn a_flipped_bit_anywhere_is_rejected() {
    let sealer = sealer(1, &[2]);
    let stored = sealer.seal(&ROW, b"a private key").unwrap();
    for bit in 0..stored.len() * 8 {
        let mut damaged = stored.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(sealer.unseal(&ROW, &damaged).is_err(), "bit {bit}");
    }
    for length in 0..stored.len() {
        assert!(
            sealer.unseal(&ROW, &stored[..length]).is_err(),
            "{length} bytes of it"
        );
    }
}

#[test]
fn a_value_opens_in_its_own_row_alone() {
    let sealer = sealer(1, &[]);
    let stored = sealer.seal(&ROW, b"a private key").unwrap();
    let table = Place { table: "key", ..ROW };
    let device = Place {
        parts: &[b"dev_2", b"\x07", b"prekey:1"],
        ..ROW
    };
    let shifted = Place {
        parts: &[b"dev_1\x07", b"", b"prekey:1"],
        ..ROW
    };
    for other in [table, device, shifted] {
        let reason = reason(sealer.unseal(&other, &stored));
        assert_eq!(
            reason,
            format!(
                "a value in table {} does not open: it is damaged, or moved from another row",
                other.table
            )
        );
    }
}

#[test]
fn a_replaced_keyring_is_seen_by_all_and_opens_what_came_before() {
    let sealer = sealer(1, &[]);
    let elsewhere = sealer.clone();
    let before = elsewhere.seal(&ROW, b"a private key").unwrap();
    assert!(elsewhere.is_current(&before));

    sealer.replace(Keyring::new(key(2), vec![key(1)]));
    assert_eq!(elsewhere.current(), key(2).id());
    assert!(!elsewhere.is_current(&before));
    assert_eq!(elsewhere.unseal(&ROW, &before).unwrap(), b"a private key");
    let after = elsewhere.seal(&ROW, b"a private key").unwrap();
    assert!(elsewhere.is_current(&after));

    sealer.replace(Keyring::new(key(2), Vec::new()));
    assert_eq!(elsewhere.unseal(&ROW, &after).unwrap(), b"a private key");
    assert_eq!(
        reason(elsewhere.unseal(&ROW, &before)),
        format!(
            "a value in table keys is sealed with the unknown key {}: its master key is missing",
            key(1).id()
        )
    );
}

#[test]
fn what_was_never_sealed_is_neither_opened_nor_current() {
    let sealer = sealer(1, &[]);
    for plain in [&b""[..], b"\x01", b"plain text", &[0; 100], &[1; 100]] {
        assert!(!sealer.is_current(plain));
        assert!(sealer.unseal(&ROW, plain).is_err());
    }
    assert!(reason(sealer.unseal(&ROW, b"plain text")).contains("is not sealed as expected"));
}

#[test]
fn a_key_is_read_in_every_usual_form() {
    let bytes = [0xfb; 32];
    let text = MasterKey::from_bytes(bytes).to_text();
    assert_eq!(text.len(), 44);
    let hex = hex::encode(bytes);
    let url = text.replace('+', "-").replace('/', "_");
    assert_ne!(url, text, "the example must have a character that differs");
    for form in [
        text.clone(),
        format!("  {text}\n"),
        text.trim_end_matches('=').to_owned(),
        url.clone(),
        url.trim_end_matches('=').to_owned(),
        hex.to_uppercase(),
        hex,
    ] {
        assert_eq!(form.parse::<MasterKey>().unwrap().to_text(), text, "{form}");
    }
}

#[test]
fn what_is_no_key_is_refused_without_being_repeated() {
    for text in [
        "",
        "hunter2",
        "fbfbfbfb",
        &"g".repeat(64),
        &"f".repeat(63),
        &"+".repeat(42),
        &"A".repeat(45),
    ] {
        let error = text.parse::<MasterKey>().expect_err(text);
        assert_eq!(error.code(), "invalid_master_key");
        assert!(text.is_empty() || !error.to_string().contains(text));
    }
}

#[test]
fn generated_keys_differ_and_debug_shows_none() {
    let (one, other) = (MasterKey::generate(), MasterKey::generate());
    assert_ne!(one.id(), other.id());
    let (text, id) = (one.to_text(), one.id().to_string());
    let keyring = Keyring::new(one, vec![other]);
    let shown = format!("{:?}", Sealer::new(keyring));
    assert!(shown.contains(&id) && !shown.contains(&text), "{shown}");
}

#[test]
fn debug_shows_the_table_alone() {
    let place = Place {
        table: "contacts",
        parts: &[b"15550001"],
    };
    assert_eq!(format!("{place:?}"), "Place { table: \"contacts\", .. }");
}

fn encoded(table: &str, parts: &[Vec<u8>]) -> Vec<u8> {
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    let mut encoded = Vec::new();
    Place { table, parts: &parts }.encode(&mut encoded);
    encoded
}

/// Cuts the same bytes at the given points into a table and parts.
fn cut(bytes: &[u8], at: &std::collections::BTreeSet<usize>) -> (String, Vec<Vec<u8>>) {
    let mut pieces = Vec::new();
    let mut from = 0;
    for to in at.iter().copied().chain([bytes.len()]) {
        pieces.push(bytes[from..to].to_vec());
        from = to;
    }
    let table = String::from_utf8(pieces.remove(0)).unwrap();
    (table, pieces)
}

proptest! {
    #[test]
    fn what_is_sealed_opens(
        plain in vec(any::<u8>(), 0..2_000),
        table in "[a-z_]{1,12}",
        parts in vec(vec(any::<u8>(), 0..40), 0..5),
        secret: [u8; 32],
    ) {
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let place = Place { table: &table, parts: &parts };
        let sealer = Sealer::new(Keyring::new(MasterKey::from_bytes(secret), Vec::new()));
        let stored = sealer.seal(&place, &plain).unwrap();
        prop_assert!(sealer.is_current(&stored));
        prop_assert_eq!(sealer.unseal(&place, &stored).unwrap(), plain);
    }

    #[test]
    fn garbage_neither_opens_nor_panics(garbage in vec(any::<u8>(), 0..200)) {
        let sealer = sealer(1, &[]);
        let mut named = vec![VERSION];
        named.extend(sealer.current().0);
        named.extend(&garbage);
        prop_assert!(sealer.unseal(&ROW, &garbage).is_err());
        prop_assert!(sealer.unseal(&ROW, &named).is_err());
    }

    #[test]
    fn text_and_key_are_the_same(secret: [u8; 32]) {
        let key = MasterKey::from_bytes(secret);
        let again: MasterKey = key.to_text().parse().unwrap();
        prop_assert_eq!(again.to_text(), key.to_text());
        prop_assert_eq!(again.id(), key.id());
        let from_hex: MasterKey = hex::encode(secret).parse().unwrap();
        prop_assert_eq!(from_hex.to_text(), key.to_text());
    }

    /// Few letters and short parts, zero bytes as in a length: what could be mistaken for one another.
    #[test]
    fn two_places_never_encode_alike(
        (table, parts) in ("[a\0]{0,2}", vec(vec(0_u8..2, 0..9), 0..3)),
        (other_table, other_parts) in ("[a\0]{0,2}", vec(vec(0_u8..2, 0..9), 0..3)),
    ) {
        let same = table == other_table && parts == other_parts;
        prop_assert_eq!(encoded(&table, &parts) == encoded(&other_table, &other_parts), same);
    }

    /// The same bytes in a row, cut at other points.
    #[test]
    fn a_part_never_reaches_into_the_next(
        bytes in "[a\0]{1,30}",
        cuts in proptest::collection::btree_set(0_usize..30, 0..4),
        other_cuts in proptest::collection::btree_set(0_usize..30, 0..4),
    ) {
        prop_assume!(cuts != other_cuts);
        let bytes = format!("{bytes:a<30}").into_bytes();
        let (table, parts) = cut(&bytes, &cuts);
        let (other_table, other_parts) = cut(&bytes, &other_cuts);
        prop_assert_ne!(encoded(&table, &parts), encoded(&other_table, &other_parts));
    }
}

//! Keeps guessing slow: after a few failures for a name or from an address the next attempts wait. In memory: a
//! restart forgives, and costs whoever guesses more than it gives.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::model::{AdminName, Timestamp};
use crate::{Error, Result};

/// Failures that are allowed within the [`WINDOW`].
const MAX_FAILURES: usize = 5;
/// How long a failure counts.
const WINDOW: Duration = Duration::from_mins(15);
/// Most names, and most addresses, that are remembered.
const MAX_REMEMBERED: usize = 10_000;

/// Failures by name and by address.
#[derive(Debug, Default)]
pub(super) struct Throttle(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    names: Failures<AdminName>,
    addresses: Failures<IpAddr>,
}

/// An attempt whose end is not known yet. It counts as a failure from its beginning, so that many at once are no way
/// around the limit.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    throttle: &'a Throttle,
    name: Option<AdminName>,
    address: IpAddr,
    at: Timestamp,
}

impl Throttle {
    /// Begins an attempt, or says how long to wait.
    pub(super) fn begin(
        &self,
        name: Option<&AdminName>,
        from: IpAddr,
        now: Timestamp,
    ) -> Result<Attempt<'_>> {
        let address = network(from);
        let mut state = self.state();
        let by_name = name.and_then(|name| state.names.wait(name, now));
        let wait = by_name.max(state.addresses.wait(&address, now));
        if let Some(retry_after) = wait {
            return Err(Error::Throttled { retry_after });
        }
        if let Some(name) = name {
            state.names.add(name.clone(), now);
        }
        state.addresses.add(address, now);
        Ok(Attempt {
            throttle: self,
            name: name.cloned(),
            address,
            at: now,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// It was no failure.
    pub(super) fn forgive(self) {
        let mut state = self.throttle.state();
        if let Some(name) = &self.name {
            state.names.remove(name, self.at);
        }
        state.addresses.remove(&self.address, self.at);
    }
}

/// When each of these failed, the last few times, oldest first.
#[derive(Debug)]
struct Failures<K>(HashMap<K, VecDeque<Timestamp>>);

impl<K> Default for Failures<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Clone + Eq + Hash> Failures<K> {
    /// How long this one has to wait; `None` when not at all.
    fn wait(&mut self, key: &K, now: Timestamp) -> Option<Duration> {
        let failures = self.0.get_mut(key)?;
        failures.retain(|at| counts(*at, now));
        let oldest = failures.front().filter(|_| failures.len() >= MAX_FAILURES)?;
        Some(WINDOW.saturating_sub(now.since(*oldest)))
    }

    fn add(&mut self, key: K, now: Timestamp) {
        if !self.0.contains_key(&key) && self.0.len() >= MAX_REMEMBERED {
            self.make_room(now);
        }
        self.0.entry(key).or_default().push_back(now);
    }

    fn remove(&mut self, key: &K, at: Timestamp) {
        if let Some(failures) = self.0.get_mut(key) {
            if let Some(index) = failures.iter().position(|other| *other == at) {
                failures.remove(index);
            }
            if failures.is_empty() {
                self.0.remove(key);
            }
        }
    }

    /// Forgets what does not count any more, or else whoever failed least and longest ago: one who is waiting is not
    /// let off by a crowd of strangers.
    fn make_room(&mut self, now: Timestamp) {
        self.0
            .retain(|_, failures| failures.back().is_some_and(|at| counts(*at, now)));
        if self.0.len() < MAX_REMEMBERED {
            return;
        }
        let least = self
            .0
            .iter()
            .min_by_key(|(_, failures)| (failures.len(), failures.back().copied()))
            .map(|(key, _)| key.clone());
        if let Some(key) = least {
            self.0.remove(&key);
        }
    }
}

fn counts(at: Timestamp, now: Timestamp) -> bool {
    now.since(at) < WINDOW
}

/// Whom an address stands for: one IPv4 address, or the network of 64 bits that one customer gets in IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp(1_767_225_600_000);

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn name(text: &str) -> AdminName {
        text.parse().unwrap()
    }

    fn fail(throttle: &Throttle, who: &str, from: &str, now: Timestamp) -> Option<Duration> {
        match throttle.begin(Some(&name(who)), address(from), now) {
            Ok(_) => None,
            Err(Error::Throttled { retry_after }) => Some(retry_after),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn five_failures_are_enough_for_a_name_and_for_an_address() {
        for (who, from, waits) in [
            ("siti", "192.0.2.1", true),
            ("siti", "198.51.100.7", true),
            ("budi", "192.0.2.1", true),
            ("budi", "198.51.100.7", false),
            ("Siti", "198.51.100.7", false),
        ] {
            let throttle = Throttle::default();
            for second in 0..5 {
                let now = T0 + Duration::from_secs(second);
                assert_eq!(fail(&throttle, "siti", "192.0.2.1", now), None);
            }
            let now = T0 + Duration::from_mins(1);
            let want = waits.then(|| WINDOW.saturating_sub(Duration::from_mins(1)));
            assert_eq!(fail(&throttle, who, from, now), want, "{who} {from}");
        }
    }

    #[test]
    fn each_failure_counts_for_fifteen_minutes() {
        let throttle = Throttle::default();
        for minute in 0..5 {
            let now = T0 + Duration::from_mins(minute);
            assert_eq!(fail(&throttle, "siti", "192.0.2.1", now), None);
        }
        let almost = T0 + WINDOW - Duration::from_millis(1);
        assert_eq!(
            fail(&throttle, "siti", "192.0.2.1", almost),
            Some(Duration::from_millis(1))
        );
        assert_eq!(fail(&throttle, "siti", "192.0.2.1", T0 + WINDOW), None);
        let next = fail(&throttle, "siti", "192.0.2.1", T0 + WINDOW);
        assert_eq!(next, Some(Duration::from_mins(1)));
    }

    #[test]
    fn what_is_forgiven_does_not_count() {
        let throttle = Throttle::default();
        for _ in 0..20 {
            let attempt = throttle.begin(Some(&name("siti")), address("192.0.2.1"), T0);
            attempt.unwrap().forgive();
        }
        let state = throttle.state();
        assert!(state.names.0.is_empty() && state.addresses.0.is_empty());
    }

    #[test]
    fn attempts_at_once_are_counted_before_they_end() {
        let throttle = Throttle::default();
        let from = address("192.0.2.1");
        let running: Vec<_> = (0..5).map(|_| throttle.begin(None, from, T0).unwrap()).collect();
        assert!(throttle.begin(None, from, T0).is_err());
        for attempt in running {
            attempt.forgive();
        }
        assert!(throttle.begin(None, from, T0).is_ok());
    }

    #[test]
    fn one_customer_of_ipv6_is_one_address() {
        for (one, other, same) in [
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
            ("::ffff:192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
        ] {
            assert_eq!(
                network(address(one)) == network(address(other)),
                same,
                "{one} {other}"
            );
        }
    }

    #[test]
    fn memory_is_bounded_and_a_crowd_frees_nobody() {
        let throttle = Throttle::default();
        for _ in 0..5 {
            fail(&throttle, "siti", "192.0.2.1", T0);
        }
        for number in 0..u32::try_from(MAX_REMEMBERED).unwrap() + 50 {
            let from = IpAddr::from((0x0a00_0000 + number).to_be_bytes());
            let crowd = name(&format!("name {number}"));
            throttle
                .begin(Some(&crowd), from, T0 + Duration::from_secs(1))
                .unwrap();
        }
        {
            let state = throttle.state();
            assert_eq!(state.names.0.len(), MAX_REMEMBERED);
            assert_eq!(state.addresses.0.len(), MAX_REMEMBERED);
        }
        assert!(fail(&throttle, "siti", "198.51.100.7", T0).is_some());
        fail(&throttle, "late", "198.51.100.7", T0 + Duration::from_hours(1));
        assert_eq!(
            throttle.state().names.0.len(),
            1,
            "what is old goes when room is needed"
        );
    }
}

//! When to try again: pure functions, so that eight days of retries are tested in a millisecond.

use std::time::Duration;

use chrono::DateTime;
use wagate_domain::model::Timestamp;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// A wait is made longer by up to this share, so that receivers are not met by everybody at once.
const JITTER: f64 = 0.2;
/// A receiver may ask for this much or for twice the scheduled wait: what asks for a year is answered
/// like what asks for an hour.
const LONGEST_WISH: Duration = HOUR;
/// An event that waited behind others, or while the gateway was down, is old at its first attempt. It
/// gets a second one.
const FEWEST_ATTEMPTS: u32 = 2;

/// How long to wait after each failed attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// After the first attempt, the second …
    pub steps: Vec<Duration>,
    /// After all later ones.
    pub then: Duration,
    /// An event at least this old is given up when an attempt fails.
    pub horizon: Duration,
}

impl Default for Schedule {
    /// 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, then daily until the event is 8 days old.
    fn default() -> Self {
        let steps = vec![
            Duration::from_secs(5),
            5 * MINUTE,
            30 * MINUTE,
            2 * HOUR,
            5 * HOUR,
            10 * HOUR,
        ];
        Self {
            steps,
            then: DAY,
            horizon: 8 * DAY,
        }
    }
}

impl Schedule {
    /// The wait after `attempts` failed attempts at an event of this age; `None` ends it. `asked` is
    /// what the receiver wants, `chance` is in 0..1.
    pub fn wait(
        &self,
        attempts: u32,
        age: Duration,
        asked: Option<Duration>,
        chance: f64,
    ) -> Option<Duration> {
        if age >= self.horizon && attempts >= FEWEST_ATTEMPTS {
            return None;
        }
        let base = self.base(attempts);
        let longest = (2 * base).max(LONGEST_WISH);
        let wait = asked.map_or(base, |asked| asked.clamp(base, longest));
        Some(wait.mul_f64(1.0 + JITTER * chance.clamp(0.0, 1.0)))
    }

    fn base(&self, attempts: u32) -> Duration {
        let step = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        self.steps.get(step).copied().unwrap_or(self.then)
    }
}

/// How long a `Retry-After` header asks to wait: seconds or a date.
pub(crate) fn asked_wait(header: &str, now: Timestamp) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTime::parse_from_rfc2822(header).ok()?;
    Some(Timestamp(date.timestamp_millis()).since(now))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The ages of all attempts at an event whose receiver never answers.
    fn ages(chance: f64) -> Vec<Duration> {
        let mut ages = vec![Duration::ZERO];
        let mut age = Duration::ZERO;
        while let Some(wait) = Schedule::default().wait(u32::try_from(ages.len()).unwrap(), age, None, chance)
        {
            age += wait;
            ages.push(age);
        }
        ages
    }

    #[test]
    fn the_schedule_to_the_second() {
        let waits = [5, 300, 1800, 7200, 18_000, 36_000];
        let daily = std::iter::repeat_n(86_400, 8);
        let mut age = 0;
        let mut expected = vec![0];
        for wait in waits.into_iter().chain(daily) {
            age += wait;
            expected.push(age);
        }
        assert_eq!(
            ages(0.0),
            expected.into_iter().map(Duration::from_secs).collect::<Vec<_>>()
        );
    }

    #[test]
    fn an_old_event_has_two_attempts() {
        let schedule = Schedule::default();
        assert_eq!(
            schedule.wait(1, 30 * DAY, None, 0.0),
            Some(Duration::from_secs(5))
        );
        assert_eq!(schedule.wait(2, 30 * DAY, None, 0.0), None);
    }

    #[test]
    fn a_wish_is_granted_within_bounds() {
        let wait = |attempts, seconds| {
            Schedule::default().wait(attempts, DAY, Some(Duration::from_secs(seconds)), 0.0)
        };
        assert_eq!(wait(1, 0), Some(Duration::from_secs(5)));
        assert_eq!(wait(1, 90), Some(Duration::from_secs(90)));
        assert_eq!(wait(1, u64::MAX), Some(HOUR));
        assert_eq!(wait(6, 1), Some(10 * HOUR));
        assert_eq!(wait(6, 11 * 3600), Some(11 * HOUR));
        assert_eq!(wait(6, u64::MAX), Some(20 * HOUR));
    }

    #[test]
    fn retry_after_in_both_forms() {
        let now = Timestamp::from_secs(784_111_777);
        for (header, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(
                asked_wait(header, now),
                seconds.map(Duration::from_secs),
                "{header}"
            );
        }
    }

    proptest! {
        #[test]
        fn attempts_go_on_for_eight_days_and_end(chance in 0.0..1.0) {
            let ages = ages(chance);
            let last = ages.last().copied().unwrap_or_default();
            prop_assert!((8 * DAY..11 * DAY).contains(&last), "{last:?}");
            prop_assert!((13..=15).contains(&ages.len()));
        }

        #[test]
        fn a_wait_is_never_shorter_than_scheduled_nor_much_longer(
            attempts in 1_u32..40,
            asked in proptest::option::of(any::<u64>().prop_map(Duration::from_secs)),
            chance in 0.0..1.0,
        ) {
            let schedule = Schedule::default();
            let base = schedule.wait(attempts, Duration::ZERO, None, 0.0).unwrap_or_default();
            let wait = schedule.wait(attempts, Duration::ZERO, asked, chance).unwrap_or_default();
            prop_assert!(wait >= base);
            let longest = if asked.is_some() { (2 * base).max(HOUR) } else { base };
            prop_assert!(wait <= longest.mul_f64(1.2));
        }
    }
}

//! Random instants that can be had again, and how much of everything there is.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// Names the seed of a run that is to be repeated.
const SEED: &str = "WAGATE_FAULTS_SEED";

/// Chooses instants; tells the seed when the test fails.
#[derive(Debug)]
pub struct Chance {
    seed: u64,
    rng: StdRng,
}

impl Chance {
    /// From the environment, or fresh.
    pub fn new() -> Self {
        let given = std::env::var(SEED).ok();
        let seed = given.map_or_else(rand::random, |seed| {
            seed.parse().unwrap_or_else(|_| panic!("{SEED} must be a number"))
        });
        Self {
            seed,
            rng: StdRng::seed_from_u64(seed),
        }
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// One of `0..below`.
    pub fn index(&mut self, below: usize) -> usize {
        self.rng.random_range(0..below)
    }

    /// A part of this time.
    pub fn part_of(&mut self, whole: Duration) -> Duration {
        whole.mul_f64(self.rng.random())
    }
}

impl Drop for Chance {
    #[expect(clippy::print_stderr, reason = "the test harness shows it with the failure")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "to repeat the random instants of this story: {SEED}={}",
                self.seed
            );
        }
    }
}

/// The first in a quick run, the second in a long one (`WAGATE_FAULTS=long`).
pub fn quick_or_long<T>(quick: T, long: T) -> T {
    match std::env::var("WAGATE_FAULTS").as_deref() {
        Ok("long") => long,
        Err(_) | Ok("" | "quick") => quick,
        Ok(other) => panic!("WAGATE_FAULTS is `long` or `quick`, not {other:?}"),
    }
}

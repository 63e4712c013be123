//! The API key: shown once, kept as a hash, and compared in a time that tells nothing about it.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use wagate_api::ApiKeys;

use crate::process::{Binary, Process};

/// Every byte of every file below the folder, with the file's name.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    found
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_generated_key_is_shown_once_and_kept_nowhere() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let first = Process::start(Binary::Server, folder.path(), &[], &[]).await;
    let said = first.wait_for_line("API key").await;
    let key = said.rsplit(' ').next().unwrap().to_owned();
    assert!(key.starts_with("wagate_"), "{said}");

    let admitted = async |process: &Process, key: &str| {
        let request = http.get(process.url("/api/devices")).header("apikey", key);
        request.send().await.unwrap().status() == 200
    };
    assert!(admitted(&first, &key).await);
    assert!(!admitted(&first, &key[..key.len() - 1]).await);
    let data = folder.path().join("data");
    no_key_in(&data, &key);
    let (stdout, stderr) = first.stop().await;
    assert_eq!(stdout.matches(&key).count(), 1, "{stdout}");
    assert!(!stderr.contains(&key));
    no_key_in(&data, &key);

    let second = Process::start(Binary::Server, folder.path(), &[], &[]).await;
    assert!(admitted(&second, &key).await, "the key is remembered");
    let (stdout, stderr) = second.stop().await;
    assert!(!stdout.contains("API key") && !stdout.contains(&key), "{stdout}");
    assert!(!stderr.contains(&key));
}

/// A key that somebody makes: only the answer has it.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_made_is_in_no_file_and_no_log() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let env = [
        ("WAGATE_API_KEY", "0123456789abcdef"),
        ("WAGATE_LOG__FILTER", "debug"),
    ];
    let process = Process::start(Binary::Server, folder.path(), &[], &env).await;
    let made = http
        .post(process.url("/v1/api-keys"))
        .header("apikey", "0123456789abcdef")
        .json(&serde_json::json!({ "name": "canary", "scope": ["read"] }))
        .send()
        .await
        .unwrap();
    assert_eq!(made.status(), 201);
    let made: serde_json::Value = made.json().await.unwrap();
    let key = made["key"].as_str().unwrap().to_owned();
    for (presented, status) in [(key.as_str(), 200), (&key[..key.len() - 1], 401)] {
        let request = http.get(process.url("/v1/devices")).bearer_auth(presented);
        assert_eq!(request.send().await.unwrap().status(), status);
    }
    let (stdout, stderr) = process.stop().await;
    let secret = &key[9..];
    assert!(!stdout.contains(secret) && !stderr.contains(secret), "{stderr}");
    for (name, bytes) in contents(folder.path()) {
        assert!(!contains(&bytes, secret.as_bytes()), "{name} holds the key");
    }
}

/// Neither the key nor the random bytes that it is made of.
fn no_key_in(data: &Path, key: &str) {
    let digits = key.strip_prefix("wagate_").unwrap();
    let raw = hex::decode(digits).unwrap();
    let files = contents(data);
    assert!(files.iter().any(|(name, _)| name.ends_with("api-key.sha256")));
    assert!(files.iter().any(|(name, _)| name.ends_with("wagate.db")));
    for (name, bytes) in files {
        assert!(
            !contains(&bytes, digits.as_bytes()) && !contains(&bytes, &raw),
            "{name} holds the key"
        );
    }
}

/// Samples of each kind; each is the time of [`TRIES`] comparisons.
const SAMPLES: usize = 2_500;
const TRIES: usize = 100;
/// A machine that does something else looks like a difference: the best of so many runs counts. A comparison that leaks
/// does so in each of them, as the test of the test shows.
const RUNS: usize = 3;
/// What is commonly called a leak.
const LEAK: f64 = 4.5;

/// Welch's t of two kinds of wrong keys: one that is right up to its last byte, one that is wrong from the first. They
/// are timed in turns, and the slowest tenth, which is the machine's, is left out.
fn welch_t(key: &[u8], admit: impl Fn(&[u8]) -> bool) -> f64 {
    let (mut near, mut far) = (key.to_vec(), key.to_vec());
    *near.last_mut().unwrap() ^= 1;
    for byte in &mut far {
        *byte ^= 1;
    }
    let time = |wrong: &[u8]| {
        let started = Instant::now();
        for _ in 0..TRIES {
            assert!(!admit(black_box(wrong)));
        }
        started.elapsed().as_secs_f64()
    };
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..SAMPLES {
        // Who comes first changes: the second of a pair finds warmer caches.
        let order = [round % 2, 1 - round % 2];
        for kind in order {
            times[kind].push(time([&near, &far][kind]));
        }
    }
    let mut pooled: Vec<f64> = times.concat();
    pooled.sort_by(f64::total_cmp);
    let limit = pooled[pooled.len() * 9 / 10];
    let [near, far] = times.map(|times| {
        let kept: Vec<f64> = times.into_iter().filter(|time| *time <= limit).collect();
        mean_and_error(&kept)
    });
    (near.0 - far.0) / (near.1 + far.1).sqrt()
}

/// The mean, and the square of its standard error.
fn mean_and_error(times: &[f64]) -> (f64, f64) {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let count = times.len() as f64;
    let mean = times.iter().sum::<f64>() / count;
    let variance = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, variance / count)
}

fn smallest_t(key: &[u8], admit: impl Fn(&[u8]) -> bool) -> f64 {
    let runs = (0..RUNS).map(|_| welch_t(key, &admit).abs());
    runs.fold(f64::INFINITY, f64::min)
}

#[test]
fn how_much_of_a_key_is_right_does_not_show_in_the_time() {
    let key = format!("wagate_{}", "5a".repeat(32));
    let keys = ApiKeys::from_plain(&["another", &key, "one more"]);
    let t = smallest_t(key.as_bytes(), |wrong| keys.admit(wrong));
    assert!(t < LEAK, "t = {t}");
}

#[test]
fn a_comparison_that_stops_early_would_be_noticed() {
    let key = format!("wagate_{}", "5a".repeat(32)).into_bytes();
    let t = smallest_t(&key, |wrong| {
        wrong
            .iter()
            .zip(&key)
            .all(|(one, other)| black_box(one) == black_box(other))
    });
    assert!(t > LEAK, "t = {t}");
}

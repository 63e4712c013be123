//! Secrets and what belongs to people stay where they belong: marked values go through the whole gateway, and then its
//! log, its metrics, its errors and its files are searched for them.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on must stop here"
)]

#[path = "canaries/keys.rs"]
mod keys;
#[path = "canaries/process.rs"]
mod process;
#[path = "canaries/story.rs"]
mod story;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::process::{Binary, Process};
use crate::story::Story;

/// One line of the log in which a marked value stands.
struct Leak {
    level: String,
    target: String,
    value: &'static str,
    line: String,
}

/// Every marked value in every line. The log is written for machines, so that targets can be told apart.
fn leaks(log: &str, marked: &BTreeMap<&'static str, Vec<String>>) -> Vec<Leak> {
    let mut found = Vec::new();
    for line in log.lines() {
        let parsed: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no line of a log: {line}"));
        for (value, spellings) in marked {
            if spellings.iter().any(|spelling| line.contains(spelling.as_str())) {
                found.push(Leak {
                    level: parsed["level"].as_str().unwrap().to_owned(),
                    target: parsed["target"].as_str().unwrap().to_owned(),
                    value,
                    line: line.to_owned(),
                });
            }
        }
    }
    found
}

fn is_ours(target: &str) -> bool {
    target.starts_with("wagate") || target.starts_with("wa_driver")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_secret_or_personal_is_in_no_log_metric_or_error() {
    let folder = tempfile::tempdir().unwrap();
    let story = Story::prepare().await;
    let sim_url = story.sim_url();
    let env = [
        ("WAGATE_SIM_URL", sim_url.as_str()),
        ("WAGATE_LOG__FILTER", "debug"),
        ("WAGATE_LOG__FORMAT", "json"),
    ];
    let gateway = Process::start(Binary::Sandbox, folder.path(), &["gateway"], &env).await;
    let (marked, answers) = story.tell(&gateway).await;
    let metrics = story.metrics(&gateway).await;
    let (_, log) = gateway.stop().await;

    for (value, spellings) in &marked {
        for spelling in spellings {
            assert!(!metrics.contains(spelling.as_str()), "{value} in the metrics");
        }
    }
    assert!(metrics.contains("wagate_"), "{metrics}");
    Story::no_secret_in(&answers);

    assert!(
        log.contains("gateway is up") && log.contains("\"DEBUG\""),
        "{log}"
    );
    let leaks = leaks(&log, &marked);
    let (of_debug, of_info): (Vec<_>, Vec<_>) = leaks
        .into_iter()
        .partition(|leak| matches!(leak.level.as_str(), "DEBUG" | "TRACE"));
    for leak in of_info
        .iter()
        .chain(of_debug.iter().filter(|leak| is_ours(&leak.target)))
    {
        eprintln!(
            "{} in {} at {}: {}",
            leak.value, leak.target, leak.level, leak.line
        );
    }
    for leak in of_debug.iter().filter(|leak| !is_ours(&leak.target)) {
        eprintln!(
            "(a library's) {} in {} at {}",
            leak.value, leak.target, leak.level
        );
    }
    assert!(of_info.is_empty(), "{} leaks at info", of_info.len());
    assert!(of_debug.iter().all(|leak| !is_ours(&leak.target)));
}

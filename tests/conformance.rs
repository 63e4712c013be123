//! The API against its own description: Schemathesis makes requests from `openapi.json`, right ones, wrong ones and
//! whole sequences, and no answer may be a 5xx or one that is not described.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop here")]

#[path = "signatures/install.rs"]
#[expect(dead_code, reason = "shared with another test, which uses the rest")]
mod install;

use std::path::Path;
use std::process::Command;

use wagate_tests::Sandbox;

/// Right and wrong requests for each operation; the phases of coverage and sequences add theirs.
const EXAMPLES: &str = "20";
const CHECKS: &str =
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_one_that_is_described() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/python");
    let libraries = install::pip(&folder);
    let sandbox = Sandbox::start(&[("6281200000001", "Alice"), ("6281200000002", "Bob")]).await;
    // It may be deleted on the way.
    sandbox.pair("shop", "6281200000001").await;
    let key = format!("apikey: {}", sandbox.api.key());
    let mut schemathesis = Command::new("python3");
    schemathesis
        .args([
            "-c",
            "from schemathesis.cli import schemathesis; schemathesis()",
            "run",
        ])
        .arg(format!("{}/v1/openapi.json", sandbox.api.base()))
        .args(["--header", &key, "--max-examples", EXAMPLES, "--checks", CHECKS])
        // The stream has no end: the tests of the API read it.
        .args(["--exclude-path", "/v1/stream"])
        .args(["--continue-on-failure", "--request-timeout", "30", "--no-color"])
        .env("PYTHONPATH", &libraries)
        .current_dir(env!("CARGO_TARGET_TMPDIR"));
    let output = tokio::task::spawn_blocking(move || schemathesis.output())
        .await
        .unwrap()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complained}");
    sandbox.finish().await;
}

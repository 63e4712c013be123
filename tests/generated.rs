//! Files under docs/ that repeat what the code says are generated from it: this fails when one is stale, and writes it
//! when UPDATE=1 is set.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop here")]

use std::path::Path;

fn assert_generated(path: &str, want: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, want).unwrap();
    }
    let have = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(have == want, "{} is stale: run `just gen`", path.display());
}

#[test]
fn config_page_shows_the_defaults() {
    let page = format!(
        "# Settings\n\nThe defaults, with what each is for. `wagate config defaults` prints the same; `wagate config \
         check` says whether yours are right.\n\n```toml\n{}```\n",
        wagate::config::DEFAULTS
    );
    assert_generated("docs/config.md", &page);
}

#[test]
fn openapi_document_is_what_the_server_gives() {
    let document = wagate_api::openapi().to_pretty_json().unwrap();
    assert_generated("docs/openapi.json", &format!("{document}\n"));
}

//! What an orchestrator asks.

use reqwest::Method;

use crate::answer::assert_answers;
use crate::support::TestApp;

#[tokio::test]
async fn health_is_open_and_metrics_need_the_key() {
    let app = TestApp::start();
    let open = |path| app.call(app.request_without_key(Method::GET, path));
    let mut answers = vec![
        open("/healthz").await,
        open("/readyz").await,
        open("/metrics").await,
    ];
    answers.push(app.get("/metrics").await);
    app.readiness.lack("the database does not answer");
    answers.push(open("/readyz").await);
    answers.push(open("/healthz").await);
    assert_answers("probes", &answers);
}

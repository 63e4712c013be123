//! Long work: how far it has come, what it found, and how it ends.

use std::time::Duration;

use futures_util::stream::StreamExt;
use wagate_domain::Result;
use wagate_domain::model::{CursorQuery, Job, JobId, JobState, NumberFound, WebhookId};

use crate::bench::{Bench, SHOP, token, until};

const GATHERED: Duration = Duration::from_millis(300);
/// Far longer than anything here takes.
const LIMIT: Duration = Duration::from_secs(20);

/// Numbers that can be read, all different.
fn numbers(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("62811{:07}", number + 1))
        .collect()
}

async fn check(bench: &Bench, numbers: Vec<String>) -> Result<Job> {
    bench.gateway.check_numbers(&token(SHOP), numbers).await
}

pub fn progress(bench: &Bench, id: JobId) -> (&'static str, u64, u64) {
    let job = bench.gateway.get_job(id).unwrap();
    (job.state.as_str(), job.done, job.total)
}

/// The story with the gateway's long work going on beside it.
pub async fn beside<T>(bench: &Bench, story: impl Future<Output = T>) -> T {
    tokio::select! {
        () = bench.gateway.run_jobs() => unreachable!("it has no end"),
        told = tokio::time::timeout(LIMIT, story) => told.unwrap(),
    }
}

/// Returns once the job stands like this.
pub async fn stands(bench: &Bench, id: JobId, state: &str) {
    until(|| progress(bench, id).0 == state).await;
}

/// What is known of each line: `?` when it cannot be read, `-` while nobody knows, and whether it has an account.
fn found(bench: &Bench, id: JobId) -> Vec<(String, &'static str)> {
    let page = bench
        .gateway
        .list_job_results(id, CursorQuery::new(None, 200))
        .unwrap();
    let told = |found: &NumberFound| match found {
        NumberFound::Unreadable(_) => "?",
        NumberFound::Unknown(_) => "-",
        NumberFound::Known(_, Some(_)) => "yes",
        NumberFound::Known(_, None) => "no",
    };
    page.items
        .iter()
        .map(|line| (line.number.clone(), told(&line.found)))
        .collect()
}

#[tokio::test]
async fn a_check_tells_of_each_number_what_it_is() {
    let bench = Bench::new();
    bench.paired(SHOP).await;
    bench.driver.not_on_whatsapp("628111111112");
    let given = ["0811-1111-111", "+62 811 1111 112", "no number", "0811-1111-111"];
    let given = given.map(ToOwned::to_owned).to_vec();
    let job = check(&bench, given).await.unwrap();
    assert_eq!(progress(&bench, job.id), ("running", 1, 4));
    beside(&bench, stands(&bench, job.id, "done")).await;
    assert_eq!(progress(&bench, job.id), ("done", 4, 4));
    let told = found(&bench, job.id);
    let told: Vec<(&str, &str)> = told.iter().map(|(number, found)| (&**number, *found)).collect();
    assert_eq!(
        told,
        [
            ("0811-1111-111", "yes"),
            ("+62 811 1111 112", "no"),
            ("no number", "?"),
            ("0811-1111-111", "yes"),
        ]
    );
    assert_eq!(
        bench.driver.looked_up(),
        ["628111111111", "628111111112"],
        "each once"
    );
    // What was found is believed as it is for sends.
    let again = check(&bench, vec!["628111111112".into()]).await.unwrap();
    beside(&bench, stands(&bench, again.id, "done")).await;
    assert_eq!(found(&bench, again.id), [("628111111112".to_owned(), "no")]);
    assert_eq!(bench.driver.looked_up().len(), 2);
}

#[tokio::test]
async fn a_check_that_is_cancelled_keeps_what_it_has() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    session.hold_lookups();
    let job = check(&bench, numbers(120)).await.unwrap();
    let second = check(&bench, numbers(1)).await.unwrap_err();
    assert_eq!(second.code(), "number_check_in_progress");
    beside(&bench, async {
        session.lookup_waiting().await;
        assert_eq!(progress(&bench, job.id), ("running", 0, 120));
        session.release_one_lookup();
        until(|| progress(&bench, job.id).1 > 0).await;
        session.lookup_waiting().await;
        let cancelled = bench.gateway.cancel_job(job.id).await.unwrap();
        assert_eq!(cancelled.state.as_str(), "cancelled");
        assert!(cancelled.ended_at.is_some());
    })
    .await;
    assert_eq!(progress(&bench, job.id), ("cancelled", 50, 120), "one question");
    let known = found(&bench, job.id);
    let known = known.iter().filter(|(_, found)| *found == "yes").count();
    assert_eq!(known, 50);
    // One that is over stays as it is.
    let again = bench.gateway.cancel_job(job.id).await.unwrap();
    assert_eq!(again.state.as_str(), "cancelled");
    session.release_lookups();
    assert!(check(&bench, numbers(1)).await.is_ok());
}

#[tokio::test]
async fn a_check_fails_with_its_session_and_keeps_what_it_has() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    session.hold_lookups();
    let job = check(&bench, numbers(60)).await.unwrap();
    beside(&bench, async {
        session.lookup_waiting().await;
        session.drop_connection().await;
        session.release_lookups();
        stands(&bench, job.id, "failed").await;
    })
    .await;
    let failed = bench.gateway.get_job(job.id).unwrap();
    let JobState::Failed(error) = &failed.state else {
        panic!("{failed:?}");
    };
    assert_eq!(error.code(), "session_not_connected");
    assert!(found(&bench, job.id).iter().all(|(_, found)| *found == "-"));
    let refused = check(&bench, numbers(1)).await.unwrap_err();
    assert_eq!(refused.code(), "session_not_connected");
}

#[tokio::test]
async fn a_check_has_some_numbers_and_not_too_many() {
    let bench = Bench::new();
    bench.paired(SHOP).await;
    for bad in [Vec::new(), numbers(10_001)] {
        assert_eq!(check(&bench, bad).await.unwrap_err().code(), "invalid_numbers");
    }
    let unreadable = check(&bench, vec!["x".repeat(1_000)]).await.unwrap();
    assert_eq!(progress(&bench, unreadable.id), ("done", 1, 1), "nothing to ask");
    assert_eq!(found(&bench, unreadable.id)[0].0.len(), 64);
}

#[tokio::test]
async fn jobs_are_listed_newest_first_and_go_with_their_device() {
    let bench = Bench::new();
    bench.paired(SHOP).await;
    let mut ids = Vec::new();
    for _ in 0..105 {
        ids.push(check(&bench, vec!["none".into()]).await.unwrap().id);
    }
    let shop = token(SHOP);
    let list = async |after, limit| {
        let query = CursorQuery::new(after, limit);
        let page = bench.gateway.list_jobs(Some(&shop), None, query).await.unwrap();
        let listed: Vec<JobId> = page.items.iter().map(|job| job.id).collect();
        (listed, page.next)
    };
    ids.reverse();
    let (first, next) = list(None, 60).await;
    assert_eq!(first, ids[..60]);
    let (second, end) = list(next, 60).await;
    assert_eq!((second.len(), end), (40, None), "the last hundred are kept");
    let others = bench.gateway.list_jobs(
        None,
        Some(WebhookId::new(ulid::Ulid::nil())),
        CursorQuery::new(None, 1),
    );
    assert!(others.await.unwrap().items.is_empty());
    bench.gateway.delete_device(&shop).await.unwrap();
    assert_eq!(bench.gateway.get_job(ids[0]).unwrap_err().code(), "job_not_found");
}

#[tokio::test]
async fn whoever_listens_hears_how_a_job_ended() {
    let bench = Bench::new();
    let (session, _) = (bench.paired(SHOP).await, bench.paired("other").await);
    session.hold_lookups();
    let mut own = bench.gateway.watch_jobs(Some(&token(SHOP))).await.unwrap();
    let mut others = bench.gateway.watch_jobs(Some(&token("other"))).await.unwrap();
    let job = check(&bench, numbers(120)).await.unwrap();
    let gathered = async || {
        bench.clock.sleepers(1).await;
        bench.clock.advance(GATHERED);
    };
    beside(&bench, async {
        session.lookup_waiting().await;
        session.release_lookups();
        stands(&bench, job.id, "done").await;
        let (told, ()) = tokio::join!(own.next(), gathered());
        let told = told.unwrap();
        assert_eq!(
            (told.id, told.state.as_str(), told.done),
            (job.id, "done", 120),
            "what happened in between is not told"
        );
        let given = vec!["none".to_owned()];
        let other = bench.gateway.check_numbers(&token("other"), given).await.unwrap();
        let (told, ()) = tokio::join!(others.next(), gathered());
        assert_eq!(told.unwrap().id, other.id, "of others nothing is told");
    })
    .await;
}

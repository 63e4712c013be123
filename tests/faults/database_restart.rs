//! PostgreSQL that crashes under load, freezes, and comes back: the API says so at once, recovers at once, and nothing
//! is lost.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use wagate_tests::Reply;

use crate::chance::quick_or_long;
use crate::database::Database;
use crate::figures::seen;
use crate::ledgers::Letters;
use crate::scene::{PATIENCE, Plan, Scene, WRITERS};

on_postgres!(nothing_is_lost_when_the_database_restarts);

/// Longest time until a request says that the database is away, and until one succeeds after its return.
const SAYS_SO: Duration = Duration::from_secs(1);
const RECOVERED: Duration = Duration::from_secs(3);
/// Messages before, during and after each restart.
const BURST: usize = 50;
/// Between two tries.
const AGAIN: Duration = Duration::from_millis(50);

async fn nothing_is_lost_when_the_database_restarts(database: Database) {
    let restarts = quick_or_long(3, 10);
    let mut scene = Plan::new(database).devices(5).start().await;
    let mut letters = Letters::default();
    let mut slowest = (Duration::ZERO, Duration::ZERO);
    for restart in 0..restarts {
        burst(&scene, &mut letters, restart);
        scene.storage.cluster().stop_immediate();
        burst(&scene, &mut letters, restart);
        let told = says_unavailable(&scene, restart).await;
        assert!(
            scene.gateway.becomes_ready(503, SAYS_SO).await,
            "/readyz is not red"
        );

        scene.storage.cluster().start();
        let back = Instant::now();
        assert!(
            scene.gateway.becomes_ready(200, RECOVERED).await,
            "/readyz stays red"
        );
        sends_again(&scene, restart, back).await;
        slowest = (slowest.0.max(told), slowest.1.max(back.elapsed()));
    }
    let (told, back) = slowest;
    seen(
        database,
        format_args!(
            "{restarts} crashes of the database: told within {told:.1?}, sent again within {back:.1?}"
        ),
    );
    letters
        .wait_all_heard(&scene.sim, &scene.receiver, PATIENCE * 2)
        .await;
    // What was under way at a crash may be delivered again.
    letters
        .compare(&scene.receiver)
        .assert_faithful(restarts * scene.numbers.len());
    assert_eq!(scene.sim.undecryptable(), [], "messages could not be decrypted");
    assert_each_order_arrived_once(&scene, restarts);
    scene.finish().await;
}

fn burst(scene: &Scene, letters: &mut Letters, restart: usize) {
    for n in 0..BURST {
        let to = &scene.numbers[n % scene.numbers.len()].phone;
        letters.write(
            &scene.sim,
            WRITERS[n % WRITERS.len()],
            to,
            &format!("restart {restart}, {n}"),
        );
    }
}

async fn order(scene: &Scene, restart: usize) -> Reply {
    let body = json!({ "token": scene.numbers[0].token, "phone": WRITERS[0], "message": format!("order {restart}") });
    let key = format!("order-{restart}");
    let key = [("idempotency-key", key.as_str())];
    scene
        .gateway
        .api()
        .call(Method::POST, "/api/send", body, &key)
        .await
}

/// How long it took to say so.
async fn says_unavailable(scene: &Scene, restart: usize) -> Duration {
    let asked = Instant::now();
    let reply = order(scene, restart).await;
    let took = asked.elapsed();
    assert!(
        took <= SAYS_SO,
        "it took {took:?} to say that the database is away"
    );
    assert!(reply.headers.contains_key("retry-after"), "{reply:?}");
    assert_eq!(reply.refused(503), "database_unavailable");
    took
}

async fn sends_again(scene: &Scene, restart: usize, back: Instant) {
    let mut last = order(scene, restart).await;
    while last.status != 200 {
        assert!(
            back.elapsed() <= RECOVERED,
            "{:?} after its return: {last:?}",
            back.elapsed()
        );
        tokio::time::sleep(AGAIN).await;
        last = order(scene, restart).await;
    }
}

fn assert_each_order_arrived_once(scene: &Scene, restarts: usize) {
    let inbox = scene.sim.world.messages(WRITERS[0]).unwrap();
    let texts = inbox.iter().filter_map(|message| message.text.as_deref());
    let mut orders: Vec<_> = texts.filter(|text| text.starts_with("order")).collect();
    orders.sort_unstable();
    let mut wanted: Vec<_> = (0..restarts).map(|restart| format!("order {restart}")).collect();
    wanted.sort_unstable();
    assert_eq!(orders, wanted);
}

//! Two runtimes, each with its stub, and a real server between them.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use hyperty_tests::harness::NatsServer;
use protocol::message::Reply;
use serde_json::{Value, json};
use support::core::Core;

use tokio::task::LocalSet;

const ALICE: &str = "hyperty://example.org/alice";
const BOB: &str = "hyperty://example.org/bob";

fn config(servers: &[&NatsServer]) -> Value {
    let urls: Vec<String> = servers.iter().map(|server| server.url()).collect();
    json!({ "servers": urls })
}

async fn subscribe(core: &mut Core, resources: &[&str]) {
    let from = format!("{}/subscriptions", core.runtime);
    let to = "domain://msg-node.example.org/sm";
    let answer = core
        .ask("subscribe", &from, to, &json!({ "resources": resources }))
        .await;
    assert_eq!(answer.code, 200, "{answer:?}\n{}", core.said());
}

#[tokio::test]
async fn a_request_is_answered_across_runtimes() {
    let Some(server) = NatsServer::if_installed("") else {
        return;
    };
    LocalSet::new()
        .run_until(async {
            let mut a = Core::live("a", &config(&[&server])).await;
            let mut b = Core::live("b", &config(&[&server])).await;
            subscribe(&mut b, &[BOB]).await;

            let id = a
                .send("read", ALICE, BOB, Reply::Within(9000), &json!({"n": 1}))
                .await;
            let question = b.until(|heard| heard.to == BOB).await;
            assert_eq!((&*question.kind, &*question.from), ("read", ALICE));
            assert_eq!(question.reply, Reply::Within(9000));
            b.answer(&question, &json!("hello")).await;
            let answer = a
                .until(|heard| heard.id == id && heard.kind == "response")
                .await;

            assert_eq!(answer.body["value"], "hello");
            assert_eq!((&*answer.from, answer.code), (BOB, 200));
        })
        .await;
}

#[tokio::test]
async fn an_address_of_nobody_and_a_runtime_that_is_away_are_told_at_once() {
    let Some(server) = NatsServer::if_installed("") else {
        return;
    };
    LocalSet::new()
        .run_until(async {
            let mut a = Core::live("a", &config(&[&server])).await;
            let mut b = Core::live("b", &config(&[&server])).await;
            subscribe(&mut b, &[BOB]).await;
            b.kill();

            let nobody = a
                .ask("read", ALICE, "hyperty://example.org/nobody", &json!({}))
                .await;
            let elsewhere = a
                .ask("read", ALICE, "hyperty://example.net/x", &json!({}))
                .await;
            let away = a.ask("read", ALICE, BOB, &json!({})).await;

            assert_eq!(nobody.code, 404, "{nobody:?}");
            assert_eq!(elsewhere.code, 404, "{elsewhere:?}");
            assert_eq!(away.code, 503, "{away:?}");
            let reason = "the runtime `example=dorg_b` is not connected to the domain's cluster";
            assert_eq!(away.body["desc"], reason);
        })
        .await;
}

#[tokio::test]
async fn an_address_has_one_runtime() {
    let Some(server) = NatsServer::if_installed("") else {
        return;
    };
    LocalSet::new()
        .run_until(async {
            let mut a = Core::live("a", &config(&[&server])).await;
            let mut b = Core::live("b", &config(&[&server])).await;
            subscribe(
                &mut b,
                &[
                    BOB,
                    "comm://example.org/1",
                    "comm://example.org/1/subscription",
                ],
            )
            .await;

            let to = "domain://msg-node.example.org/sm";
            let body = json!({ "resources": ["comm://example.org/1/subscription"] });
            let taken = a.ask("subscribe", &a.runtime.clone(), to, &body).await;
            let spoken = a
                .ask("read", BOB, "hyperty://example.org/x", &json!({}))
                .await;
            let given_up = b
                .ask(
                    "unsubscribe",
                    &b.runtime.clone(),
                    to,
                    &json!({"resources": [BOB]}),
                )
                .await;
            let then = a
                .ask("read", BOB, "hyperty://example.org/x", &json!({}))
                .await;

            assert_eq!(
                (taken.code, spoken.code),
                (409, 409),
                "{taken:?} {spoken:?}"
            );
            assert_eq!((given_up.code, then.code), (200, 404), "{then:?}");
        })
        .await;
}

#[tokio::test]
async fn what_is_told_to_a_runtime_that_is_away_waits_for_it() {
    let Some(server) = NatsServer::if_installed("") else {
        return;
    };
    LocalSet::new()
        .run_until(async {
            let mut a = Core::live("a", &config(&[&server])).await;
            let mut b = Core::live("b", &config(&[&server])).await;
            subscribe(&mut b, &[BOB]).await;
            b.kill();

            for n in 0..20 {
                // As native components tell something, and as scripts do.
                let reply = if n < 10 {
                    Reply::Unwanted
                } else {
                    Reply::Untimed
                };
                a.send("update", ALICE, BOB, reply, &json!({ "n": n }))
                    .await;
            }
            // Before it is back: what is sent then is not for a runtime that is away.
            a.rest(std::time::Duration::from_millis(500)).await;
            let mut b = Core::live("b", &config(&[&server])).await;
            b.rest(std::time::Duration::from_millis(200)).await;
            subscribe(&mut b, &[BOB]).await;

            let mut told = Vec::new();
            for _ in 0..20 {
                let heard = b.until(|heard| heard.to == BOB).await;
                told.push(heard.body["n"].as_u64().unwrap_or_default());
            }
            told.sort_unstable();
            assert_eq!(told, (0..20).collect::<Vec<_>>());
            let more = b.rest(std::time::Duration::from_millis(300)).await;
            assert!(more.iter().all(|heard| heard.to != BOB), "{more:?}");
        })
        .await;
}

#[tokio::test]
async fn a_change_goes_to_all_who_hear_it_and_a_child_to_its_reporter_as_well() {
    let Some(server) = NatsServer::if_installed("") else {
        return;
    };
    let object = "comm://example.org/o-1";
    let (changes, children) = (format!("{object}/changes"), format!("{object}/children/"));
    LocalSet::new()
        .run_until(async {
            let mut a = Core::live("a", &config(&[&server])).await;
            let mut b = Core::live("b", &config(&[&server])).await;
            let mut c = Core::live("c", &config(&[&server])).await;
            subscribe(&mut a, &[object, &format!("{object}/subscription")]).await;
            // Told before anybody hears it: what is known of that is not kept.
            a.send(
                "update",
                object,
                &changes,
                Reply::Unwanted,
                &json!({"version": 0}),
            )
            .await;
            a.rest(std::time::Duration::from_millis(200)).await;
            for observer in [&mut b, &mut c] {
                subscribe(observer, &[&changes, &children]).await;
            }

            a.send(
                "update",
                object,
                &changes,
                Reply::Unwanted,
                &json!({"version": 1}),
            )
            .await;
            for observer in [&mut b, &mut c] {
                let heard = observer.until(|heard| heard.body["version"] == 1).await;
                assert_eq!((&*heard.from, heard.to), (object, changes.clone()));
            }
            let id = b
                .send(
                    "create",
                    BOB,
                    &children,
                    Reply::Untimed,
                    &json!({"value": "hi"}),
                )
                .await;
            let shared = a.until(|heard| heard.to == children).await;
            let seen = c.until(|heard| heard.to == children).await;
            a.answer(&shared, &json!("taken")).await;
            let answer = b
                .until(|heard| heard.kind == "response" && heard.id == id)
                .await;

            assert_eq!((shared.from, seen.from), (BOB.to_owned(), BOB.to_owned()));
            assert_eq!(
                seen.reply,
                Reply::Unwanted,
                "one answers, and that is the reporter"
            );
            assert_eq!(answer.body["value"], "taken");
            let more = b.rest(std::time::Duration::from_millis(200)).await;
            assert!(
                more.iter().all(|heard| heard.to != children),
                "its own child comes back"
            );
        })
        .await;
}

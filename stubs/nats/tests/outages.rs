//! Servers that stop, runtimes that are killed, a cluster that comes and goes.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use hyperty_tests::harness::{NatsServer, free_port};
use protocol::message::Reply;
use serde_json::{Value, json};
use stub_nats::client::Event;
use stub_nats::credentials::Credentials;
use stub_nats::names::runtime_token;
use stub_nats::wire::Headers;
use support::core::Core;
use support::{BOB, WITHIN, address, client, up, with_two};
use tokio::task::LocalSet;
use tokio::time::timeout;

const ALICE: &str = "hyperty://example.org/alice";

fn config(servers: &[NatsServer]) -> Value {
    let urls: Vec<String> = servers.iter().map(NatsServer::url).collect();
    json!({ "servers": urls })
}

/// The server that a stub is connected to, by what it logged.
fn server_of(core: &Core, servers: &[NatsServer]) -> usize {
    let said = core.said();
    let last = said
        .lines()
        .rfind(|line| line.contains("connected to"))
        .expect("connected");
    let is_it = |server: &NatsServer| last.contains(&server.url());
    servers.iter().position(is_it).expect("one of them")
}

#[tokio::test]
async fn a_server_stops_in_mid_traffic_and_nothing_is_lost_or_heard_twice() {
    let Some(program) = NatsServer::program() else {
        return;
    };
    let mut servers = NatsServer::cluster(&program, 3, "");
    let config = config(&servers);
    LocalSet::new()
        .run_until(async {
            let mut a = Core::live("a", &config).await;
            let mut b = Core::live("b", &config).await;
            b.subscribe(&[BOB]).await;
            let mut asked = Vec::new();
            let mut stopped = false;

            for n in 0..600 {
                a.send("update", ALICE, BOB, Reply::Unwanted, &json!({ "n": n }))
                    .await;
                asked.push(
                    a.send("read", ALICE, BOB, Reply::Within(5000), &json!({}))
                        .await,
                );
                if n == 300 {
                    let at = server_of(&a, &servers);
                    servers[at].kill();
                    stopped = true;
                }
                if n % 20 == 0 {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
            assert!(stopped);
            let mut told = BTreeMap::new();
            let mut answers: BTreeMap<u64, Vec<u16>> = BTreeMap::new();
            let all = async {
                while told.len() < 600 || answers.len() < asked.len() {
                    for heard in b.rest(Duration::from_millis(20)).await {
                        if heard.kind == "read" {
                            b.answer(&heard, &json!(1)).await;
                        } else if heard.to == BOB {
                            *told.entry(heard.body["n"].as_u64()).or_insert(0) += 1;
                        }
                    }
                    for heard in a.rest(Duration::from_millis(20)).await {
                        if heard.kind == "response" {
                            answers.entry(heard.id).or_default().push(heard.code);
                        }
                    }
                    // The core ends what nobody answered in its time.
                    if told.len() == 600 {
                        break;
                    }
                }
            };
            let waited = timeout(2 * WITHIN, all).await;

            assert!(
                waited.is_ok(),
                "{} of 600 came\na: {}\nb: {}",
                told.len(),
                a.said(),
                b.said()
            );
            assert!(
                told.values().all(|times| *times == 1),
                "heard twice: {told:?}"
            );
            let twice: Vec<_> = answers
                .iter()
                .filter(|(_, codes)| codes.len() > 1)
                .collect();
            assert!(twice.is_empty(), "{twice:?}");
            let codes: Vec<u16> = answers.values().flatten().copied().collect();
            assert!(
                codes.iter().all(|code| [200, 503].contains(code)),
                "{codes:?}"
            );
            assert!(codes.contains(&200));
        })
        .await;
}

#[tokio::test]
async fn a_server_that_comes_back_finds_its_runtimes_again() {
    let Some(program) = NatsServer::program() else {
        return;
    };
    let mut servers = [NatsServer::start(&program, "")];
    let config = config(&servers);
    LocalSet::new()
        .run_until(async {
            let mut a = Core::live("a", &config).await;
            let mut b = Core::live("b", &config).await;
            b.subscribe(&[BOB]).await;
            servers[0].kill();
            a.status("disconnected").await;
            b.status("disconnected").await;

            a.send("update", ALICE, BOB, Reply::Unwanted, &json!({ "n": 1 }))
                .await;
            servers[0].start_again();
            a.status("live").await;
            b.status("live").await;
            b.until(|heard| heard.body["n"] == 1).await;
            let id = a
                .send("read", ALICE, BOB, Reply::Within(30_000), &json!({}))
                .await;
            let asked = b.until(|heard| heard.kind == "read").await;
            b.answer(&asked, &json!("again")).await;
            let answer = a
                .until(|heard| heard.id == id && heard.kind == "response")
                .await;

            assert_eq!(answer.body["value"], "again");
        })
        .await;
}

#[tokio::test]
async fn servers_that_the_cluster_tells_of_are_used_when_they_are_granted() {
    let Some(program) = NatsServer::program() else {
        return;
    };
    let mut servers = NatsServer::cluster(&program, 3, "");
    let (only, denied) = (servers[0].url(), servers[1].port());
    let config = json!({ "servers": [only] });
    LocalSet::new()
        .run_until(async {
            let mut a = Core::live("a", &config).await;
            a.denied = vec![denied];
            // The cluster tells of all its servers once they have found each other.
            let third = servers[2].port();
            servers[0].kill();

            let is_there = format!("connected to nats://127.0.0.1:{third}");
            let moved = async {
                while !a.said().contains(&is_there) {
                    a.rest(Duration::from_millis(50)).await;
                }
            };
            timeout(WITHIN, moved)
                .await
                .unwrap_or_else(|_| panic!("{}", a.said()));
            assert!(
                !a.said()
                    .contains(&format!("connected to nats://127.0.0.1:{denied}"))
            );
        })
        .await;
}

#[tokio::test]
async fn a_stub_that_was_killed_takes_up_what_it_had_not_taken() {
    let Some(program) = NatsServer::program() else {
        return;
    };
    let servers = [NatsServer::start(&program, "")];
    let config = config(&servers);
    LocalSet::new()
        .run_until(async {
            let mut a = Core::live("a", &config).await;
            let mut b = Core::live("b", &config).await;
            b.subscribe(&[BOB]).await;
            let mut told = BTreeMap::new();
            for n in 0..400 {
                a.send("update", ALICE, BOB, Reply::Unwanted, &json!({ "n": n }))
                    .await;
            }
            let first = b.until(|heard| heard.to == BOB).await;
            told.insert(first.body["n"].as_u64(), 1);
            b.kill();
            for heard in b.rest(Duration::from_millis(200)).await {
                *told.entry(heard.body["n"].as_u64()).or_insert(0) += 1;
            }

            let mut b = Core::live("b", &config).await;
            b.subscribe(&[BOB]).await;
            let all = async {
                while (0..400).any(|n| !told.contains_key(&Some(n))) {
                    for heard in b.rest(Duration::from_millis(50)).await {
                        if heard.to == BOB {
                            *told.entry(heard.body["n"].as_u64()).or_insert(0) += 1;
                        }
                    }
                }
            };
            // What was handed out and not acknowledged comes again after 30 s.
            let waited = timeout(2 * WITHIN, all).await;
            assert!(waited.is_ok(), "{} of 400 came\n{}", told.len(), b.said());
        })
        .await;
}

#[tokio::test]
async fn what_is_sent_to_a_runtime_as_it_dies_is_heard_when_it_is_back() {
    with_two(async |mut a: Core, b: Core, server: &NatsServer| {
        b.kill();
        // For the server it is still there: a socket that nobody reads for.
        let mut dying = client("b", &[server.url()], Credentials::None);
        up(&mut dying).await;

        for n in 1..=3 {
            a.send("update", ALICE, BOB, Reply::Untimed, &json!({ "n": n }))
                .await;
        }
        let swallowed = async { while !matches!(dying.next().await, Event::Message(_)) {} };
        timeout(WITHIN, swallowed).await.expect("it was sent");
        drop(dying);
        let mut b = Core::live("b", &config(std::slice::from_ref(server))).await;
        b.subscribe(&[BOB]).await;

        for n in 1..=3 {
            let heard = b.until(|heard| heard.to == BOB).await;
            assert_eq!(heard.body["n"], n);
        }
        a.send("update", ALICE, BOB, Reply::Untimed, &json!({ "n": 4 }))
            .await;
        let heard = b.until(|heard| heard.to == BOB).await;
        assert_eq!(heard.body["n"], 4, "something came twice");
    })
    .await;
}

#[tokio::test]
async fn what_is_sent_again_under_one_identifier_is_heard_once() {
    with_two(async |mut a: Core, mut b: Core, server: &NatsServer| {
        // The address is the first runtime's; then a test speaks in its place.
        a.subscribe(&[ALICE]).await;
        a.kill();
        let mut speaker = client("a", &[server.url()], Credentials::None);
        up(&mut speaker).await;
        let api = speaker.api();
        let other = runtime_token(&address("hyperty-runtime://example.org/b")).expect("named");
        let (to, at) = (api.names().to(&other), api.names().answer_from(&other, 7));
        let same = [("Nats-Msg-Id", "the-same")];

        for (n, headers) in [(1, &same[..]), (1, &same[..]), (2, &[])] {
            let body =
                json!({ "id": n, "type": "update", "from": ALICE, "to": BOB, "body": { "n": n } });
            let payload = body.to_string();
            api.publish(&to, Some(&at), headers, payload.as_bytes())
                .expect("published");
        }
        let receipts = async {
            let mut receipts = 0;
            while receipts < 2 {
                if let Event::Message(delivery) = speaker.next().await {
                    receipts +=
                        usize::from(Headers::of(delivery.headers).get("Hy-Received").is_some());
                }
            }
        };
        timeout(WITHIN, receipts)
            .await
            .expect("both are acknowledged");

        let first = b.until(|heard| heard.to == BOB).await;
        let second = b.until(|heard| heard.to == BOB).await;
        assert_eq!(
            (&first.body["n"], &second.body["n"]),
            (&json!(1), &json!(2))
        );
    })
    .await;
}

#[tokio::test]
async fn who_only_tells_is_never_refused_for_answers_that_do_not_come() {
    const MORE_THAN_WAIT: u64 = 9_000;
    with_two(async |mut a: Core, mut b: Core, _: &NatsServer| {
        for n in 0..MORE_THAN_WAIT {
            a.send("update", ALICE, BOB, Reply::Untimed, &json!({ "n": n }))
                .await;
            if n % 100 == 99 {
                let heard = b.until(|heard| heard.to == BOB).await;
                assert_eq!(heard.body["n"], n - 99);
                for n in n - 98..=n {
                    let heard = b.until(|heard| heard.to == BOB).await;
                    assert_eq!(heard.body["n"], n);
                }
            }
        }

        let refused = a.rest(Duration::from_millis(50)).await;
        assert!(refused.is_empty(), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn what_nobody_can_take_is_refused_at_a_bound() {
    let port = free_port();
    let config = json!({ "servers": [format!("nats://127.0.0.1:{port}")] });
    LocalSet::new()
        .run_until(async {
            let mut a = Core::start("a", &config).await;
            a.status("disconnected").await;
            let mut last = 0;
            for _ in 0..4200 {
                last = a
                    .send("read", ALICE, BOB, Reply::Within(60_000), &json!({}))
                    .await;
            }

            let answer = a
                .until(|heard| heard.id == last && heard.kind == "response")
                .await;
            assert_eq!(answer.code, 429, "{answer:?}");
        })
        .await;
}

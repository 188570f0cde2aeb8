//! The domain registry and the allocation of addresses, in the cluster's tables.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::time::Duration;

use hyperty_tests::harness::NatsServer;
use protocol::message::Reply;
use serde_json::{Value, json};
use support::core::{Core, Heard};

use tokio::task::LocalSet;

const REGISTRY: &str = "domain://registry.example.org";
const BOB: &str = "hyperty://example.org/bob";

fn config(server: &NatsServer) -> Value {
    json!({ "servers": [server.url()] })
}

async fn ask(core: &mut Core, kind: &str, to: &str, body: &Value) -> Heard {
    let from = format!("{}/registry/", core.runtime);
    core.ask(kind, &from, to, body).await
}

fn record(url: &str, runtime: &str, expires: u64) -> Value {
    json!({ "policy": "policy", "value": {
        "user": "bob@gmail.com", "guid": "user-guid://abc", "url": url, "runtime": runtime,
        "descriptor": "https://example.org/.well-known/hyperty/Chat.hy.json",
        "expires": expires, "resources": ["chat", "audio"], "dataSchemes": ["comm"], "status": "live"
    }})
}

async fn found(core: &mut Core, resource: &str, criteria: &Value) -> (u16, Value) {
    let body = json!({ "resource": resource, "criteria": criteria });
    let answer = ask(core, "read", REGISTRY, &body).await;
    (answer.code, answer.body["value"].clone())
}

#[tokio::test]
async fn a_hyperty_is_found_by_address_user_and_guid() {
    let Some(server) = NatsServer::if_installed("") else {
        return;
    };
    LocalSet::new()
        .run_until(async {
            let mut a = Core::live("a", &config(&server)).await;
            let mut b = Core::live("b", &config(&server)).await;
            let unknown = json!({ "resource": BOB, "value": { "status": "live" } });
            assert_eq!(ask(&mut b, "update", REGISTRY, &unknown).await.code, 404);
            let runtime = b.runtime.clone();
            let made = ask(&mut b, "create", REGISTRY, &record(BOB, &runtime, 3600)).await;
            assert_eq!(made.code, 200, "{made:?}");

            let (code, value) = found(&mut a, BOB, &json!({})).await;
            assert_eq!((code, &value["hypertyID"]), (200, &json!(BOB)));
            assert_eq!(
                (&value["userID"], &value["status"]),
                (&json!("bob@gmail.com"), &json!("live"))
            );
            for resource in [
                "/hyperty/idp-identifier/bob@gmail.com",
                "user://gmail.com/bob@gmail.com",
                "user-guid://abc",
            ] {
                let (code, value) = found(&mut a, resource, &json!({"resources": ["chat"]})).await;
                assert_eq!(
                    (code, &value[BOB]["runtime"]),
                    (200, &json!(runtime)),
                    "{resource}"
                );
            }
            let (code, _) =
                found(&mut a, "user-guid://abc", &json!({"resources": ["video"]})).await;
            assert_eq!(code, 404);
            assert_eq!(
                found(&mut a, "hyperty://example.org/nobody", &json!({}))
                    .await
                    .0,
                404
            );
        })
        .await;
}

#[tokio::test]
async fn a_registration_ends_by_itself_and_by_its_owner_alone() {
    let Some(server) = NatsServer::if_installed("") else {
        return;
    };
    LocalSet::new()
        .run_until(async {
            let mut a = Core::live("a", &config(&server)).await;
            let mut b = Core::live("b", &config(&server)).await;
            let runtime = b.runtime.clone();
            ask(&mut b, "create", REGISTRY, &record(BOB, &runtime, 3600)).await;

            let theft = ask(&mut a, "create", REGISTRY, &record(BOB, &runtime, 3600)).await;
            let end = json!({ "value": { "url": BOB } });
            let foreign = ask(&mut a, "delete", REGISTRY, &end).await;
            assert_eq!((theft.code, foreign.code), (409, 409));

            let away = json!({ "resource": BOB, "value": { "status": "disconnected" } });
            ask(&mut b, "update", REGISTRY, &away).await;
            let (code, value) = found(&mut a, BOB, &json!({})).await;
            assert_eq!((code, &value["status"]), (408, &json!("disconnected")));
            ask(
                &mut b,
                "update",
                REGISTRY,
                &json!({ "resource": BOB, "value": { "expires": 1, "status": "live" } }),
            )
            .await;
            assert_eq!(found(&mut a, BOB, &json!({})).await.0, 200);
            let ended = async {
                while found(&mut a, BOB, &json!({})).await.0 == 200 {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            };
            tokio::time::timeout(support::WITHIN, ended)
                .await
                .expect("it ends");
            ask(&mut b, "delete", REGISTRY, &end).await;
            assert_eq!(found(&mut a, BOB, &json!({})).await.0, 404);
        })
        .await;
}

#[tokio::test]
async fn a_data_object_is_found_by_address_name_and_reporter() {
    let Some(server) = NatsServer::if_installed("") else {
        return;
    };
    let object = "comm://example.org/o-1";
    LocalSet::new()
        .run_until(async {
            let mut b = Core::live("b", &config(&server)).await;
            let body = json!({ "value": {
                "name": "our talk", "schema": "hyperty-catalogue://example.org/.well-known/dataschema/Communication",
                "url": object, "reporter": BOB, "expires": 3600, "dataSchemes": ["comm"],
                "resources": ["chat"], "status": "live", "runtime": b.runtime
            }});
            assert_eq!(ask(&mut b, "create", REGISTRY, &body).await.code, 200);

            let (code, value) = found(&mut b, object, &json!({})).await;
            assert_eq!((code, &value["name"]), (200, &json!("our talk")));
            let (code, value) = found(&mut b, "our talk", &json!({})).await;
            assert_eq!((code, &value[object]["reporter"]), (200, &json!(BOB)));
            let (code, value) = found(&mut b, "/comm", &json!({ "reporter": BOB })).await;
            assert_eq!((code, &value[object]["name"]), (200, &json!("our talk")));
        })
        .await;
}

#[tokio::test]
async fn who_hears_of_a_registration_is_told_when_it_changes() {
    let Some(server) = NatsServer::if_installed("") else {
        return;
    };
    let topic = format!("{BOB}/registration");
    LocalSet::new()
        .run_until(async {
            let mut a = Core::live("a", &config(&server)).await;
            let mut b = Core::live("b", &config(&server)).await;
            let node = "domain://msg-node.example.org/sm";
            let heard = ask(&mut a, "subscribe", node, &json!({ "resources": [topic] })).await;
            assert_eq!(heard.code, 200, "{heard:?}");

            let runtime = b.runtime.clone();
            ask(&mut b, "create", REGISTRY, &record(BOB, &runtime, 3600)).await;
            let live = a.until(|heard| heard.to == topic).await;
            let again =
                json!({ "resource": BOB, "value": { "status": "live" }, "method": "refresh" });
            ask(&mut b, "update", REGISTRY, &again).await;
            let away = json!({ "resource": BOB, "value": { "status": "disconnected" } });
            ask(&mut b, "update", REGISTRY, &away).await;
            let gone = a.until(|heard| heard.to == topic).await;

            assert_eq!(
                (&*live.from, &live.body["value"]),
                (REGISTRY, &json!("live"))
            );
            assert_eq!(gone.body["value"], "disconnected", "a refresh is no news");
        })
        .await;
}

#[tokio::test]
async fn a_block_of_addresses_is_given_again_under_its_key() {
    let Some(server) = NatsServer::if_installed("") else {
        return;
    };
    let node = "domain://msg-node.example.org/address-allocation";
    LocalSet::new()
        .run_until(async {
            let mut a = Core::live("a", &config(&server)).await;
            let body =
                json!({ "scheme": "comm", "value": { "number": 3, "allocationKey": "mine" } });

            let first = ask(&mut a, "create", node, &body).await.body["value"]["allocated"].clone();
            a.kill();
            let mut a = Core::live("a", &config(&server)).await;
            let again = ask(&mut a, "create", node, &body).await.body["value"]["allocated"].clone();
            let released = ask(&mut a, "delete", node, &json!({ "resource": "mine" })).await;
            let other = ask(&mut a, "create", node, &body).await.body["value"]["allocated"].clone();
            let many = ask(
                &mut a,
                "create",
                node,
                &json!({ "value": { "number": 101 } }),
            )
            .await;

            assert_eq!(first.as_array().map(Vec::len), Some(3));
            assert_eq!(first, again);
            assert_eq!((released.code, many.code), (200, 400));
            assert_ne!(first, other);
        })
        .await;
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_answered() {
    let Some(server) = NatsServer::if_installed("") else {
        return;
    };
    LocalSet::new()
        .run_until(async {
            let mut a = Core::live("a", &config(&server)).await;
            let node = "domain://msg-node.example.org";
            for (kind, to, body, code) in [
                ("subscribe", format!("{node}/sm"), json!({}), 400),
                (
                    "subscribe",
                    format!("{node}/sm"),
                    json!({"resources": [BOB], "subscribe": [BOB]}),
                    400,
                ),
                (
                    "subscribe",
                    format!("{node}/sm"),
                    json!({"resources": ["not an address"]}),
                    400,
                ),
                (
                    "subscribe",
                    format!("{node}/sm"),
                    json!({"resources": ["hyperty://other.example/1"]}),
                    400,
                ),
                ("create", format!("{node}/sm"), json!({}), 405),
                ("read", format!("{node}/nothing"), json!({}), 405),
                (
                    "create",
                    REGISTRY.to_owned(),
                    json!({"value": {"url": "x y"}}),
                    400,
                ),
                ("read", REGISTRY.to_owned(), json!([]), 400),
                ("execute", REGISTRY.to_owned(), json!({}), 405),
            ] {
                let answer = ask(&mut a, kind, &to, &body).await;
                assert_eq!(answer.code, code, "{kind} {to} {body}: {answer:?}");
                assert!(answer.body["desc"].is_string(), "{answer:?}");
            }
            a.send(
                "subscribe",
                BOB,
                &format!("{node}/sm"),
                Reply::Unwanted,
                &json!({}),
            )
            .await;
            let more = a.rest(Duration::from_millis(200)).await;
            assert!(more.is_empty(), "{more:?}");
        })
        .await;
}

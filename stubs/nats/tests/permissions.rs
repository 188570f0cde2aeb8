//! Who a runtime is to the cluster: the server refuses what is not its own.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use hyperty_tests::harness::NatsServer;
use nkeys::KeyPair;
use protocol::message::Reply;
use serde_json::{Value, json};
use support::core::Core;
use support::permissions;
use tokio::task::LocalSet;

const ALICE: &str = "hyperty://example.org/alice";
const BOB: &str = "hyperty://example.org/bob";

/// A user of the server's own configuration, by its key.
fn user(key: &KeyPair, id: &str) -> String {
    let allowed = permissions(id);
    format!(
        "{{ nkey: {}, permissions: {{ publish: {{ allow: {} }}, subscribe: {{ allow: {} }} }} }}",
        key.public_key(),
        allowed["pub"],
        allowed["sub"]
    )
}

/// A token of NATS: claims that a key signed.
fn token(signer: &KeyPair, subject: &str, kind: &str, mut nats: Value) -> String {
    nats["type"] = json!(kind);
    nats["version"] = json!(2);
    let claims = json!({
        "jti": subject, "iat": 1_700_000_000, "iss": signer.public_key(), "name": kind,
        "sub": subject, "nats": nats,
    });
    let head = BASE64URL_NOPAD.encode(br#"{"typ":"JWT","alg":"ed25519-nkey"}"#);
    let body = BASE64URL_NOPAD.encode(claims.to_string().as_bytes());
    let text = format!("{head}.{body}");
    let signature = signer.sign(text.as_bytes()).expect("signed");
    format!("{text}.{}", BASE64URL_NOPAD.encode(&signature))
}

/// The text of the file that an operator hands to a runtime.
fn creds(jwt: &str, seed: &str) -> String {
    format!(
        "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    )
}

/// Without the right to make streams: the operator has made them before.
async fn prepare(server: &NatsServer) {
    let mut first = Core::live(
        "operator",
        &json!({ "servers": [server.url()],
        "credentials": { "user": "operator", "password": "secret" } }),
    )
    .await;
    first.rest(Duration::from_millis(10)).await;
}

#[tokio::test]
async fn a_key_lets_a_runtime_publish_as_itself_and_as_nobody_else() {
    let Some(program) = NatsServer::program() else {
        return;
    };
    let (a_key, b_key) = (KeyPair::new_user(), KeyPair::new_user());
    let users = [
        "{ user: operator, password: secret }".to_owned(),
        user(&a_key, "a"),
        user(&b_key, "b"),
    ];
    let more = format!("authorization {{ users: [ {} ] }}", users.join(",\n"));
    let server = NatsServer::start(&program, &more);
    let with = |key: &KeyPair| json!({ "servers": [server.url()], "credentials": { "seed": key.seed().expect("a seed") } });
    LocalSet::new()
        .run_until(async {
            prepare(&server).await;
            let mut a = Core::live("a", &with(&a_key)).await;
            let mut b = Core::live("b", &with(&b_key)).await;
            let node = "domain://msg-node.example.org/sm";
            let runtime = b.runtime.clone();
            b.ask("subscribe", &runtime, node, &json!({ "resources": [BOB] }))
                .await;
            let id = a
                .send("read", ALICE, BOB, Reply::Within(9000), &json!({}))
                .await;
            let question = b.until(|heard| heard.to == BOB).await;
            b.answer(&question, &json!("hello")).await;
            let answer = a
                .until(|heard| heard.id == id && heard.kind == "response")
                .await;
            assert_eq!(
                answer.code,
                200,
                "all that is needed is permitted\n{}",
                a.said()
            );

            // Another program with the key of `a`: it may speak as `a` only.
            let thief = async_nats::ConnectOptions::with_nkey(a_key.seed().expect("a seed"));
            let (told, mut complaints) = tokio::sync::mpsc::unbounded_channel();
            let thief = thief.event_callback(move |event| {
                let told = told.clone();
                async move { drop(told.send(event.to_string())) }
            });
            let thief = thief.connect(server.url()).await.expect("connected");
            let forged = json!({ "id": 1, "type": "update", "from": format!("{}/sm", b.runtime),
                "to": BOB, "body": {} })
            .to_string();
            let as_b = "hy.to.example=dorg_b.example=dorg_b";
            thief
                .publish(as_b, forged.clone().into())
                .await
                .expect("sent");
            thief
                .publish("hy.to.example=dorg_b.example=dorg_a", forged.into())
                .await
                .expect("sent");
            thief
                .publish("$KV.hy-book.own.x.example=dorg_b", "x".into())
                .await
                .expect("sent");
            thief.flush().await.expect("flushed");
            let mut refused = Vec::new();
            while refused.len() < 2 {
                let event = tokio::time::timeout(support::WITHIN, complaints.recv());
                let event = event.await.expect("in time").expect("an event");
                if event.to_lowercase().contains("permissions violation") {
                    refused.push(event);
                }
            }

            assert!(refused[0].contains(as_b), "{refused:?}");
            assert!(refused[1].contains("own.x.example=dorg_b"), "{refused:?}");
            let more = b.rest(Duration::from_millis(300)).await;
            assert!(more.iter().all(|heard| heard.to != BOB), "{more:?}");
            assert!(
                b.said().contains("is not an address of the runtime"),
                "{}",
                b.said()
            );
        })
        .await;
}

#[tokio::test]
async fn a_token_of_the_account_lets_a_runtime_in() {
    let Some(program) = NatsServer::program() else {
        return;
    };
    let (operator, account, user) = (
        KeyPair::new_operator(),
        KeyPair::new_account(),
        KeyPair::new_user(),
    );
    let unlimited = json!({ "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1,
        "wildcards": true, "conn": -1, "leaf": -1, "mem_storage": -1, "disk_storage": -1,
        "streams": -1, "consumer": -1 });
    let operator_token = token(&operator, &operator.public_key(), "operator", json!({}));
    let account_token = token(
        &operator,
        &account.public_key(),
        "account",
        json!({ "limits": unlimited }),
    );
    let user_token = |signer: &KeyPair, key: &KeyPair| {
        token(
            signer,
            &key.public_key(),
            "user",
            json!({ "subs": -1, "data": -1, "payload": -1 }),
        )
    };
    let system = KeyPair::new_account();
    let none = json!({ "subs": -1, "conn": -1, "data": -1, "payload": -1, "leaf": -1,
        "imports": -1, "exports": -1, "wildcards": true });
    let system_token = token(
        &operator,
        &system.public_key(),
        "account",
        json!({ "limits": none }),
    );
    let more = format!(
        "operator: {operator_token}\nsystem_account: {}\nresolver: MEMORY\n\
         resolver_preload: {{ {}: {account_token}, {}: {system_token} }}",
        system.public_key(),
        account.public_key(),
        system.public_key()
    );
    let server = NatsServer::start(&program, &more);
    let config = |text: String| json!({ "servers": [server.url()], "credentials": text });
    LocalSet::new()
        .run_until(async {
            let seed = user.seed().expect("a seed");
            let good = creds(&user_token(&account, &user), &seed);
            let stranger = KeyPair::new_account();
            let forged = creds(&user_token(&stranger, &user), &seed);

            Core::live("a", &config(good)).await;
            let mut refused = Core::start("b", &config(forged)).await;
            let failed = refused.status("failed").await;

            let desc = failed.body["desc"].as_str().expect("a reason").to_owned();
            assert!(desc.contains("Authorization Violation"), "{desc}");
            refused
                .send("update", ALICE, BOB, Reply::Unwanted, &json!({}))
                .await;
            assert!(!refused.said().contains(&seed), "a seed is in the log");
        })
        .await;
}

#[tokio::test]
async fn credentials_that_are_none_are_told_before_anything_is_dialled() {
    let key = KeyPair::new_account().seed().expect("a seed");
    let server = json!(["nats://127.0.0.1:1"]);
    let check = async |config: Value, reason: &str| {
        let mut a = Core::start("a", &config).await;
        let failed = a.status("failed").await;
        let desc = failed.body["desc"].as_str().expect("a reason").to_owned();
        assert!(desc.contains(reason), "{desc}");
        let answer = a.ask("read", ALICE, BOB, &json!({})).await;
        assert_eq!(answer.code, 503, "{answer:?}");
    };
    LocalSet::new()
        .run_until(async {
            check(json!({}), "no server is named").await;
            check(
                json!({ "servers": ["http://x"] }),
                "`http://x` is not a server",
            )
            .await;
            check(json!({ "servers": ["nats://u:p@x"] }), "is not a server").await;
            check(
                json!({ "servers": server, "credentials": "x" }),
                "no `NATS USER JWT`",
            )
            .await;
            check(
                json!({ "servers": server, "credentials": { "seed": "SUX" } }),
                "is not a user's seed",
            )
            .await;
            check(
                json!({ "servers": server, "credentials": { "seed": key } }),
                "is not a user's seed",
            )
            .await;
            check(
                json!({ "servers": server, "credentials": { "user": "a" } }),
                "do not belong together",
            )
            .await;
            check(
                json!({ "servers": server, "prefix": "a.b" }),
                "is not a prefix",
            )
            .await;
        })
        .await;
}

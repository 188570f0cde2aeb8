//! Servers and runtimes that do not keep to the protocol.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::time::Duration;

use hyperty_tests::harness::NatsServer;
use protocol::message::Reply;
use serde_json::{Value, json};
use support::core::Core;
use support::{BOB, with_two};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::task::LocalSet;

const ALICE: &str = "hyperty://example.org/alice";

/// A server that says these bytes to whoever connects, and nothing else.
async fn server(says: &'static [u8]) -> Value {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::task::spawn_local(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(says).await;
            open.push(stream);
        }
    });
    json!({ "servers": [format!("nats://{address}")] })
}

#[tokio::test]
async fn a_server_that_speaks_something_else_is_named_with_what_it_said() {
    let check = async |says: &'static [u8], reason: &str| {
        let mut a = Core::start("a", &server(says).await).await;
        let is_end = |value: &Value| value == "disconnected" || value == "failed";
        let told = a.until(|heard| is_end(&heard.body["value"])).await;
        let desc = told.body["desc"].as_str().expect("a reason").to_owned();
        assert!(desc.contains(reason), "{desc}");
    };
    LocalSet::new()
        .run_until(async {
            check(
                b"HTTP/1.1 400 Bad Request\r\n\r\n",
                "`HTTP/1.1` is not an operation",
            )
            .await;
            check(
                b"SSH-2.0-OpenSSH_9.6\r\n",
                "is not an operation of a server",
            )
            .await;
            check(b"PING\r\n", "did not say INFO first").await;
            check(b"INFO nonsense\r\n", "its INFO is not JSON").await;
            check(b"INFO {}\r\n", "too old").await;
            check(
                b"-ERR 'maximum connections exceeded'\r\n",
                "maximum connections exceeded",
            )
            .await;
            check(&[b'x'; 10_000], "a line of more than 4096 bytes").await;
            check(
                b"INFO {\"headers\":true}\r\nMSG a 1 4294967296\r\n",
                "a message of 4294967296 bytes",
            )
            .await;
            check(
                b"INFO {\"headers\":true,\"tls_required\":true}\r\nPING\r\n",
                "it spoke in clear after it had asked for TLS",
            )
            .await;
            check(
                b"INFO {\"headers\":true}\r\n",
                "said no greeting within 5 s",
            )
            .await;
        })
        .await;
}

/// Publishes to runtime `b` what a program with the rights of runtime `evil` can.
async fn publish(server: &NatsServer, reply: Option<&str>, payload: &str) {
    let evil = async_nats::connect(server.url()).await.expect("connected");
    let subject = "hy.to.example=dorg_b.example=dorg_evil".to_owned();
    let sent = match reply {
        Some(reply) => {
            evil.publish_with_reply(subject, reply.to_owned(), payload.to_owned().into())
                .await
        }
        None => evil.publish(subject, payload.to_owned().into()).await,
    };
    sent.expect("sent");
    evil.flush().await.expect("flushed");
}

#[tokio::test]
async fn a_runtime_speaks_for_its_own_addresses_only() {
    let Some(server) = NatsServer::if_installed("") else {
        return;
    };
    let config = json!({ "servers": [server.url()] });
    let said = |from: &str| {
        json!({ "id": 7, "type": "read", "from": from, "to": BOB, "body": {} }).to_string()
    };
    LocalSet::new()
        .run_until(async {
            let mut a = Core::live("a", &config).await;
            let mut b = Core::live("b", &config).await;
            a.ask("read", ALICE, BOB, &json!({})).await;

            for from in [
                ALICE,
                "hyperty://example.org/unclaimed",
                "hyperty-runtime://example.org/a/sm",
                "hyperty-runtime://example.org/b/sm",
                "domain://registry.example.org",
                "hyperty://other.example/1",
                "hyperty://evilexample.org/1",
            ] {
                publish(&server, None, &said(from)).await;
            }
            publish(&server, None, &said("hyperty-runtime://example.org/evil/x")).await;
            let heard = b.until(|heard| heard.to == BOB).await;
            let more = b.rest(Duration::from_millis(300)).await;

            assert_eq!(heard.from, "hyperty-runtime://example.org/evil/x");
            assert!(more.iter().all(|heard| heard.to != BOB), "{more:?}");
        })
        .await;
}

#[tokio::test]
async fn what_is_no_message_is_dropped_and_told_in_the_log() {
    let Some(server) = NatsServer::if_installed("") else {
        return;
    };
    let config = json!({ "servers": [server.url()] });
    let own = "hyperty-runtime://example.org/evil/x";
    LocalSet::new()
        .run_until(async {
            let mut b = Core::live("b", &config).await;
            for payload in [
                "", "garbage", "[]", "{}", "{\"type\":\"read\"}",
                &json!({ "type": "re ad", "from": own, "to": BOB }).to_string(),
                &json!({ "type": "response", "from": own, "to": BOB, "body": {"code": 200} }).to_string(),
                &json!({ "type": "read", "from": own, "to": "\u{1b}[31m" }).to_string(),
                &format!("{{\"type\":\"read\",\"from\":\"{own}\",\"from\":\"{ALICE}\",\"to\":\"{BOB}\"}}"),
            ] {
                publish(&server, None, payload).await;
            }
            let last = json!({ "id": 1, "type": "read", "from": own, "to": BOB, "body": {}, "identity": {"a": 1} });
            publish(&server, Some("$JS.API.STREAM.DELETE.hy-mail"), &last.to_string()).await;

            let heard = b.until(|heard| heard.to == BOB).await;
            assert_eq!(heard.reply, Reply::Unwanted, "nothing is answered where it may not be");
            assert!(b.said().contains("sent not a message"), "{}", b.said());
            assert!(!b.said().contains('\u{1b}'));
        })
        .await;
}

#[tokio::test]
async fn a_body_cannot_say_another_sender() {
    with_two(async |mut a: Core, mut b: Core, _: &NatsServer| {
        let body = format!("{{}},\"from\":\"{BOB}\",\"x\":{{}}");
        let id = a.send_text("read", ALICE, BOB, body.as_bytes()).await;
        let answer = a
            .until(|heard| heard.id == id && heard.kind == "response")
            .await;

        assert_eq!(answer.code, 400, "{answer:?}");
        let more = b.rest(Duration::from_millis(100)).await;
        assert!(more.iter().all(|heard| heard.to != BOB), "{more:?}");
    })
    .await;
}

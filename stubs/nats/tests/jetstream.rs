//! JetStream and its tables against a real server, with an independent client as
//! the other side.

#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::time::Duration;

use async_nats::jetstream;
use futures_util::TryStreamExt;
use hyperty_tests::harness::NatsServer;
use stub_nats::client::{Event, JetStream, JetStreamError, Mailbox, Table};
use stub_nats::credentials::Credentials;
use tokio::time::timeout;

mod support;

use support::{WITHIN, client, up, with};

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn a_table_is_what_other_clients_take_for_one() {
    let Some(server) = NatsServer::if_installed("") else {
        return;
    };
    let mut ours = client("r1", &[server.url()], Credentials::None);
    up(&mut ours).await;
    let table = Table::new(JetStream::new(ours.api()), "hy-book".to_owned());

    let written = with(&mut ours, async {
        table.ensure(DAY).await?;
        table.put("own.a.r1", b"one").await?;
        table.put("own.b.r1", b"two").await?;
        table.delete("own.b.r1").await
    });
    written.await.expect("written");

    let theirs = async_nats::connect(server.url()).await.expect("connected");
    let store = jetstream::new(theirs)
        .get_key_value("hy-book")
        .await
        .expect("a table");
    let value = store.get("own.a.r1").await.expect("read").expect("a value");
    assert_eq!(&value[..], b"one");
    assert_eq!(store.get("own.b.r1").await.expect("read"), None);
    let keys: Vec<String> = store
        .keys()
        .await
        .expect("keys")
        .try_collect()
        .await
        .expect("keys");
    assert_eq!(keys, ["own.a.r1"]);
    store
        .put("own.c.r1", "three".into())
        .await
        .expect("written");
    let found = with(&mut ours, table.find("own.*.r1"))
        .await
        .expect("found");
    let values: Vec<_> = found
        .iter()
        .map(|entry| (&*entry.key, &*entry.value))
        .collect();
    assert_eq!(values, [("own.a.r1", &b"one"[..]), ("own.c.r1", b"three")]);
}

#[tokio::test]
async fn a_value_is_created_once() {
    let Some(server) = NatsServer::if_installed("") else {
        return;
    };
    let mut ours = client("r1", &[server.url()], Credentials::None);
    up(&mut ours).await;
    let table = Table::new(JetStream::new(ours.api()), "hy-book".to_owned());

    let outcomes = with(&mut ours, async {
        table.ensure(DAY).await?;
        let first = table.create("own.a.r1", b"one").await?;
        let second = table.create("own.a.r1", b"two").await?;
        table.delete("own.a.r1").await?;
        let third = table.create("own.a.r1", b"three").await?;
        let value = table.get("own.a.r1").await?.map(|entry| entry.value);
        Ok::<_, JetStreamError>((first.is_some(), second, third.is_some(), value))
    });

    let outcomes = outcomes.await.expect("answered");
    assert_eq!(outcomes, (true, None, true, Some(b"three".to_vec())));
}

#[tokio::test]
async fn what_is_stored_twice_under_one_identifier_is_stored_once() {
    let Some(server) = NatsServer::if_installed("") else {
        return;
    };
    let mut ours = client("r1", &[server.url()], Credentials::None);
    up(&mut ours).await;
    let stream = JetStream::new(ours.api());
    let mailbox = Mailbox::new(stream.clone());

    let stored = with(&mut ours, async {
        mailbox.ensure(DAY).await?;
        let to = stream.api().names().mail_to("example=dorg_r1");
        let once = stream
            .store(&to, &[("Nats-Msg-Id", "r1-1")], b"hello")
            .await?;
        let twice = stream
            .store(&to, &[("Nats-Msg-Id", "r1-1")], b"hello")
            .await?;
        Ok::<_, JetStreamError>((once.duplicate, twice.duplicate, once.seq == twice.seq))
    });
    assert_eq!(stored.await, Ok((false, true, true)));

    mailbox.pull().expect("asked");
    let first = timeout(WITHIN, ours.next()).await.expect("in time");
    let Event::Message(first) = first else {
        panic!("{first:?}")
    };
    assert_eq!(first.payload, b"hello");
    let reply = first
        .reply
        .expect("a place for the acknowledgement")
        .to_owned();
    mailbox.taken(&reply).expect("said");
    with(&mut ours, async {
        let pending = || async {
            let text = stream
                .api()
                .ask("$JS.API.STREAM.INFO.hy-mail", &[], b"", WITHIN)
                .await;
            let text = text.expect("answered").payload;
            let info: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
            info["state"]["messages"].as_u64()
        };
        while pending().await != Some(0) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

//! Whatever a far end writes, it comes to an end: an event, an answer or an error.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

mod far_end;

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use sandbox_net::http::Request;
use sandbox_net::websocket::{Event, Options};
use tokio::io::AsyncWriteExt;

use self::far_end::{accept, answering, network, raw};

const SOON: Duration = Duration::from_secs(5);

fn block_on<F: Future>(future: F) -> F::Output {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap().block_on(future)
}

/// Bytes that look like frames often enough to be understood in part.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        Just(0x81_u8),
        Just(0x82),
        Just(0x01),
        Just(0x80),
        Just(0x88),
        Just(0x89),
        any::<u8>()
    ];
    let frame = (first, prop::collection::vec(any::<u8>(), 0..64)).prop_map(|(first, payload)| {
        let mut bytes = vec![first, u8::try_from(payload.len()).unwrap()];
        bytes.extend(payload);
        bytes
    });
    prop::collection::vec(frame, 0..8).prop_map(|frames| frames.concat())
}

/// Bytes that begin as an answer often enough.
fn answers() -> impl Strategy<Value = Vec<u8>> {
    let start = prop_oneof![
        Just("HTTP/1.1 200 OK\r\n"),
        Just("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"),
        Just("HTTP/1.1 301 Moved\r\nlocation: "),
        Just("HTTP/1.1 200 OK\r\ncontent-length: "),
        Just(""),
    ];
    (start, prop::collection::vec(any::<u8>(), 0..256))
        .prop_map(|(start, rest)| [start.as_bytes(), &rest].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_socket_ends_after_anything(bytes in frames()) {
        let bytes: Arc<[u8]> = bytes.into();
        block_on(async move {
            let port = raw(move |mut stream| {
                let bytes = Arc::clone(&bytes);
                async move {
                    accept(&mut stream).await;
                    let _ = stream.write_all(&bytes).await;
                    let _ = stream.shutdown().await;
                }
            })
            .await;
            let url = format!("ws://127.0.0.1:{port}/");
            let mut socket = network().websocket(&url, Options::default()).await.unwrap();
            let end = async {
                while let Ok(Event::Text(_) | Event::Binary(_)) = socket.recv().await {}
            };
            tokio::time::timeout(SOON, end).await.expect("it does not end");
        });
    }

    #[test]
    fn a_request_ends_after_anything(bytes in answers()) {
        block_on(async move {
            let port = answering(bytes).await;
            let request = Request::get(&format!("http://127.0.0.1:{port}/")).unwrap();
            let network = network();
            let end = async {
                if let Ok(answer) = network.http().send(request).await {
                    let _ = answer.bytes(1024).await;
                }
            };
            tokio::time::timeout(SOON, end).await.expect("it does not end");
        });
    }
}

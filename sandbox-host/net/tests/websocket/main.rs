//! WebSockets with servers of another make, honest and not.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

#[path = "../far_end/mod.rs"]
mod far_end;
mod hostile;

use std::time::Duration;

use axum::Router;
use axum::extract::ws::{CloseFrame, Message, WebSocket as Far, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;
use sandbox_net::websocket::{Closed, Event, NO_CODE, Options, WebSocket};
use sandbox_net::{Error, limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use self::far_end::{Authority, Valid, accept, network, raw, secure, web};

const SOON: Duration = Duration::from_millis(300);

/// Sends everything back.
fn echo() -> Router {
    async fn back(mut far: Far) {
        while let Some(Ok(message)) = far.recv().await {
            if matches!(message, Message::Text(_) | Message::Binary(_)) {
                let _ = far.send(message).await;
            }
        }
    }
    served(back)
}

fn served<F: Future<Output = ()> + Send + 'static>(act: fn(Far) -> F) -> Router {
    let upgrade = move |upgrade: WebSocketUpgrade| async move {
        let upgrade = upgrade
            .protocols(["second", "third"])
            .max_message_size(16 << 20);
        let answer: Response = upgrade.max_frame_size(16 << 20).on_upgrade(act);
        answer
    };
    Router::new().route("/", any(upgrade))
}

async fn open(port: u16) -> Result<WebSocket, Error> {
    let options = Options::default().within(SOON);
    network()
        .websocket(&format!("ws://127.0.0.1:{port}/"), options)
        .await
}

/// Shakes hands, writes these bytes, and waits for the other end to close.
async fn saying(bytes: &'static [u8]) -> u16 {
    raw(move |mut stream| async move {
        accept(&mut stream).await;
        let _ = stream.write_all(bytes).await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await
}

#[tokio::test]
async fn texts_and_bytes_go_there_and_back() {
    let mut socket = open(web(echo()).await).await.unwrap();
    let long = "ä".repeat(100_000);

    socket.send_text("hello").await.unwrap();
    socket.send_binary(vec![0, 255]).await.unwrap();
    socket.send_text(long.clone()).await.unwrap();

    assert_eq!(
        socket.recv().await.unwrap(),
        Event::Text("hello".to_owned())
    );
    assert_eq!(
        socket.recv().await.unwrap(),
        Event::Binary(vec![0, 255].into())
    );
    assert_eq!(socket.recv().await.unwrap(), Event::Text(long));
}

#[tokio::test]
async fn it_works_over_tls() {
    let authority = Authority::named("ours");
    let config = authority.server("localhost", Valid::Now, &["h2", "http/1.1"]);
    let port = secure(echo(), config).await;
    let url = format!("wss://localhost:{port}/");

    let network = authority.network();
    let mut socket = network.websocket(&url, Options::default()).await.unwrap();
    socket.send_text("hello").await.unwrap();

    assert_eq!(
        socket.recv().await.unwrap(),
        Event::Text("hello".to_owned())
    );
}

#[tokio::test]
async fn a_large_message_is_no_deadlock() {
    let (mut sender, mut receiver) = open(web(echo()).await).await.unwrap().split();
    let message = vec![7; limits::MESSAGE_BYTES_MAX];

    let sent = tokio::spawn(async move {
        for _ in 0..4 {
            sender.send_binary(message.clone()).await.unwrap();
        }
        sender
    });
    for _ in 0..4 {
        let Event::Binary(bytes) = receiver.recv().await.unwrap() else {
            panic!("not what was sent");
        };
        assert_eq!(bytes.len(), limits::MESSAGE_BYTES_MAX);
    }
    sent.await.unwrap();
}

#[tokio::test]
async fn the_servers_choice_among_the_subprotocols_is_told() {
    let port = web(echo()).await;
    let options = Options::default().protocol("first").protocol("second");

    let url = format!("ws://127.0.0.1:{port}/");
    let socket = network().websocket(&url, options).await.unwrap();

    assert_eq!(socket.protocol(), "second");
}

#[tokio::test]
async fn a_close_is_answered_and_its_code_told() {
    async fn part(mut far: Far) {
        let reason = "enough".into();
        let _ = far
            .send(Message::Close(Some(CloseFrame { code: 4001, reason })))
            .await;
        // The answer to it.
        while let Some(Ok(_)) = far.recv().await {}
    }
    let mut socket = open(web(served(part)).await).await.unwrap();

    let event = socket.recv().await.unwrap();

    let closed = Closed {
        code: 4001,
        reason: "enough".to_owned(),
    };
    assert_eq!(event, Event::Closed(closed));
    assert!(matches!(socket.recv().await, Err(Error::Ended { .. })));
}

#[tokio::test]
async fn closing_waits_for_the_other_end() {
    let socket = open(web(echo()).await).await.unwrap();

    let closed = socket.close(3000, &"ü".repeat(100)).await.unwrap();

    assert_eq!(closed.code, 3000);
}

#[tokio::test]
async fn codes_that_are_not_the_applications_are_refused() {
    let (mut sender, _receiver) = open(web(echo()).await).await.unwrap().split();

    for code in [0, 999, 1001, 1005, 1006, 2999, 5000] {
        assert!(
            matches!(sender.close(code, "").await, Err(Error::Request(_))),
            "{code}"
        );
    }
    assert!(sender.close(1000, "").await.is_ok());
    assert!(matches!(
        sender.send_text("late").await,
        Err(Error::Ended { .. })
    ));
}

#[tokio::test]
async fn a_close_without_a_code_says_so() {
    let mut socket = open(saying(&[0x88, 0]).await).await.unwrap();

    let closed = Closed {
        code: NO_CODE,
        reason: String::new(),
    };
    assert_eq!(socket.recv().await.unwrap(), Event::Closed(closed));
}

#[tokio::test]
async fn pings_are_answered_even_when_nobody_sends() {
    async fn ask(mut far: Far) {
        let _ = far.send(Message::Ping(vec![1, 2, 3].into())).await;
        while let Some(Ok(message)) = far.recv().await {
            if let Message::Pong(bytes) = message {
                let _ = far.send(Message::Binary(bytes)).await;
            }
        }
    }
    let mut socket = open(web(served(ask)).await).await.unwrap();

    assert_eq!(
        socket.recv().await.unwrap(),
        Event::Binary(vec![1, 2, 3].into())
    );
}

#[tokio::test]
async fn waiting_can_be_given_up_and_begun_again() {
    let mut socket = open(web(echo()).await).await.unwrap();

    for n in 0..100 {
        let waiting = tokio::time::timeout(Duration::ZERO, socket.recv()).await;
        assert!(waiting.is_err());
        socket.send_text(n.to_string()).await.unwrap();
        assert_eq!(socket.recv().await.unwrap(), Event::Text(n.to_string()));
    }
}

#[tokio::test]
async fn addresses_that_are_none_are_refused_before_anything_is_dialled() {
    for url in [
        "http://a.example/",
        "ws://",
        "wss://a.example/#f",
        "nonsense",
        "ws://u:p@a.example/",
    ] {
        let error = network()
            .websocket(url, Options::default())
            .await
            .err()
            .unwrap();

        assert!(matches!(error, Error::Url { .. }), "{url}: {error:?}");
    }
}

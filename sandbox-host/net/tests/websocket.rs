//! WebSockets with servers of another make, honest and not.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

mod far_end;

use std::time::Duration;

use axum::Router;
use axum::extract::ws::{CloseFrame, Message, WebSocket as Far, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;
use sandbox_net::websocket::{Closed, Event, NO_CODE, Options, WebSocket};
use sandbox_net::{Error, limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use self::far_end::{Authority, Valid, answering, head, network, raw, secure, web};

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

/// Shakes hands as a server, byte by byte.
async fn accept(stream: &mut TcpStream) {
    let asked = head(stream).await;
    let key = asked
        .lines()
        .find_map(|line| line.strip_prefix("sec-websocket-key: "));
    let proof = tokio_tungstenite::tungstenite::handshake::derive_accept_key(
        key.expect("a key").trim().as_bytes(),
    );
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-accept: {proof}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
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
async fn an_end_without_a_close_is_an_error() {
    let port = raw(|mut stream| async move { accept(&mut stream).await }).await;

    let mut socket = open(port).await.unwrap();

    assert!(matches!(socket.recv().await, Err(Error::Ended { .. })));
}

#[tokio::test]
async fn an_ordinary_answer_is_no_websocket() {
    for status in [
        "200 OK",
        "302 Found\r\nlocation: ws://127.0.0.1:1/",
        "401 Unauthorized",
        "503 Busy",
    ] {
        let port = answering(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n")).await;

        let error = open(port).await.err().unwrap();

        let expected = status[..3].parse::<u16>().unwrap();
        assert!(
            matches!(error, Error::NotAWebSocket { status, .. } if status == expected),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_server_that_only_pretends_is_found_out() {
    let wrong = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: AAAA\r\n";
    let other = "connection: upgrade\r\nupgrade: h2c\r\n";
    for headers in [wrong, other] {
        let port = answering(format!("HTTP/1.1 101 Switching Protocols\r\n{headers}\r\n")).await;

        let error = open(port).await.err().unwrap();

        assert!(
            matches!(
                error,
                Error::Protocol {
                    protocol: "WebSocket",
                    ..
                }
            ),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_handshake_without_end_is_given_up() {
    let port = raw(|mut stream| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;

    assert!(matches!(
        open(port).await,
        Err(Error::Late {
            what: "open a WebSocket",
            ..
        })
    ));
}

#[tokio::test]
async fn a_frame_of_4_gib_is_refused_when_it_is_announced() {
    let mut socket = open(saying(&[0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0]).await)
        .await
        .unwrap();

    let error = socket.recv().await.err().unwrap();

    assert!(
        matches!(
            error,
            Error::TooLong {
                limit: limits::MESSAGE_BYTES_MAX,
                what: "a message",
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn pieces_of_a_message_count_together() {
    let port = raw(|mut stream| async move {
        accept(&mut stream).await;
        let _ = stream.write_all(&[0x02, 126, 0x40, 0]).await;
        let _ = stream.write_all(&[0; 0x4000]).await;
        // Endless continuations of 16 KiB.
        while stream.write_all(&[0x00, 126, 0x40, 0]).await.is_ok() {
            let _ = stream.write_all(&[0; 0x4000]).await;
        }
    })
    .await;
    let mut socket = open(port).await.unwrap();

    assert!(matches!(socket.recv().await, Err(Error::TooLong { .. })));
}

#[tokio::test]
async fn a_message_of_exactly_the_limit_is_taken() {
    let port = web(echo()).await;
    let url = format!("ws://127.0.0.1:{port}/");
    let options = || Options::default().message_bytes(1000);
    let mut socket = network().websocket(&url, options()).await.unwrap();

    socket.send_text("a".repeat(1000)).await.unwrap();
    assert_eq!(socket.recv().await.unwrap(), Event::Text("a".repeat(1000)));
    socket.send_text("a".repeat(1001)).await.unwrap();
    assert!(matches!(
        socket.recv().await,
        Err(Error::TooLong { limit: 1000, .. })
    ));
}

#[tokio::test]
async fn garbage_is_refused() {
    let cases: [&[u8]; 6] = [
        b"HTTP/1.1 200 OK\r\n\r\n",
        &[0xc1, 1, b'a'],             // a reserved bit
        &[0x83, 0],                   // a reserved opcode
        &[0x80, 0],                   // continues nothing
        &[0x81, 2, 0xc3, 0x28],       // not UTF-8
        &[0x81, 0x81, 1, 2, 3, 4, 5], // masked by the server
    ];
    for bytes in cases {
        let mut socket = open(saying(bytes).await).await.unwrap();

        let error = socket.recv().await.err().unwrap();

        assert!(
            matches!(error, Error::Protocol { .. }),
            "{bytes:?}: {error:?}"
        );
    }
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
async fn whoever_pings_without_reading_is_not_read_any_more() {
    let (told, mut written) = tokio::sync::watch::channel(0_u64);
    let port = raw(move |mut stream| {
        let told = told.clone();
        async move {
            accept(&mut stream).await;
            let mut ping = vec![0x89, 125];
            ping.resize(127, 0);
            while stream.write_all(&ping).await.is_ok() {
                told.send_modify(|count| *count += 1);
            }
        }
    })
    .await;
    let mut socket = open(port).await.unwrap();

    let reading = tokio::spawn(async move { socket.recv().await });
    // The kernel's buffers fill both ways, and then it stands still.
    let still = async {
        while tokio::time::timeout(Duration::from_secs(1), written.changed())
            .await
            .is_ok()
        {}
    };
    let end = tokio::time::timeout(Duration::from_secs(30), still).await;
    reading.abort();

    assert!(end.is_ok(), "it is read for ever");
}

#[tokio::test]
async fn whoever_is_silent_is_pinged_and_then_given_up() {
    let (told, mut heard) = tokio::sync::mpsc::channel(1);
    let port = raw(move |mut stream| {
        let told = told.clone();
        async move {
            accept(&mut stream).await;
            let mut frame = [0; 6];
            stream.read_exact(&mut frame).await.unwrap();
            told.send(frame[0]).await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    })
    .await;
    let url = format!("ws://127.0.0.1:{port}/");
    let options = Options::default().ping_after(SOON);
    let mut socket = network().websocket(&url, options).await.unwrap();

    let error = socket.recv().await.err().unwrap();

    assert!(
        matches!(
            error,
            Error::Late {
                what: "answer a ping",
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(heard.recv().await, Some(0x89));
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

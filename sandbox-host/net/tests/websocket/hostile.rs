//! Servers that lie, say too much, or nothing.

use std::time::Duration;

use sandbox_net::websocket::{Event, Options};
use sandbox_net::{Error, limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::far_end::{accept, answering, network, raw, web};
use crate::{SOON, echo, open, saying};

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

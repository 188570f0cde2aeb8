//! HTTP with servers that are broken or mean.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

mod far_end;

use std::time::Duration;

use sandbox_net::http::Request;
use sandbox_net::{Error, limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use self::far_end::{answering, head, network, raw};

const SOON: Duration = Duration::from_millis(300);

async fn send(port: u16) -> Result<sandbox_net::http::Response, Error> {
    let request = Request::get(&format!("http://127.0.0.1:{port}/")).unwrap();
    network()
        .http()
        .send(request.within(SOON).pausing(SOON))
        .await
}

async fn collected(port: u16, most: usize) -> Result<usize, Error> {
    Ok(send(port).await?.bytes(most).await?.len())
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let port = raw(|mut stream| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;

    let error = send(port).await.err().unwrap();

    assert_eq!(error.to_string(), "`127.0.0.1` did not answer within 0.3 s");
}

#[tokio::test]
async fn a_head_that_comes_byte_by_byte_is_given_up() {
    let port = raw(|mut stream| async move {
        head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").await;
        while stream.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;

    assert!(matches!(
        send(port).await,
        Err(Error::Late { what: "answer", .. })
    ));
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let port = raw(|mut stream| async move {
        head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream
            .write_all(b"x-a: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n")
            .await
            .is_ok()
        {}
    })
    .await;

    let error = send(port).await.err().unwrap();

    assert!(
        matches!(error, Error::TooLong { .. } | Error::Protocol { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_header_without_end_is_refused() {
    let port = raw(|mut stream| async move {
        head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx-a: ").await;
        while stream.write_all(&[b'a'; 4096]).await.is_ok() {}
    })
    .await;

    let error = send(port).await.err().unwrap();

    assert!(
        matches!(
            error,
            Error::TooLong {
                limit: limits::HEAD_BYTES_MAX,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn garbage_is_no_answer() {
    for bytes in [
        &b"\x15\x03\x01\x00\x02\x02\x16"[..],
        b"220 mail.example\r\n\r\n",
        b"<html>",
        b"HTTP/9.9 200 OK\r\n\r\n",
    ] {
        let error = send(answering(bytes).await).await.err().unwrap();

        assert!(
            matches!(error, Error::Protocol { .. } | Error::Ended { .. }),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_connection_that_closes_without_an_answer_is_an_end() {
    let error = send(answering("").await).await.err().unwrap();

    assert!(matches!(error, Error::Ended { .. }), "{error:?}");
}

#[tokio::test]
async fn a_body_that_is_cut_short_is_an_error_and_not_an_end() {
    let whole = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";

    for answer in [whole, chunked] {
        let error = collected(answering(answer).await, 100).await.err().unwrap();
        assert!(matches!(error, Error::Ended { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_before_it_is_read() {
    let port = answering("HTTP/1.1 200 OK\r\ncontent-length: 4611686018427387904\r\n\r\n").await;

    let error = collected(port, 100).await.err().unwrap();

    assert!(
        matches!(error, Error::TooLong { limit: 100, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_body_without_end_is_refused_at_the_limit() {
    let port = raw(|mut stream| async move {
        head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while stream.write_all(&[0; 4096]).await.is_ok() {}
    })
    .await;

    let error = collected(port, 1 << 20).await.err().unwrap();

    assert!(
        matches!(error, Error::TooLong { limit, .. } if limit == 1 << 20),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_body_that_pauses_for_too_long_is_given_up() {
    let port = raw(|mut stream| async move {
        head(&mut stream).await;
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello")
            .await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;

    let error = collected(port, 100).await.err().unwrap();

    assert!(
        matches!(
            error,
            Error::Late {
                what: "go on with its answer",
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_taken() {
    let answer = || answering("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");

    assert_eq!(collected(answer().await, 5).await.unwrap(), 5);
    assert!(matches!(
        collected(answer().await, 4).await,
        Err(Error::TooLong { limit: 4, .. })
    ));
}

#[tokio::test]
async fn a_redirect_to_nonsense_is_an_error_of_the_server() {
    for (place, expected) in [
        ("http://[", "does not speak HTTP"),
        ("file:///etc/passwd", "no address of the web"),
    ] {
        let answer =
            format!("HTTP/1.1 302 Found\r\nlocation: {place}\r\ncontent-length: 0\r\n\r\n");
        let port = answering(answer).await;
        let request = Request::get(&format!("http://127.0.0.1:{port}/")).unwrap();

        let error = network()
            .http()
            .follow(request.within(SOON))
            .await
            .err()
            .unwrap();

        assert!(error.to_string().contains(expected), "{error}");
    }
}

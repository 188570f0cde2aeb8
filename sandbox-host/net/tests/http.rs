//! HTTP with honest servers: what is asked, answered, streamed and followed.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

mod far_end;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request as Asked;
use axum::http::{StatusCode, header};
use axum::response::Redirect;
use axum::routing::{any, get, post};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream;
use sandbox_net::Error;
use sandbox_net::http::{Method, Request, Version};
use tokio::io::AsyncWriteExt;

use self::far_end::{Authority, Valid, head, network, raw, secure, web};

/// Says back how it was asked.
fn mirror() -> Router {
    let tell = |asked: Asked| async move {
        let (head, body) = asked.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let mut names: Vec<_> = head
            .headers
            .keys()
            .map(|name| name.as_str().to_owned())
            .collect();
        names.sort();
        let body = String::from_utf8_lossy(&body).into_owned();
        format!(
            "{} {} [{}] {body}",
            head.method,
            head.uri.path(),
            names.join(" ")
        )
    };
    Router::new().route("/{*path}", any(tell))
}

async fn text(response: sandbox_net::http::Response) -> String {
    let bytes = response.bytes(1 << 20).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn a_request_arrives_as_it_was_made() {
    let port = web(mirror()).await;
    let request = Request::post(&format!("http://127.0.0.1:{port}/p?q=1#f"), "hello").unwrap();
    let request = request.header("X-Kind", "greeting").unwrap();

    let response = network().http().send(request).await.unwrap();

    assert_eq!(response.status, StatusCode::OK);
    assert_eq!(
        text(response).await,
        "POST /p [accept accept-encoding content-length host user-agent x-kind] hello"
    );
}

#[tokio::test]
async fn http_2_is_spoken_where_the_server_can() {
    let authority = Authority::named("ours");
    let two = authority.server("localhost", Valid::Now, &["h2", "http/1.1"]);
    let one = authority.server("localhost", Valid::Now, &["http/1.1"]);
    let (two, one) = (secure(mirror(), two).await, secure(mirror(), one).await);
    let network = authority.network();

    let mut answers = Vec::new();
    for port in [two, one] {
        let request = Request::post(&format!("https://localhost:{port}/p"), "hello").unwrap();
        let response = network.http().send(request).await.unwrap();
        answers.push((response.version, text(response).await));
    }

    assert_eq!(answers[0].0, Version::HTTP_2);
    assert_eq!(
        answers[0].1,
        "POST /p [accept accept-encoding content-length user-agent] hello"
    );
    assert_eq!(answers[1].0, Version::HTTP_11);
}

#[tokio::test]
async fn a_body_is_streamed_both_ways() {
    let echo = post(|body: Body| async { body });
    let port = web(Router::new().route("/", echo)).await;
    let url = format!("http://127.0.0.1:{port}/");
    let pieces = stream::iter((0..64).map(|n| Bytes::from(vec![n; 16 * 1024])));
    let request = Request::new(Method::POST, &url).unwrap().stream(pieces);

    let mut response = network().http().send(request).await.unwrap();

    let (mut count, mut last) = (0, 0);
    while let Some(piece) = response.body.chunk().await.unwrap() {
        count += piece.len();
        last = piece[piece.len() - 1];
    }
    assert_eq!((count, last), (64 * 16 * 1024, 63));
}

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other() {
    let callers = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&callers);
    let port = raw(move |mut stream| {
        counted.fetch_add(1, Ordering::Relaxed);
        async move {
            while !head(&mut stream).await.is_empty() {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                stream.write_all(answer).await.unwrap();
            }
        }
    })
    .await;
    let network = network();

    for _ in 0..5 {
        let request = Request::get(&format!("http://127.0.0.1:{port}/")).unwrap();
        assert_eq!(
            text(network.http().send(request).await.unwrap()).await,
            "ok"
        );
    }

    assert_eq!(callers.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_replaced() {
    let port = far_end::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    let network = network();

    for _ in 0..5 {
        let request = Request::post(&format!("http://127.0.0.1:{port}/"), "x").unwrap();
        assert_eq!(
            text(network.http().send(request).await.unwrap()).await,
            "ok"
        );
    }
}

#[tokio::test]
async fn many_requests_share_one_http_2_connection() {
    let authority = Authority::named("ours");
    let config = authority.server("localhost", Valid::Now, &["h2"]);
    let port = secure(mirror(), config).await;
    let network = authority.network();
    let url = format!("https://localhost:{port}/p");
    drop(
        network
            .http()
            .send(Request::get(&url).unwrap())
            .await
            .unwrap(),
    );

    let all = (0..32).map(|_| {
        let (network, url) = (network.clone(), url.clone());
        tokio::spawn(async move {
            text(
                network
                    .http()
                    .send(Request::get(&url).unwrap())
                    .await
                    .unwrap(),
            )
            .await
        })
    });
    let answers = futures_util::future::join_all(all).await;

    assert!(
        answers
            .into_iter()
            .all(|text| text.unwrap().starts_with("GET /p"))
    );
}

#[tokio::test]
async fn an_answer_of_failure_is_an_answer() {
    let fails = get(|| async { (StatusCode::NOT_FOUND, "nothing here") });
    let port = web(Router::new().route("/", fails)).await;

    let request = Request::get(&format!("http://127.0.0.1:{port}/")).unwrap();
    let response = network().http().follow(request).await.unwrap();

    assert_eq!(response.status, StatusCode::NOT_FOUND);
    assert_eq!(text(response).await, "nothing here");
}

#[tokio::test]
async fn a_redirect_is_an_answer_unless_it_is_followed() {
    let router = mirror().route("/old", any(|| async { Redirect::temporary("/new?x=1") }));
    let port = web(router).await;
    let ask = || Request::post(&format!("http://127.0.0.1:{port}/old"), "body").unwrap();
    let network = network();

    let sent = network.http().send(ask()).await.unwrap();
    let followed = network.http().follow(ask()).await.unwrap();

    assert_eq!(sent.status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(sent.location().unwrap().unwrap().path(), "/new");
    assert!(followed.is_redirected);
    assert_eq!(
        followed.url.as_str(),
        format!("http://127.0.0.1:{port}/new?x=1")
    );
    assert!(text(followed).await.starts_with("POST /new"));
}

#[tokio::test]
async fn a_see_other_is_read_and_secrets_stay_with_their_host() {
    let there = web(mirror()).await;
    let to = format!("http://localhost:{there}/seen");
    let moved = any(move || {
        let to = to.clone();
        async move { (StatusCode::SEE_OTHER, [(header::LOCATION, to)]) }
    });
    let here = web(Router::new().route("/", moved)).await;
    let request = Request::post(&format!("http://127.0.0.1:{here}/"), "secret").unwrap();
    let request = request.header("authorization", "Bearer 1").unwrap();
    let request = request.header("content-type", "text/plain").unwrap();

    let response = network().http().follow(request).await.unwrap();

    assert_eq!(
        text(response).await,
        "GET /seen [accept accept-encoding host user-agent] "
    );
}

#[tokio::test]
async fn a_redirect_that_gives_up_tls_is_refused() {
    let authority = Authority::named("ours");
    let config = authority.server("localhost", Valid::Now, &["h2"]);
    let away = any(|| async { Redirect::permanent("http://localhost/login?token=1") });
    let port = secure(Router::new().route("/", away), config).await;

    let request = Request::get(&format!("https://localhost:{port}/")).unwrap();
    let error = authority
        .network()
        .http()
        .follow(request)
        .await
        .err()
        .unwrap();

    assert_eq!(
        error.to_string(),
        "`localhost` redirects to `http://localhost/login`, which is not followed: it would give up TLS"
    );
}

#[tokio::test]
async fn redirects_come_to_an_end() {
    let round = any(|| async { Redirect::permanent("/") });
    let port = web(Router::new().route("/", round)).await;

    let request = Request::get(&format!("http://127.0.0.1:{port}/")).unwrap();
    let error = network().http().follow(request).await.err().unwrap();

    assert!(
        matches!(
            error,
            Error::Redirect {
                why: "it is one too many",
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_streamed_body_is_not_sent_twice() {
    let router = mirror().route("/old", any(|| async { Redirect::temporary("/new") }));
    let port = web(router).await;
    let url = format!("http://127.0.0.1:{port}/old");
    let pieces = stream::iter([Bytes::from_static(b"x")]);

    let request = Request::new(Method::POST, &url).unwrap().stream(pieces);
    let error = network().http().follow(request).await.err().unwrap();

    assert!(matches!(error, Error::Redirect { .. }), "{error}");
}

#[tokio::test]
async fn headers_that_are_the_connections_business_are_refused() {
    let request = || Request::get("http://a.example/").unwrap();

    for name in [
        "Host",
        "connection",
        "content-length",
        "TE",
        "upgrade",
        "a b",
        "",
    ] {
        assert!(request().header(name, "x").is_err(), "{name}");
    }
    assert!(request().header("x-a", "one\r\nx-b: two").is_err());
    assert!(request().header("x-a", "one").is_ok());
}

#[tokio::test]
async fn an_answer_that_nobody_wants_ends_its_connection() {
    let (gone, seen) = tokio::sync::mpsc::channel(1);
    let port = raw(move |mut stream| {
        let gone = gone.clone();
        async move {
            head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            while stream.write_all(&[0; 4096]).await.is_ok() {}
            gone.send(()).await.unwrap();
        }
    })
    .await;
    let request = Request::get(&format!("http://127.0.0.1:{port}/")).unwrap();
    let network = network();

    let mut response = network.http().send(request).await.unwrap();
    response.body.chunk().await.unwrap();
    drop(response);

    let mut seen = seen;
    assert_eq!(seen.recv().await, Some(()));
}

/// `bytes` compressed, under the head that says so.
fn compressed(bytes: &[u8]) -> Router {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    says_gzip(encoder.finish().unwrap())
}

fn says_gzip(body: Vec<u8>) -> Router {
    let tell = move || async move { ([(header::CONTENT_ENCODING, "gzip")], body) };
    Router::new().route("/", get(tell))
}

async fn got(router: Router, most: usize) -> Result<Bytes, Error> {
    let port = web(router).await;
    let request = Request::get(&format!("http://127.0.0.1:{port}/")).unwrap();
    let response = network().http().send(request).await.unwrap();
    assert!(!response.headers.contains_key(header::CONTENT_ENCODING));
    assert!(!response.headers.contains_key(header::CONTENT_LENGTH));
    response.bytes(most).await
}

#[tokio::test]
async fn a_compressed_body_is_read_as_it_was_before() {
    let lines: Vec<String> = (0..100_000).map(|n| format!("line {n}")).collect();
    let lines = lines.join("\n");

    let whole = got(compressed(lines.as_bytes()), 1 << 24).await.unwrap();
    let nothing = got(says_gzip(Vec::new()), 1 << 20).await.unwrap();

    assert_eq!(whole, lines);
    assert!(nothing.is_empty());
}

#[tokio::test]
async fn who_asks_for_a_coding_gets_it_as_it_is() {
    let port = web(compressed(b"hello")).await;
    let request = Request::get(&format!("http://127.0.0.1:{port}/")).unwrap();
    let request = request.header("Accept-Encoding", "gzip").unwrap();

    let response = network().http().send(request).await.unwrap();

    assert_eq!(response.headers[header::CONTENT_ENCODING], "gzip");
    let bytes = response.bytes(1 << 20).await.unwrap();
    assert!(bytes.starts_with(&[0x1f, 0x8b]), "{bytes:?}");
}

#[tokio::test]
async fn a_small_body_that_becomes_a_huge_one_is_held_in_pieces() {
    const HUGE: usize = 200 << 20;
    let port = web(compressed(&vec![0; HUGE])).await;
    let asked = || Request::get(&format!("http://127.0.0.1:{port}/")).unwrap();

    let whole = network().http().send(asked()).await.unwrap();
    let whole = whole.bytes(1 << 20).await;
    let mut body = network().http().send(asked()).await.unwrap().body;
    let (mut all, mut longest) = (0, 0);
    while let Some(piece) = body.chunk().await.unwrap() {
        all += piece.len();
        longest = longest.max(piece.len());
    }

    assert!(matches!(whole, Err(Error::TooLong { .. })), "{whole:?}");
    assert_eq!(all, HUGE);
    assert!(longest <= 2 << 20, "{longest}");
}

#[tokio::test]
async fn what_is_not_compressed_as_it_says_is_refused() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(b"to be cut off").unwrap();
    let whole = encoder.finish().unwrap();
    let half = whole[..whole.len() - 3].to_vec();

    for body in [half, b"no gzip at all".to_vec()] {
        let error = got(says_gzip(body), 1 << 20).await.unwrap_err();

        let text = error.to_string();
        assert!(matches!(error, Error::Protocol { .. }), "{text}");
        assert!(text.contains("not the gzip that it says it is"), "{text}");
    }
}

//! Whom TLS trusts, and what it says of those it does not.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

mod far_end;

use axum::Router;
use axum::routing::get;
use sandbox_net::{Direct, Error, Network, TlsProblem};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use self::far_end::{Authority, Valid, answering, raw, secure};

async fn problem(network: &Network, port: u16) -> TlsProblem {
    match network.tls("localhost", port).await {
        Err(Error::Tls { problem, .. }) => problem,
        other => panic!("{:?}", other.err()),
    }
}

async fn server(authority: &Authority, name: &str, valid: Valid) -> u16 {
    let router = Router::new().route("/", get(|| async { "hello" }));
    secure(router, authority.server(name, valid, &[])).await
}

#[tokio::test]
async fn a_certificate_of_a_trusted_issuer_opens_a_stream() {
    let authority = Authority::named("ours");
    let port = server(&authority, "localhost", Valid::Now).await;

    let mut stream = authority.network().tls("localhost", port).await.unwrap();
    let ask = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(ask).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();

    assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
}

#[tokio::test]
async fn an_address_can_be_proved_like_a_name() {
    let authority = Authority::named("ours");
    let port = server(&authority, "127.0.0.1", Valid::Now).await;

    assert!(authority.network().tls("127.0.0.1", port).await.is_ok());
}

#[tokio::test]
async fn an_expired_certificate_is_refused_as_that() {
    let authority = Authority::named("ours");
    let port = server(&authority, "localhost", Valid::Before).await;

    assert_eq!(
        problem(&authority.network(), port).await,
        TlsProblem::Expired
    );
}

#[tokio::test]
async fn a_certificate_of_the_future_is_refused_as_that() {
    let authority = Authority::named("ours");
    let port = server(&authority, "localhost", Valid::Later).await;

    assert_eq!(
        problem(&authority.network(), port).await,
        TlsProblem::NotYetValid
    );
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_with_that_name() {
    let authority = Authority::named("ours");
    let port = server(&authority, "other.example", Valid::Now).await;

    let problem = problem(&authority.network(), port).await;

    assert_eq!(
        problem.to_string(),
        "its certificate is for `other.example`, not for this name"
    );
}

#[tokio::test]
async fn a_certificate_of_an_unknown_issuer_is_refused_with_the_remedy() {
    let (ours, theirs) = (Authority::named("ours"), Authority::named("theirs"));
    let port = server(&theirs, "localhost", Valid::Now).await;

    let problem = problem(&ours.network(), port).await;

    assert_eq!(problem, TlsProblem::UnknownIssuer);
    assert!(problem.to_string().contains("--tls-roots FILE"));
}

#[tokio::test]
async fn without_roots_nobody_is_trusted() {
    let authority = Authority::named("ours");
    let port = server(&authority, "localhost", Valid::Now).await;

    let error = Network::new(Direct::default())
        .tls("localhost", port)
        .await
        .err();

    assert!(matches!(error, Some(Error::Roots(_))), "{error:?}");
}

#[tokio::test]
async fn whoever_speaks_something_else_is_told_from_a_bad_certificate() {
    let port = answering("HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let garbage = raw(|mut stream| async move {
        let _ = stream.write_all(b"220 mail.example ESMTP\r\n").await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let network = Authority::named("ours").network();

    assert_eq!(problem(&network, garbage).await, TlsProblem::NotTls);
    // It waits for a head that never comes, and the test's end closes it.
    let _ = port;
}

#[tokio::test]
async fn a_connection_that_ends_in_the_handshake_is_no_mystery() {
    let port = raw(|stream| async { drop(stream) }).await;

    let problem = problem(&Authority::named("ours").network(), port).await;

    assert!(matches!(problem, TlsProblem::Other(_)), "{problem:?}");
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_named() {
    let port = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };

    let error = far_end::network()
        .tcp("127.0.0.1", port)
        .await
        .err()
        .unwrap();

    assert!(
        error
            .to_string()
            .starts_with(&format!("cannot reach `127.0.0.1:{port}`: ")),
        "{error}"
    );
    assert!(!error.is_denial());
}

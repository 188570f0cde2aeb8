//! HTTP/2 with servers that reset, go away or flood.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

mod far_end;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use h2::server::Connection;
use h2::{Reason, server};
use sandbox_net::http::{Request, Response};
use sandbox_net::{Error, Network};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use self::far_end::{Authority, Valid, raw};

type Far = Connection<TlsStream<TcpStream>, Bytes>;

/// A server of HTTP/2 that does as it is told, and who trusts it.
async fn far<F>(act: fn(Far) -> F) -> (Network, u16)
where
    F: Future<Output = ()> + Send + 'static,
{
    let authority = Authority::named("ours");
    let tls = TlsAcceptor::from(authority.server("localhost", Valid::Now, &["h2"]));
    let port = raw(move |stream| {
        let tls = tls.clone();
        async move {
            let stream = tls.accept(stream).await.expect("a handshake");
            act(server::handshake(stream).await.expect("a preface")).await;
        }
    });
    (authority.network(), port.await)
}

async fn ask(network: &Network, port: u16) -> Result<Response, Error> {
    let request = Request::get(&format!("https://localhost:{port}/")).unwrap();
    let soon = Duration::from_secs(5);
    network
        .http()
        .send(request.within(soon).pausing(soon))
        .await
}

#[tokio::test]
async fn a_stream_that_is_reset_is_an_end_and_the_next_one_works() {
    static ASKED: AtomicBool = AtomicBool::new(false);
    async fn reset_first(mut far: Far) {
        while let Some(Ok((_, mut respond))) = far.accept().await {
            if ASKED.swap(true, Ordering::Relaxed) {
                let _ = respond.send_response(hyper_response(), true);
            } else {
                respond.send_reset(Reason::INTERNAL_ERROR);
            }
        }
    }
    let (network, port) = far(reset_first).await;

    let first = ask(&network, port).await;
    let second = ask(&network, port).await;

    assert!(matches!(first, Err(Error::Ended { .. })), "{first:?}");
    assert_eq!(second.unwrap().status, 200);
}

fn hyper_response() -> axum::http::Response<()> {
    axum::http::Response::new(())
}

#[tokio::test]
async fn a_body_that_is_reset_is_not_taken_for_whole() {
    async fn half(mut far: Far) {
        while let Some(Ok((_, mut respond))) = far.accept().await {
            let mut body = respond.send_response(hyper_response(), false).unwrap();
            body.send_data(Bytes::from_static(b"half"), false).unwrap();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(50)).await;
                body.send_reset(Reason::CANCEL);
            });
        }
    }
    let (network, port) = far(half).await;

    let whole = ask(&network, port).await.unwrap().bytes(100).await;

    assert!(matches!(whole, Err(Error::Ended { .. })), "{whole:?}");
}

#[tokio::test]
async fn a_server_that_goes_away_is_dialled_again() {
    async fn one_each(mut far: Far) {
        if let Some(Ok((_, mut respond))) = far.accept().await {
            let _ = respond.send_response(hyper_response(), true);
        }
        far.graceful_shutdown();
        while far.accept().await.is_some() {}
    }
    let (network, port) = far(one_each).await;

    for _ in 0..3 {
        assert_eq!(ask(&network, port).await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn a_server_that_goes_away_at_once_is_an_end() {
    async fn away(mut far: Far) {
        let _ = far.accept().await;
        far.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
        while far.accept().await.is_some() {}
    }
    let (network, port) = far(away).await;

    let outcome = ask(&network, port).await;

    assert!(matches!(outcome, Err(Error::Ended { .. })), "{outcome:?}");
}

#[tokio::test]
async fn headers_without_end_are_refused() {
    async fn long(mut far: Far) {
        while let Some(Ok((_, mut respond))) = far.accept().await {
            let mut response = hyper_response();
            for n in 0..200 {
                let name: axum::http::HeaderName = format!("x-{n}").parse().unwrap();
                response
                    .headers_mut()
                    .insert(name, "a".repeat(1000).parse().unwrap());
            }
            let _ = respond.send_response(response, true);
        }
    }
    let (network, port) = far(long).await;

    let outcome = ask(&network, port).await;

    assert!(
        matches!(outcome, Err(Error::Ended { .. } | Error::TooLong { .. })),
        "{outcome:?}"
    );
}

//! Connections: accepted, told who we are, served until they end or we do.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use hyper::Request;
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::answer::{Answer, answer};
use crate::args::Args;
use crate::certificate::Identity;
use crate::limits::{CONNECTION_LASTS, CONNECTIONS_MAX, END_WITHIN, HEAD_WITHIN};
use crate::report::{self, Report, Serving, shown};
use crate::shelf::Shelf;

/// What every connection needs. Cheap to clone.
#[derive(Clone)]
struct Counter {
    shelf: Shelf,
    tls: TlsAcceptor,
    http: Builder<TokioExecutor>,
    report: Report,
}

/// Serves until Ctrl-C or a polite kill.
pub(crate) async fn run(
    args: &Args,
    shelf: Shelf,
    identity: Identity,
    report: Report,
) -> anyhow::Result<()> {
    let listening = TcpListener::bind(args.listen).await;
    let listener = listening.with_context(|| {
        format!(
            "cannot listen on `{}`: say another place with `--listen`, or any free port with \
             `--listen {}:0`",
            args.listen,
            args.listen.ip(),
        )
    })?;
    let address = listener.local_addr().context("cannot listen")?;
    report.serving(&serving(args, &shelf, &identity, address));
    let counter = Counter {
        shelf,
        tls: TlsAcceptor::from(Arc::clone(&identity.tls)),
        http: http(),
        report,
    };
    let open = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut interrupted = signal(SignalKind::interrupt()).context("cannot wait for signals")?;
    let mut terminated = signal(SignalKind::terminate()).context("cannot wait for signals")?;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => begin(&counter, &open, &places, stream, peer),
                // Out of descriptors, or the peer went at once: neither ends the server.
                Err(e) => {
                    report.refused("-", &format!("cannot accept a connection: {e}"));
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            },
            _ = interrupted.recv() => break,
            _ = terminated.recv() => break,
        }
    }
    // What is not sent by then was not wanted very much.
    let _ = timeout(END_WITHIN, open.shutdown()).await;
    Ok(())
}

fn begin(
    counter: &Counter,
    open: &GracefulShutdown,
    places: &Arc<Semaphore>,
    stream: TcpStream,
    peer: SocketAddr,
) {
    let Ok(place) = Arc::clone(places).try_acquire_owned() else {
        let reason = format!("{CONNECTIONS_MAX} connections are open already");
        counter.report.refused(&peer.to_string(), &reason);
        return;
    };
    let (counter, watcher) = (counter.clone(), open.watcher());
    tokio::spawn(async move {
        let _place = place;
        let greeted = timeout(HEAD_WITHIN, counter.tls.accept(stream)).await;
        let stream = match greeted {
            Ok(Ok(stream)) => stream,
            Ok(Err(e)) => {
                let reason = format!("no TLS connection: {}", shown(&e.to_string()));
                return counter.report.refused(&peer.to_string(), &reason);
            }
            Err(_) => {
                return counter
                    .report
                    .refused(&peer.to_string(), "no TLS greeting in time");
            }
        };
        let (shelf, report) = (counter.shelf.clone(), counter.report);
        let service = service_fn(move |request| {
            let shelf = shelf.clone();
            async move { Ok::<_, Infallible>(told(request, &shelf, peer, report).await) }
        });
        let connection = counter.http.serve_connection(TokioIo::new(stream), service);
        // How a connection ends is the peer's affair.
        let _ = timeout(CONNECTION_LASTS, watcher.watch(connection.into_owned())).await;
    });
}

async fn told(
    request: Request<Incoming>,
    shelf: &Shelf,
    peer: SocketAddr,
    report: Report,
) -> Answer {
    let began = Instant::now();
    let method = shown(request.method().as_str());
    let path = shown(request.uri().path());
    let host = request.uri().host().map(str::to_owned).or_else(|| {
        let host = request.headers().get(hyper::header::HOST)?;
        host.to_str().ok().map(str::to_owned)
    });
    let answer = answer(request, shelf).await;
    let bytes = answer.body().size_hint().exact().unwrap_or_default();
    report.request(&report::Request {
        time: report::now(),
        peer: peer.to_string(),
        host: shown(&host.unwrap_or_default()),
        method,
        path,
        status: answer.status().as_u16(),
        bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
        ms: began.elapsed().as_millis(),
    });
    answer
}

fn http() -> Builder<TokioExecutor> {
    let mut http = Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_headers(64);
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEAD_WITHIN)
        .max_concurrent_streams(16)
        .max_header_list_size(16 * 1024);
    http
}

fn serving(args: &Args, shelf: &Shelf, identity: &Identity, address: SocketAddr) -> Serving {
    let host = if address.ip().is_loopback() || address.ip().is_unspecified() {
        "localhost".to_owned()
    } else if address.is_ipv6() {
        format!("[{}]", address.ip())
    } else {
        address.ip().to_string()
    };
    Serving {
        url: format!("https://{host}:{}", address.port()),
        address: address.to_string(),
        directory: args.directory.display().to_string(),
        providers: args
            .provider
            .clone()
            .map_or_else(|| shelf.providers(), |one| vec![one]),
        certificate: absolute(&identity.file),
        fingerprint: identity.fingerprint.clone(),
        development: identity.is_development,
    }
}

// As it can be given to a runtime that works in another directory.
fn absolute(file: &std::path::Path) -> String {
    let full = file.canonicalize();
    full.as_deref().unwrap_or(file).display().to_string()
}

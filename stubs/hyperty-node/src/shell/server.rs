//! Accepting: TCP, TLS, HTTP, and then WebSocket, each step with a deadline.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{State, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Duration, sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::gate::Gate;
use super::link;
use crate::limits::{HANDSHAKE_MS, MESSAGE_BYTES_MAX};

/// Bytes of a read buffer; most messages fit, and ten thousand connections have one each.
const READ_BYTES: usize = 16 * 1024;

/// How long the listener rests when it can accept nothing: no descriptors are left.
const REST: Duration = Duration::from_millis(100);

/// A listener, and how it speaks.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) gate: Arc<Gate>,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) stops: watch::Receiver<bool>,
}

/// What the request handler needs: the permit goes with the connection.
#[derive(Clone)]
struct Door {
    gate: Arc<Gate>,
    permit: Arc<OwnedSemaphorePermit>,
}

impl Server {
    /// Accepts until the node stops.
    pub(super) async fn run(mut self, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = self.stops.changed() => return,
            };
            match accepted {
                Ok((stream, peer)) => self.begin(stream, peer),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept");
                    sleep(REST).await;
                }
            }
        }
    }

    fn begin(&self, stream: TcpStream, peer: SocketAddr) {
        let connections = Arc::clone(&self.gate.connections);
        let Ok(permit) = connections.try_acquire_owned() else {
            // Before the handshake: that would cost more than the refusal is worth.
            tracing::warn!(%peer, "too many connections: see `--connections-max`");
            return;
        };
        let door = Door {
            gate: Arc::clone(&self.gate),
            permit: Arc::new(permit),
        };
        let tls = self.tls.clone();
        tokio::spawn(async move {
            // Small messages must not wait for others.
            let _ = stream.set_nodelay(true);
            let served = match tls {
                None => serve(stream, door).await,
                Some(tls) => serve_tls(&tls, stream, door).await,
            };
            if let Err(error) = served {
                tracing::debug!(%peer, %error, "a connection failed");
            }
        });
    }
}

async fn serve_tls(tls: &TlsAcceptor, stream: TcpStream, door: Door) -> io::Result<()> {
    let limit = Duration::from_millis(HANDSHAKE_MS);
    let shaken = timeout(limit, tls.accept(stream)).await;
    serve(shaken.map_err(|_| io::ErrorKind::TimedOut)??, door).await
}

async fn serve<S>(stream: S, door: Door) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let pages = Router::new()
        .route("/ws", get(connect))
        .route("/live", get(live))
        .fallback(nowhere)
        .with_state(door);
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(HANDSHAKE_MS))
        .max_buf_size(READ_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(pages))
        .with_upgrades()
        .await;
    served.map_err(io::Error::other)
}

async fn connect(
    State(door): State<Door>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let pass = match door.gate.judge(&headers, &uri) {
        Ok(pass) => pass,
        Err((status, why)) => return (status, format!("{why}\n")).into_response(),
    };
    let link = door.gate.next_link();
    let hub = door.gate.hub.clone();
    upgrade
        .max_message_size(MESSAGE_BYTES_MAX)
        .max_frame_size(MESSAGE_BYTES_MAX)
        .read_buffer_size(READ_BYTES)
        // Each message is written at once: it has waited in the outbox already.
        .write_buffer_size(0)
        .on_upgrade(async move |socket| {
            link::serve(socket, link, pass, hub).await;
            drop(door.permit);
        })
}

async fn live(State(door): State<Door>) -> impl IntoResponse {
    let text = serde_json::json!({"status": "up", "domain": door.gate.domain});
    ([("content-type", "application/json")], format!("{text}\n"))
}

async fn nowhere() -> impl IntoResponse {
    let why = "a message node: connect with WebSocket to `/ws`, or ask `/live`\n";
    (StatusCode::NOT_FOUND, why)
}

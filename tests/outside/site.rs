//! The servers that are visited.

use std::future::Future;
use std::sync::mpsc;
use std::thread;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::response::Redirect;
use axum::routing::{any, get};
use futures_util::stream;

/// Starts servers, which live as long as the test program.
pub(crate) fn serving<T, F>(act: impl FnOnce() -> F + Send + 'static) -> T
where
    T: Send + 'static,
    F: Future<Output = T>,
{
    let (made, wait) = mpsc::channel();
    thread::spawn(move || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build().unwrap();
        runtime.block_on(async {
            made.send(act().await).unwrap();
            std::future::pending::<()>().await;
        });
    });
    wait.recv().unwrap()
}

/// A site: what version it speaks, a body without end, an echo over a WebSocket, and
/// redirects to these places.
pub(crate) fn site(redirects: &[(&str, String)]) -> Router {
    let version = |request: Request| async move { format!("{:?}", request.version()) };
    let endless = || async {
        let piece = Bytes::from_static(&[b'x'; 1024]);
        let pieces = stream::repeat_with(move || Ok::<_, std::convert::Infallible>(piece.clone()));
        Body::from_stream(pieces)
    };
    let silent = || async { std::future::pending::<()>().await };
    let mut router = Router::new()
        .route("/version", get(version))
        .route("/endless", get(endless))
        .route("/silent", get(silent))
        .route(
            "/ws",
            any(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(echo) }),
        );
    for (path, to) in redirects {
        let to = to.clone();
        router = router.route(path, get(move || async move { Redirect::temporary(&to) }));
    }
    router
}

async fn echo(mut far: WebSocket) {
    while let Some(Ok(message)) = far.recv().await {
        if far.send(message).await.is_err() {
            return;
        }
    }
}

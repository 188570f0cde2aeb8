//! What a node has, for those who watch it: a page in the text form of Prometheus.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use super::hub::{Letters, Told};
use crate::node::Numbers;

/// Serves `/metrics` and `/live` until the node stops.
pub(super) async fn serve(listener: TcpListener, hub: Letters, mut stops: watch::Receiver<bool>) {
    let pages = Router::new()
        .route("/metrics", get(metrics))
        .route("/live", get(live))
        .with_state(hub);
    let stop = async move {
        // An error means that the node has stopped already.
        let _ = stops.changed().await;
    };
    let served = axum::serve(listener, pages)
        .with_graceful_shutdown(stop)
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "the page of numbers is not served any more");
    }
}

async fn metrics(State(hub): State<Letters>) -> Response {
    match count(&hub).await {
        Some(numbers) => page(&numbers).into_response(),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn live(State(hub): State<Letters>) -> StatusCode {
    match count(&hub).await {
        Some(_) => StatusCode::OK,
        None => StatusCode::SERVICE_UNAVAILABLE,
    }
}

// Through the hub itself: a node that hangs does not count as alive.
async fn count(hub: &Letters) -> Option<Numbers> {
    let (answer, numbers) = oneshot::channel();
    hub.send(Told::Count(answer)).await.ok()?;
    numbers.await.ok()
}

fn page(numbers: &Numbers) -> String {
    let size = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let lines = [
        ("connections", "gauge", size(numbers.links)),
        ("sessions", "gauge", size(numbers.sessions)),
        ("sessions_connected", "gauge", size(numbers.connected)),
        ("messages_parked", "gauge", size(numbers.parked)),
        ("routes", "gauge", size(numbers.routes)),
        ("registrations", "gauge", size(numbers.records)),
        ("writes_pending", "gauge", size(numbers.writes)),
        ("messages_received_total", "counter", numbers.received),
        ("messages_sent_total", "counter", numbers.sent),
        ("requests_unrouted_total", "counter", numbers.unrouted),
        ("messages_forged_total", "counter", numbers.forged),
    ];
    let lines = lines.map(|(name, kind, value)| {
        format!("# TYPE hyperty_node_{name} {kind}\nhyperty_node_{name} {value}\n")
    });
    lines.concat()
}

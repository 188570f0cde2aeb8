//! One connection: frames in, queued texts out, until either ends.

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::time::{Duration, Instant, interval_at, sleep_until, timeout};

use super::hub::{Letters, Told};
use super::outbox::{Out, Queue, outbox};
use crate::event::{End, Event, LinkId, Pass, Text};
use crate::limits::{MESSAGE_BYTES_MAX, PING_MS, REASON_BYTES_MAX, SILENT_MS, WRITE_MS};

/// How long a peer has to take the close frame.
const CLOSE_MAX: Duration = Duration::from_secs(1);

/// Serves a connection until it ends.
pub(super) async fn serve(socket: WebSocket, link: LinkId, pass: Pass, hub: Letters) {
    let (outbox, mut queue) = outbox();
    if hub.send(Told::Connected(link, pass, outbox)).await.is_err() {
        return;
    }
    let (mut sink, stream) = socket.split();
    let end = tokio::select! {
        end = read(stream, link, &hub) => end,
        end = write(&mut sink, &mut queue) => end,
    };
    let unsent = queue.rest();
    if let Some(end) = end {
        let frame = CloseFrame {
            code: end.code(),
            reason: reason(&end),
        };
        // It has had its chance to hear why.
        let _ = timeout(CLOSE_MAX, sink.send(Message::Close(Some(frame)))).await;
    }
    let event = Event::Disconnected { link, unsent };
    // The hub has ended: nobody keeps what was not sent.
    let _ = hub.send(Told::Event(event)).await;
}

// `None` when the peer has ended it.
async fn read(mut stream: SplitStream<WebSocket>, link: LinkId, hub: &Letters) -> Option<End> {
    let silence = Duration::from_millis(SILENT_MS);
    loop {
        let Ok(frame) = timeout(silence, stream.next()).await else {
            return Some(End::Silent);
        };
        let text: Text = match frame {
            Some(Ok(Message::Text(text))) => text.as_str().into(),
            Some(Ok(Message::Binary(_))) => {
                return Some(End::Garbage("messages are text frames".to_owned()));
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Close(_))) | None => return None,
            Some(Err(error)) => return fault(&error),
        };
        let event = Event::Received { link, text };
        if hub.send(Told::Event(event)).await.is_err() {
            return Some(End::Stopping);
        }
    }
}

async fn write(sink: &mut SplitSink<WebSocket, Message>, queue: &mut Queue) -> Option<End> {
    let period = Duration::from_millis(PING_MS);
    let mut pings = interval_at(Instant::now() + period, period);
    loop {
        let out = tokio::select! {
            biased;
            Ok(()) = queue.cut.changed() => return Some(End::SlowReader),
            _ = pings.tick() => Out::Ping,
            out = queue.outs.recv() => out?,
        };
        let frame = match out {
            Out::Text(text) => {
                queue.took(&text);
                Message::Text(Utf8Bytes::from(&*text))
            }
            Out::Ping => Message::Ping(axum::body::Bytes::new()),
            Out::Close(end) => return Some(end),
        };
        let deadline = Instant::now() + Duration::from_millis(WRITE_MS);
        tokio::select! {
            sent = sink.send(frame) => if sent.is_err() { return None },
            Ok(()) = queue.cut.changed() => return Some(End::SlowReader),
            () = sleep_until(deadline) => return Some(End::SlowReader),
        }
    }
}

// What the library refuses: the peer is told when it can still be.
fn fault(error: &axum::Error) -> Option<End> {
    let why = error.to_string();
    if why.contains("Space limit") || why.contains("too long") || why.contains("too big") {
        return Some(End::Garbage(format!(
            "a message has {MESSAGE_BYTES_MAX} bytes at most"
        )));
    }
    let is_protocol = why.contains("protocol error") || why.contains("UTF-8");
    is_protocol.then_some(End::Garbage(why))
}

fn reason(end: &End) -> Utf8Bytes {
    let text = end.to_string();
    let kept = text.floor_char_boundary(REASON_BYTES_MAX);
    text.get(..kept).unwrap_or_default().into()
}

//! One WebSocket of a script: what it sends, what it hears, and its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::{Either, select};
use sandbox_net::limits::CLOSE_WAIT;
use sandbox_net::websocket::{Event, Options, Receiver, Sender};
use sandbox_net::{Error, Network, Tasks};
use tokio::sync::mpsc::UnboundedReceiver;

use super::events::{News, Teller};
use super::executor::Host;

/// What a script wants of its WebSocket. Its bytes are counted where it is queued.
pub(super) enum Wish {
    Text(String),
    Binary(Vec<u8>),
    /// With a code, or without.
    Close(Option<u16>, String),
}

/// What the end of a connection is called that no close was agreed for.
const ABNORMAL: u16 = 1006;

/// Opens a WebSocket and serves it until its end, of which its script hears in any case.
pub(super) async fn serve(
    network: Network,
    host: Host,
    url: String,
    options: Options,
    wishes: UnboundedReceiver<Wish>,
    waiting: Arc<AtomicUsize>,
    teller: Teller,
) {
    let socket = match network.websocket(&url, options).await {
        Ok(socket) => socket,
        Err(error) => return teller.tell(News::Failed(error.to_string(), error.is_denial())),
    };
    teller.tell(News::Opened(socket.protocol().to_owned()));
    let (sender, receiver) = socket.split();
    let sending = Box::pin(send(sender, wishes, &waiting));
    let receiving = Box::pin(receive(receiver, &teller));
    let end = match select(sending, receiving).await {
        Either::Left((Ok(()), receiving)) => {
            // We have closed; what they still say is heard until they agree.
            match select(receiving, host.sleep(CLOSE_WAIT)).await {
                Either::Left((end, _)) => end,
                Either::Right(_) => Ok((ABNORMAL, "nobody answered the close".to_owned(), false)),
            }
        }
        Either::Left((Err(error), receiving)) => {
            // They may have said why they left.
            drop(receiving);
            Err(error)
        }
        Either::Right((end, _)) => end,
    };
    teller.tell(match end {
        Ok((code, reason, is_clean)) => News::Closed(code, reason, is_clean),
        Err(error) => News::Failed(error.to_string(), false),
    });
}

/// Sends what is wished, until a close; an end of wishes is no close.
async fn send(
    mut sender: Sender,
    mut wishes: UnboundedReceiver<Wish>,
    waiting: &AtomicUsize,
) -> Result<(), Error> {
    while let Some(wish) = wishes.recv().await {
        let bytes = match wish {
            Wish::Text(text) => {
                let bytes = text.len();
                sender.send_text(text).await?;
                bytes
            }
            Wish::Binary(bytes) => {
                let count = bytes.len();
                sender.send_binary(bytes).await?;
                count
            }
            Wish::Close(Some(code), reason) => return sender.close(code, &reason).await,
            Wish::Close(None, _) => return sender.close_without_code().await,
        };
        waiting.fetch_sub(bytes, Ordering::Relaxed);
    }
    std::future::pending().await
}

async fn receive(mut receiver: Receiver, teller: &Teller) -> Result<(u16, String, bool), Error> {
    loop {
        match receiver.recv().await? {
            Event::Text(text) => teller.tell_when_room(News::Text(text)).await,
            Event::Binary(bytes) => teller.tell_when_room(News::Bytes(bytes)).await,
            Event::Closed(closed) => return Ok((closed.code, closed.reason, true)),
        }
    }
}

//! One HTTP connection: opened, spoken to, and whether it can be used again.

use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper::header::{self, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;

use super::request::OutBody;
use crate::dial::BoxStream;
use crate::error::{Error, causes};
use crate::limits::{
    CONNECTION_WINDOW_BYTES, HEAD_BYTES_MAX, HEADERS_MAX, HTTP_BUFFER_BYTES, STREAM_WINDOW_BYTES,
};
use crate::network::Inner;
use crate::target::Target;
use crate::tasks::{Spawner, Tasks};
use crate::tls::Inside;

/// What speaks for one connection; its bytes are moved by a task of its own.
pub(super) enum Connection {
    One(http1::SendRequest<OutBody>),
    Two(http2::SendRequest<OutBody>),
}

/// Why a request has no answer.
pub(super) enum Unsent {
    /// The connection had ended before; the request is as it was.
    Back(Box<Request<OutBody>>),
    /// It is over.
    Failed(Error),
}

impl Unsent {
    pub(super) fn into_error(self, target: &Target) -> Error {
        match self {
            Self::Failed(error) => error,
            Self::Back(_) => Error::Ended {
                host: target.host.clone(),
                why: "it was closed at once".to_owned(),
            },
        }
    }
}

impl Connection {
    pub(super) async fn open(network: &Inner, target: &Target) -> Result<Self, Error> {
        let Target { host, port, .. } = target;
        if !target.is_secure {
            let stream = network.tcp(host, *port).await?;
            return one(network, target, stream).await;
        }
        let stream = network.tls(host, *port, Inside::Http).await?;
        let is_two = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        if is_two {
            two(network, target, Box::new(stream)).await
        } else {
            one(network, target, Box::new(stream)).await
        }
    }

    /// Sends one request and waits for the head of its answer.
    pub(super) async fn send(
        &mut self,
        target: &Target,
        request: Request<OutBody>,
    ) -> Result<Response<Incoming>, Unsent> {
        let whole = request.uri().clone();
        let outcome = match self {
            Self::One(sender) => {
                if sender.ready().await.is_err() {
                    return Err(Unsent::Back(Box::new(request)));
                }
                sender.try_send_request(as_one(request, target)).await
            }
            Self::Two(sender) => {
                if sender.ready().await.is_err() {
                    return Err(Unsent::Back(Box::new(request)));
                }
                sender.try_send_request(request).await
            }
        };
        outcome.map_err(|error| unsent(error, target, whole))
    }

    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::One(sender) => sender.is_closed(),
            Self::Two(sender) => sender.is_closed(),
        }
    }

    /// For another request at the same time, which HTTP/2 can.
    pub(super) fn shared(&self) -> Option<Self> {
        match self {
            Self::One(_) => None,
            Self::Two(sender) => Some(Self::Two(sender.clone())),
        }
    }
}

async fn one(network: &Inner, target: &Target, stream: BoxStream) -> Result<Connection, Error> {
    let mut builder = http1::Builder::new();
    builder
        .max_headers(HEADERS_MAX)
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(HTTP_BUFFER_BYTES);
    let shaken = builder.handshake(TokioIo::new(stream)).await;
    let (sender, connection) = shaken.map_err(|error| failure(&error, target))?;
    drive(&*network.tasks, connection);
    Ok(Connection::One(sender))
}

async fn two(network: &Inner, target: &Target, stream: BoxStream) -> Result<Connection, Error> {
    let tasks = std::sync::Arc::clone(&network.tasks);
    let mut builder = http2::Builder::new(Spawner(tasks));
    builder
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX))
        .max_send_buf_size(HTTP_BUFFER_BYTES);
    let shaken = builder.handshake(TokioIo::new(stream)).await;
    let (sender, connection) = shaken.map_err(|error| failure(&error, target))?;
    drive(&*network.tasks, connection);
    Ok(Connection::Two(sender))
}

// What goes wrong there is told to whoever waits for an answer or a body.
fn drive<T>(tasks: &dyn Tasks, connection: impl Future<Output = T> + Send + 'static) {
    tasks.spawn(Box::pin(async {
        connection.await;
    }));
}

// HTTP/1.1 names the host in a header and only the path in its first line.
fn as_one(mut request: Request<OutBody>, target: &Target) -> Request<OutBody> {
    let uri = request.uri();
    if let Some(authority) = uri.authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        request.headers_mut().insert(header::HOST, host);
    }
    let path = request.uri().path_and_query();
    let path = path.map_or("/", |path| path.as_str()).parse::<Uri>();
    debug_assert!(path.is_ok(), "a path of `{}` is none", target.host);
    if let Ok(path) = path {
        *request.uri_mut() = path;
    }
    request
}

fn unsent(mut error: TrySendError<Request<OutBody>>, target: &Target, whole: Uri) -> Unsent {
    match error.take_message() {
        Some(mut request) => {
            *request.uri_mut() = whole;
            Unsent::Back(Box::new(request))
        }
        None => Unsent::Failed(failure(error.error(), target)),
    }
}

/// What a failure of hyper means.
pub(crate) fn failure(error: &hyper::Error, target: &Target) -> Error {
    let host = target.host.clone();
    // hyper tells it by its text only.
    if error.is_parse() && error.to_string().contains("too large") {
        return Error::TooLong {
            host,
            what: "an HTTP head",
            limit: HEAD_BYTES_MAX,
        };
    }
    if error.is_parse() || error.is_parse_status() {
        return Error::Protocol {
            host,
            protocol: "HTTP",
            why: causes(error),
        };
    }
    Error::ended(&host, error)
}

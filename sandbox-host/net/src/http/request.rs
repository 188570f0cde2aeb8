//! One request, before it is sent.

use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::Method;
use hyper::body::Frame;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::inflate::GZIP;
use crate::error::Error;
use crate::limits::{BODY_PAUSE, HEAD_WAIT};
use crate::target::{self, Target};

/// What goes out: bytes as they are asked for.
pub(super) type OutBody = UnsyncBoxBody<Bytes, Infallible>;

const AGENT: HeaderValue = HeaderValue::from_static("HypertyRuntime/1.0");

/// Headers that say how the connection works, which is not the caller's business.
const OURS: [HeaderName; 9] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::HOST,
    HeaderName::from_static("keep-alive"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("proxy-connection"),
];

/// A request: where, how, and with what.
pub struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) payload: Payload,
    pub(super) wait: Duration,
    pub(super) pause: Duration,
}

/// What a request carries.
pub(super) enum Payload {
    Nothing,
    Bytes(Bytes),
    Stream(OutBody),
    /// It was a stream, and has been sent.
    Spent,
}

impl Request {
    /// Makes a request to `http://…` or `https://…`.
    ///
    /// # Errors
    /// [`Error::Url`].
    pub fn new(method: Method, url: &str) -> Result<Self, Error> {
        let request = Self {
            method,
            url: target::parse(url)?,
            headers: HeaderMap::new(),
            payload: Payload::Nothing,
            wait: HEAD_WAIT,
            pause: BODY_PAUSE,
        };
        request.target()?;
        Ok(request)
    }

    /// Makes a request that reads.
    ///
    /// # Errors
    /// [`Error::Url`].
    pub fn get(url: &str) -> Result<Self, Error> {
        Self::new(Method::GET, url)
    }

    /// Makes a request that writes.
    ///
    /// # Errors
    /// [`Error::Url`].
    pub fn post(url: &str, body: impl Into<Bytes>) -> Result<Self, Error> {
        Ok(Self::new(Method::POST, url)?.body(body))
    }

    /// Adds a header.
    ///
    /// # Errors
    /// [`Error::Request`] for what is none, and for those that the connection needs.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        let bad = |what| Error::Request(format!("`{}` {what}", crate::error::quoted(name)));
        let key =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad("is no header's name"))?;
        if OURS.contains(&key) {
            return Err(bad("is set by the runtime"));
        }
        let value =
            HeaderValue::from_str(value).map_err(|_| bad("has a value that is not one line"))?;
        self.headers.append(key, value);
        Ok(self)
    }

    /// Gives it a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.payload = Payload::Bytes(body.into());
        self
    }

    /// Gives it a body that comes piece by piece; it is not sent twice.
    #[must_use]
    pub fn stream(
        mut self,
        pieces: impl futures_util::Stream<Item = Bytes> + Send + 'static,
    ) -> Self {
        use futures_util::StreamExt as _;
        let frames = pieces.map(|piece| Ok(Frame::data(piece)));
        self.payload = Payload::Stream(StreamBody::new(frames).boxed_unsync());
        self
    }

    /// How long it may take until the head of the answer is there.
    #[must_use]
    pub const fn within(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// How long the body of the answer may pause.
    #[must_use]
    pub const fn pausing(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Whether a body that comes compressed is to be undone: not when the caller has
    /// said how it wants it, nor when only a part of it is wanted.
    pub(super) fn inflates(&self) -> bool {
        !self.headers.contains_key(header::ACCEPT_ENCODING)
            && !self.headers.contains_key(header::RANGE)
    }

    pub(super) fn target(&self) -> Result<Target, Error> {
        Target::of(&self.url, ["http", "https"])
    }

    /// The same once more, as far as it can be sent twice.
    pub(super) fn again(&self) -> Self {
        let payload = match &self.payload {
            Payload::Nothing => Payload::Nothing,
            Payload::Bytes(bytes) => Payload::Bytes(bytes.clone()),
            Payload::Stream(_) | Payload::Spent => Payload::Spent,
        };
        Self {
            method: self.method.clone(),
            url: self.url.clone(),
            headers: self.headers.clone(),
            payload,
            ..*self
        }
    }

    /// As hyper takes it; the connection adds what its version of HTTP needs.
    pub(super) fn into_wire(self, target: &Target) -> Result<hyper::Request<OutBody>, Error> {
        let inflates = self.inflates();
        let body = match self.payload {
            Payload::Nothing | Payload::Spent => Full::default().boxed_unsync(),
            Payload::Bytes(bytes) => Full::new(bytes).boxed_unsync(),
            Payload::Stream(body) => body,
        };
        let bad =
            |error: hyper::http::Error| Error::Request(format!("to `{}`: {error}", target.name()));
        let mut url = self.url;
        url.set_fragment(None);
        let request = hyper::Request::builder()
            .method(self.method)
            .uri(url.as_str());
        let mut request = request.body(body).map_err(bad)?;
        let mut headers = self.headers;
        if inflates {
            headers.insert(header::ACCEPT_ENCODING, GZIP);
        }
        headers.entry(header::USER_AGENT).or_insert(AGENT);
        headers
            .entry(header::ACCEPT)
            .or_insert(HeaderValue::from_static("*/*"));
        *request.headers_mut() = headers;
        Ok(request)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = target::shown(self.url.as_str());
        write!(f, "Request({} {url})", self.method)
    }
}

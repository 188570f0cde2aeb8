//! An HTTP client: one request, one streamed answer.
//!
//! HTTP/2 where the server negotiates it, HTTP/1.1 otherwise. It keeps no
//! cookies and no cache. A connection that is done is kept for a moment, for the
//! next request to the same place.
//!
//! [`Http::send`] never goes where it was not sent: a redirect is an answer like
//! any other. [`Http::follow`] goes on; each hop is dialled, and so decided, anew.
//!
//! Unless the caller names an `Accept-Encoding`, `gzip` is asked for and undone.

mod connection;
mod inflate;
mod pool;
mod redirect;
mod request;
mod response;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
pub use hyper::{Method, StatusCode, Version};
pub use url::Url;

pub(crate) use self::connection::failure;
use self::connection::{Connection, Unsent};
use self::inflate::Inflate;
use self::pool::Pool;
pub use self::request::Request;
pub use self::response::{Body, Response};
use crate::error::Error;
use crate::limits::REDIRECTS_MAX;
use crate::network::Inner;
use crate::target::Target;
use crate::tasks::within;

/// The HTTP client of a [`Network`](crate::Network); clones share their connections.
#[derive(Clone)]
pub struct Http {
    network: Arc<Inner>,
    pool: Arc<Pool>,
}

impl Http {
    pub(crate) fn over(network: Arc<Inner>) -> Self {
        let pool = Arc::default();
        Self { network, pool }
    }

    /// Sends a request and waits for the head of its answer; redirects are answers.
    ///
    /// Dropping the future, or the answer, ends the request.
    ///
    /// # Errors
    /// [`Error::Url`] and [`Error::Request`] for what cannot be sent; else why there
    /// is no answer. An answer of 404 or 500 is an answer.
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        let wait = request.wait;
        let target = request.target()?;
        let host = target.host.clone();
        match within(&*self.network.tasks, wait, self.exchange(target, request)).await {
            Some(outcome) => outcome,
            None => Err(Error::Late {
                host,
                what: "answer",
                wait,
            }),
        }
    }

    /// Sends a request and follows its redirects.
    ///
    /// # Errors
    /// As [`Self::send`]; [`Error::Redirect`] for one from `https` to `http`, to
    /// another scheme, with a body that cannot be sent twice, or for one too many.
    pub async fn follow(&self, request: Request) -> Result<Response, Error> {
        let mut request = request;
        for hops in 0..=REDIRECTS_MAX {
            let again = request.again();
            let mut response = self.send(request).await?;
            response.is_redirected = hops > 0;
            match redirect::next(again, &response)? {
                Some(next) if hops < REDIRECTS_MAX => request = next,
                Some(next) => {
                    return Err(redirect::refused(
                        &response,
                        &next.url,
                        "it is one too many",
                    ));
                }
                None => return Ok(response),
            }
        }
        unreachable!("the last hop returns")
    }

    async fn exchange(&self, target: Target, request: Request) -> Result<Response, Error> {
        let url = request.url.clone();
        let (pause, inflates) = (request.pause, request.inflates());
        let mut wire = request.into_wire(&target)?;
        while let Some(mut kept) = self.pool.take(&target) {
            match kept.send(&target, wire).await {
                Ok(answer) => {
                    return Ok(self.response(answer, kept, target, (url, pause, inflates)));
                }
                // Closed while nobody looked: nothing of the request has left.
                Err(Unsent::Back(again)) => wire = *again,
                Err(Unsent::Failed(error)) => return Err(error),
            }
        }
        let mut made = Connection::open(&self.network, &target).await?;
        match made.send(&target, wire).await {
            Ok(answer) => Ok(self.response(answer, made, target, (url, pause, inflates))),
            Err(unsent) => Err(unsent.into_error(&target)),
        }
    }

    fn response(
        &self,
        answer: hyper::Response<hyper::body::Incoming>,
        connection: Connection,
        target: Target,
        (url, pause, inflates): (Url, Duration, bool),
    ) -> Response {
        let (mut head, incoming) = answer.into_parts();
        let inflate = Some(&mut head.headers).filter(|_| inflates);
        let inflate = inflate.and_then(Inflate::of);
        let tasks = Arc::clone(&self.network.tasks);
        let returned = pool::Return::new(&self.pool, &tasks, target, connection);
        Response {
            status: head.status,
            version: head.version,
            headers: head.headers,
            url,
            is_redirected: false,
            body: Body::new(incoming, inflate, returned, tasks, pause),
        }
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

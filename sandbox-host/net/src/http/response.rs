//! One answer: its head, and its body piece by piece.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderMap};
use hyper::{StatusCode, Version};
use url::Url;

use super::connection::failure;
use super::inflate::Inflate;
use super::pool::Return;
use crate::error::Error;
use crate::limits::HTTP_BUFFER_BYTES;
use crate::target;
use crate::tasks::{Tasks, within};

/// The answer to a request.
pub struct Response {
    /// Its status.
    pub status: StatusCode,
    /// The version of HTTP that was spoken.
    pub version: Version,
    /// Its headers.
    pub headers: HeaderMap,
    /// Where it comes from, after redirects.
    pub url: Url,
    /// Whether redirects were followed.
    pub is_redirected: bool,
    /// What follows the head.
    pub body: Body,
}

impl Response {
    /// Where it redirects to; `None` when it does not.
    ///
    /// # Errors
    /// [`Error::Protocol`] when the place cannot be read.
    pub fn location(&self) -> Result<Option<Url>, Error> {
        if !matches!(self.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let Some(place) = self.headers.get(header::LOCATION) else {
            return Ok(None);
        };
        let place = String::from_utf8_lossy(place.as_bytes()).into_owned();
        let mut url = self.url.join(&place).map_err(|error| Error::Protocol {
            host: self.url.host_str().unwrap_or_default().to_owned(),
            protocol: "HTTP",
            why: format!("it redirects to `{}`: {error}", target::shown(&place)),
        })?;
        if url.fragment().is_none() {
            url.set_fragment(self.url.fragment());
        }
        Ok(Some(url))
    }

    /// Reads the whole body, if it has no more than `most` bytes.
    ///
    /// # Errors
    /// As [`Body::collect`].
    pub async fn bytes(self, most: usize) -> Result<Bytes, Error> {
        self.body.collect(most).await
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = target::shown(self.url.as_str());
        write!(f, "Response({} of {url})", self.status)
    }
}

/// The body of an answer. Nothing is read ahead of who reads it, except a window.
///
/// Dropping it ends the request.
pub struct Body {
    incoming: Incoming,
    inflate: Option<Inflate>,
    returned: Return,
    tasks: Arc<dyn Tasks>,
    pause: Duration,
    is_done: bool,
}

impl Body {
    pub(super) fn new(
        incoming: Incoming,
        inflate: Option<Inflate>,
        returned: Return,
        tasks: Arc<dyn Tasks>,
        pause: Duration,
    ) -> Self {
        Self {
            incoming,
            inflate,
            returned,
            tasks,
            pause,
            is_done: false,
        }
    }

    /// The next piece; `None` at the end. May be dropped before it is done.
    ///
    /// # Errors
    /// [`Error::Late`] when nothing comes for too long; [`Error::Ended`] when the
    /// connection ends in the middle; [`Error::Protocol`] for a body that is not
    /// compressed as its head says.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        if self.inflate.is_none() {
            return self.raw_chunk().await;
        }
        loop {
            if let Some(piece) = self.inflated(Inflate::next)? {
                return Ok(Some(piece));
            }
            if self.is_done {
                return Ok(None);
            }
            match self.raw_chunk().await? {
                Some(piece) => self.inflate.iter_mut().for_each(|it| it.put(piece.clone())),
                None => return self.inflated(Inflate::finish),
            }
        }
    }

    fn inflated(
        &mut self,
        step: impl FnOnce(&mut Inflate) -> std::io::Result<Option<Bytes>>,
    ) -> Result<Option<Bytes>, Error> {
        let piece = self.inflate.as_mut().map_or(Ok(None), step);
        piece.map_err(|error| {
            self.is_done = true;
            Error::Protocol {
                host: self.returned.target().host.clone(),
                protocol: "HTTP",
                why: format!("its body is not the gzip that it says it is: {error}"),
            }
        })
    }

    async fn raw_chunk(&mut self) -> Result<Option<Bytes>, Error> {
        while !self.is_done {
            let frame = within(&*self.tasks, self.pause, self.incoming.frame()).await;
            match frame {
                Some(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) if data.is_empty() => {}
                    Ok(data) => return Ok(Some(data)),
                    // Trailers: nobody here asks for any.
                    Err(_) => {}
                },
                Some(Some(Err(error))) => {
                    self.is_done = true;
                    return Err(failure(&error, self.returned.target()));
                }
                Some(None) => {
                    self.is_done = true;
                    self.returned.give_back();
                }
                None => {
                    self.is_done = true;
                    return Err(Error::Late {
                        host: self.returned.target().host.clone(),
                        what: "go on with its answer",
                        wait: self.pause,
                    });
                }
            }
        }
        Ok(None)
    }

    /// Reads all of it, if it has no more than `most` bytes.
    ///
    /// # Errors
    /// [`Error::TooLong`], as soon as that is known; and as [`Self::chunk`].
    pub async fn collect(mut self, most: usize) -> Result<Bytes, Error> {
        let announced = usize::try_from(self.incoming.size_hint().lower()).unwrap_or(usize::MAX);
        if announced > most {
            return Err(self.too_long(most));
        }
        let mut all = BytesMut::with_capacity(announced.min(HTTP_BUFFER_BYTES));
        while let Some(piece) = self.chunk().await? {
            if all.len() + piece.len() > most {
                return Err(self.too_long(most));
            }
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }

    fn too_long(&self, limit: usize) -> Error {
        Error::TooLong {
            host: self.returned.target().host.clone(),
            what: "an answer",
            limit,
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").finish_non_exhaustive()
    }
}

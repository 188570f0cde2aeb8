//! Where an answer sends its asker, and whether to go there.

use hyper::header::{self, HeaderMap, HeaderName};
use hyper::{Method, StatusCode};
use url::Url;

use super::request::{Payload, Request};
use super::response::Response;
use crate::error::Error;
use crate::target::{self, Target};

/// Headers that speak of a body.
const OF_BODY: [HeaderName; 4] = [
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LOCATION,
    header::CONTENT_TYPE,
];

/// Headers that are meant for one host only.
const SECRET: [HeaderName; 3] = [
    header::AUTHORIZATION,
    header::COOKIE,
    header::PROXY_AUTHORIZATION,
];

/// The request that a redirect asks for; `None` when the answer is none.
pub(super) fn next(request: Request, response: &Response) -> Result<Option<Request>, Error> {
    let Some(url) = response.location()? else {
        return Ok(None);
    };
    let here = request.target()?;
    let there = Target::of(&url, ["http", "https"])
        .map_err(|_| refused(response, &url, "it is no address of the web"))?;
    if here.is_secure && !there.is_secure {
        return Err(refused(response, &url, "it would give up TLS"));
    }
    let mut next = request;
    if becomes_get(&next.method, response.status) {
        next.method = Method::GET;
        next.payload = Payload::Nothing;
        without(&mut next.headers, &OF_BODY);
    }
    if matches!(next.payload, Payload::Spent) {
        return Err(refused(response, &url, "its body was a stream and is gone"));
    }
    if here != there {
        without(&mut next.headers, &SECRET);
    }
    next.url = url;
    Ok(Some(next))
}

/// Why a redirect is not followed.
pub(super) fn refused(response: &Response, to: &Url, why: &'static str) -> Error {
    Error::Redirect {
        host: response.url.host_str().unwrap_or_default().to_owned(),
        to: target::shown(to.as_str()),
        why,
    }
}

fn without(headers: &mut HeaderMap, names: &[HeaderName]) {
    for name in names {
        headers.remove(name);
    }
}

// As browsers do, which differs from the standard for 301 and 302.
fn becomes_get(method: &Method, status: StatusCode) -> bool {
    match status.as_u16() {
        301 | 302 => method == Method::POST,
        303 => method != Method::GET && method != Method::HEAD,
        _ => false,
    }
}

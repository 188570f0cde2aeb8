//! One conditional request, and what its answer is worth.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use protocol::Code;
use protocol::api::catalogue::remote::{Get, Head, PART_BYTES_MAX};
use sandbox_net::http::{Body, Request, Response, StatusCode, header};
use sandbox_net::{Error, Network};

/// From the request to the head of its answer, redirects not counted: the core
/// waits 15 s for all addresses together.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// How long nothing may come of a body.
const PAUSE: Duration = Duration::from_secs(10);

/// How long one part is gathered before what is there is handed on.
const PART_WITHIN: Duration = Duration::from_secs(5);

/// Why there is nothing, for the core and whoever asked it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// 403 not granted, 404 not there, 408, 413, 415 for a web page, 503 offline, 500.
    pub(crate) code: Code,
    /// One sentence.
    pub(crate) reason: String,
}

/// A body that is being read.
pub(crate) struct Transfer {
    body: Body,
    host: String,
    // What was read and did not fit into a part.
    rest: Bytes,
    got: u64,
    most: u64,
}

/// Asks for each address until one has something.
pub(crate) async fn get(network: &Network, get: &Get) -> Result<(Head, Option<Transfer>), Failure> {
    let mut absent = failure(Code::BAD_REQUEST, "no address was given");
    for url in &get.urls {
        match one(network, get, url).await {
            Err(nothing) if nothing.code == Code::NOT_FOUND => absent = nothing,
            result => return result,
        }
    }
    Err(absent)
}

async fn one(network: &Network, get: &Get, url: &str) -> Result<(Head, Option<Transfer>), Failure> {
    if !url.starts_with("https://") {
        return Err(failure(
            Code::BAD_REQUEST,
            format!("`{url}` is not fetched: only https is"),
        ));
    }
    let request = request(get, url).map_err(|e| told(&e))?;
    let response = network.http().follow(request).await.map_err(|e| told(&e))?;
    let head = Head {
        transfer: None,
        url: response.url.to_string(),
        bytes: None,
        etag: text(&response, &header::ETAG),
        modified: text(&response, &header::LAST_MODIFIED),
    };
    let host = response.url.host_str().unwrap_or_default().to_owned();
    match response.status {
        StatusCode::OK => {}
        StatusCode::NOT_MODIFIED if !get.etag.is_empty() || !get.modified.is_empty() => {
            return Ok((head, None));
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            return Err(failure(Code::NOT_FOUND, format!("`{host}` has no `{url}`")));
        }
        other => {
            let reason = format!("`{host}` answered {} to `{url}`", other.as_u16());
            return Err(failure(Code::FAILED, reason));
        }
    }
    begin(get, url, response, (head, host)).await
}

async fn begin(
    get: &Get,
    url: &str,
    response: Response,
    (mut head, host): (Head, String),
) -> Result<(Head, Option<Transfer>), Failure> {
    let page = || {
        let reason = format!("`{host}` answered with a web page instead of `{url}`");
        failure(Code(415), reason)
    };
    if text(&response, &header::CONTENT_TYPE)
        .to_ascii_lowercase()
        .starts_with("text/html")
    {
        return Err(page());
    }
    let coding = text(&response, &header::CONTENT_ENCODING);
    if !matches!(coding.as_str(), "" | "identity") {
        let reason = format!("`{host}` encodes `{url}`, which nobody asked for");
        return Err(failure(Code::FAILED, reason));
    }
    head.bytes = text(&response, &header::CONTENT_LENGTH).parse().ok();
    let mut transfer = Transfer {
        body: response.body,
        host: host.clone(),
        rest: Bytes::new(),
        got: 0,
        most: get.most,
    };
    if head.bytes.is_some_and(|bytes| bytes > get.most) {
        return Err(transfer.too_long());
    }
    // Servers send pages under any name, with 200 and without a type.
    transfer.rest = transfer
        .body
        .chunk()
        .await
        .map_err(|e| told(&e))?
        .unwrap_or_default();
    transfer.count(transfer.rest.len())?;
    if transfer.rest.trim_ascii_start().starts_with(b"<") {
        return Err(page());
    }
    Ok((head, Some(transfer)))
}

impl Transfer {
    /// The next bytes, at most [`PART_BYTES_MAX`]; none at the end.
    pub(crate) async fn part(&mut self) -> Result<Bytes, Failure> {
        let mut part = BytesMut::new();
        let until = tokio::time::Instant::now() + PART_WITHIN;
        loop {
            let room = PART_BYTES_MAX - part.len();
            let taken = self.rest.split_to(self.rest.len().min(room));
            part.extend_from_slice(&taken);
            if part.len() == PART_BYTES_MAX {
                break;
            }
            // `chunk` loses nothing when it is dropped; its own pause ends what never comes.
            let next = if part.is_empty() {
                Ok(self.body.chunk().await)
            } else {
                tokio::time::timeout_at(until, self.body.chunk()).await
            };
            match next {
                Ok(Ok(Some(bytes))) => {
                    self.count(bytes.len())?;
                    self.rest = bytes;
                }
                Ok(Ok(None)) | Err(_) => break,
                Ok(Err(e)) => return Err(told(&e)),
            }
        }
        Ok(part.freeze())
    }

    fn count(&mut self, bytes: usize) -> Result<(), Failure> {
        self.got = self
            .got
            .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        if self.got > self.most {
            return Err(self.too_long());
        }
        Ok(())
    }

    fn too_long(&self) -> Failure {
        let Self { host, most, .. } = self;
        let reason = format!("`{host}` sends more than the {most} bytes that this may have");
        failure(Code::TOO_LARGE, reason)
    }
}

fn request(get: &Get, url: &str) -> Result<Request, Error> {
    let accept = if get.is_json {
        "application/json"
    } else {
        "*/*"
    };
    let mut request = Request::get(url)?
        .header("accept", accept)?
        .within(HEAD_WITHIN)
        .pausing(PAUSE);
    if !get.etag.is_empty() {
        request = request.header("if-none-match", &get.etag)?;
    } else if !get.modified.is_empty() {
        request = request.header("if-modified-since", &get.modified)?;
    }
    Ok(request)
}

fn text(response: &Response, name: &header::HeaderName) -> String {
    let value = response
        .headers
        .get(name)
        .and_then(|value| value.to_str().ok());
    // What is not a plain line of sensible length is as good as absent.
    value
        .filter(|text| text.len() <= 256)
        .unwrap_or_default()
        .to_owned()
}

/// What an error of the network means to whoever asked.
fn told(error: &Error) -> Failure {
    let code = match error {
        Error::Url { .. } | Error::Request(_) => Code::BAD_REQUEST,
        Error::NotDialled { code, .. } if *code == Code::FORBIDDEN => Code::FORBIDDEN,
        Error::NotDialled { .. } | Error::Ended { .. } => Code::UNAVAILABLE,
        Error::Late { .. } => Code::TIMEOUT,
        Error::TooLong { .. } => Code::TOO_LARGE,
        _ => Code::FAILED,
    };
    failure(code, error.to_string())
}

pub(crate) fn failure(code: Code, reason: impl Into<String>) -> Failure {
    Failure {
        code,
        reason: reason.into(),
    }
}

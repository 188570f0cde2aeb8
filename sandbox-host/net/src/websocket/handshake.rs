//! The handshake (RFC 6455 §4.1): an HTTP/1.1 request that becomes something else.
//!
//! hyper reads the answer, so that its bounds are those of every other answer.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio_websockets::{ClientBuilder, Config, Limits};
use url::Url;

use super::Agreed;
use super::frames::random;
use super::options::Options;
use crate::dial::BoxStream;
use crate::error::{Error, quoted};
use crate::http::failure;
use crate::limits::{HEAD_BYTES_MAX, HEADERS_MAX, HTTP_BUFFER_BYTES, UNSENT_BYTES_MAX};
use crate::network::Inner;
use crate::target::{self, Target};
use crate::tasks::within;
use crate::tls::Inside;

/// What the server hashes with our key, to prove that it speaks the protocol.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Opens a WebSocket: dial, TLS, handshake.
pub(super) async fn open(network: &Inner, url: &str, options: Options) -> Result<Agreed, Error> {
    let url = target::parse(url)?;
    let target = Target::of(&url, ["ws", "wss"])?;
    if url.fragment().is_some() {
        return Err(target::unusable(
            &url,
            "a WebSocket's address has no fragment",
        ));
    }
    let wait = options.wait;
    let opened = within(
        &*network.tasks,
        wait,
        shake(network, &target, &url, options),
    );
    opened.await.unwrap_or_else(|| {
        Err(Error::Late {
            host: target.host.clone(),
            what: "open a WebSocket",
            wait,
        })
    })
}

async fn shake(
    network: &Inner,
    target: &Target,
    url: &Url,
    options: Options,
) -> Result<Agreed, Error> {
    let stream: BoxStream = if target.is_secure {
        let tls = network.tls(&target.host, target.port, Inside::Http1);
        Box::new(tls.await?)
    } else {
        network.tcp(&target.host, target.port).await?
    };
    let (message_bytes, offered) = (options.message_bytes, options.protocols.clone());
    let key = STANDARD.encode(random::<16>()?);
    let answer = ask(network, target, stream, request(url, &key, options)?).await?;
    let protocol = accepted(target, &answer, &key, &offered)?;
    let upgraded = hyper::upgrade::on(answer).await;
    let upgraded = upgraded.map_err(|error| Error::ended(&target.host, &error))?;
    let builder = ClientBuilder::new()
        .limits(Limits::default().max_payload_len(Some(message_bytes)))
        .config(Config::default().flush_threshold(UNSENT_BYTES_MAX));
    Ok(Agreed {
        frames: builder.take_over(TokioIo::new(upgraded)),
        host: target.host.clone(),
        protocol,
    })
}

fn request(url: &Url, key: &str, options: Options) -> Result<Request<Empty<Bytes>>, Error> {
    let bad = |error: hyper::http::Error| Error::Request(error.to_string());
    let host = match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
    };
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let mut request = Request::get(path)
        .header(header::HOST, host)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, key);
    if !options.protocols.is_empty() {
        request = request.header(header::SEC_WEBSOCKET_PROTOCOL, options.protocols.join(", "));
    }
    let mut request = request.body(Empty::new()).map_err(bad)?;
    request.headers_mut().extend(options.headers);
    Ok(request)
}

async fn ask(
    network: &Inner,
    target: &Target,
    stream: BoxStream,
    request: Request<Empty<Bytes>>,
) -> Result<Response<Incoming>, Error> {
    let mut builder = http1::Builder::new();
    builder
        .max_headers(HEADERS_MAX)
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(HTTP_BUFFER_BYTES);
    let failed = |error: hyper::Error| failure(&error, target);
    let shaken = builder.handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(failed)?;
    let connection = connection.with_upgrades();
    network.tasks.spawn(Box::pin(async {
        // Whoever waits for the answer is told.
        let _ = connection.await;
    }));
    sender.send_request(request).await.map_err(failed)
}

/// Checks what the server answered, and returns the subprotocol it chose.
fn accepted(
    target: &Target,
    answer: &Response<Incoming>,
    key: &str,
    offered: &[String],
) -> Result<String, Error> {
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(Error::NotAWebSocket {
            host: target.host.clone(),
            status: answer.status().as_u16(),
        });
    }
    let headers = answer.headers();
    let proof = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{GUID}").as_bytes());
    let is_websocket = has_word(headers, &header::UPGRADE, "websocket")
        && has_word(headers, &header::CONNECTION, "upgrade")
        && text(headers.get(header::SEC_WEBSOCKET_ACCEPT)) == STANDARD.encode(proof);
    if !is_websocket {
        return Err(nonsense(target, "it switched to something else"));
    }
    if headers.contains_key(header::SEC_WEBSOCKET_EXTENSIONS) {
        return Err(nonsense(target, "it uses extensions that nobody offered"));
    }
    let protocol = text(headers.get(header::SEC_WEBSOCKET_PROTOCOL));
    if !protocol.is_empty() && !offered.iter().any(|one| one == protocol) {
        let why = format!(
            "it chose the subprotocol `{}`, which nobody offered",
            quoted(protocol)
        );
        return Err(nonsense(target, &why));
    }
    Ok(protocol.to_owned())
}

fn nonsense(target: &Target, why: &str) -> Error {
    Error::Protocol {
        host: target.host.clone(),
        protocol: "WebSocket",
        why: why.to_owned(),
    }
}

fn has_word(headers: &HeaderMap, name: &header::HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter();
    values
        .flat_map(|value| text(Some(value)).split(','))
        .any(|one| one.trim().eq_ignore_ascii_case(word))
}

fn text(value: Option<&HeaderValue>) -> &str {
    value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

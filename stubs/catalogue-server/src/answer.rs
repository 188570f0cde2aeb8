//! One request, answered: conditions, methods, errors.

use std::time::SystemTime;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

use crate::broker;
use crate::limits::{FILE_BYTES_MAX, QUESTION_BYTES_MAX};
use crate::paths::{self, KINDS, Named};
use crate::shelf::{Content, Shelf, Stock, Unserved};

/// What goes back.
pub(crate) type Answer = Response<Full<Bytes>>;

/// What a request asked, once its body is read.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The host that was asked for, without a port.
    pub(crate) host: String,
    /// The host as it was written, with its port.
    pub(crate) authority: String,
    /// What the asker can do, from a POST of the older interface.
    pub(crate) constraints: Option<serde_json::Value>,
}

/// Answers one request; never fails.
pub(crate) async fn answer(request: Request<Incoming>, shelf: &Shelf) -> Answer {
    let authority = authority(&request);
    let (head, body) = request.into_parts();
    let mut asked = Asked {
        host: host_of(&authority).to_ascii_lowercase(),
        authority,
        constraints: None,
    };
    let mut answer = match head.method {
        Method::GET | Method::HEAD => found(head.uri.path(), &asked, &head.headers, shelf).await,
        Method::POST => match Limited::new(body, QUESTION_BYTES_MAX).collect().await {
            Ok(body) => {
                asked.constraints = Some(constraints(&body.to_bytes()));
                found(head.uri.path(), &asked, &head.headers, shelf).await
            }
            Err(_) => refused(
                StatusCode::PAYLOAD_TOO_LARGE,
                &format!("a question has at most {QUESTION_BYTES_MAX} bytes"),
            ),
        },
        Method::OPTIONS => permitted(),
        _ => not_a_method(),
    };
    if head.method == Method::HEAD {
        without_body(&mut answer);
    }
    let headers = answer.headers_mut();
    // Catalogues are public; pages load components from them.
    let star = HeaderValue::from_static("*");
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, star);
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    answer
}

// HTTP/2 has no rule that would take the body away from an answer to HEAD.
fn without_body(answer: &mut Answer) {
    let bytes = answer.body().size_hint().exact().unwrap_or_default();
    *answer.body_mut() = Full::default();
    let length = HeaderValue::from(bytes);
    answer.headers_mut().insert(header::CONTENT_LENGTH, length);
}

async fn found(path: &str, asked: &Asked, headers: &HeaderMap, shelf: &Shelf) -> Answer {
    let Some(stock) = shelf.stock(&asked.host) else {
        let reason = "this server has no catalogue of that host name: name the folder after it, \
                      or start it with `--provider`";
        return refused(StatusCode::MISDIRECTED_REQUEST, reason);
    };
    let answered = match paths::named(path) {
        Named::File(files) => file(&stock, &files, headers).await,
        Named::Kinds => Ok(json(&serde_json::json!(KINDS.map(|kind| kind.folder)))),
        Named::Names(kind, is_published) => stock.names(kind).await.map(|names| {
            let list = serde_json::json!(names);
            json(&if is_published {
                serde_json::json!({ (kind.plural): list })
            } else {
                list
            })
        }),
        Named::Descriptor(kind, name, member) => {
            return broker::descriptor(&stock, asked, (kind, &name), member.as_deref()).await;
        }
        Named::Source(kind, name, only_text) => {
            return broker::source(&stock, kind, &name, only_text).await;
        }
        Named::Nothing(reason) => return refused(StatusCode::NOT_FOUND, reason),
    };
    answered.unwrap_or_else(|e| unserved(&e))
}

async fn file(stock: &Stock, files: &[String], headers: &HeaderMap) -> Result<Answer, Unserved> {
    let (file, content) = stock.first(files, FILE_BYTES_MAX).await?;
    let tag = format!("\"sha256-{}\"", content.digest);
    let mut answer = if is_known(headers, &tag, content.modified) {
        status(StatusCode::NOT_MODIFIED, Bytes::new())
    } else {
        typed(content.bytes.clone(), paths::media_type(&file))
    };
    validators(answer.headers_mut(), &tag, &content);
    Ok(answer)
}

// RFC 9110 §13.2.2: a tag that is given decides, and the date only without one.
fn is_known(headers: &HeaderMap, tag: &str, modified: Option<SystemTime>) -> bool {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    if let Some(known) = text(header::IF_NONE_MATCH) {
        let mut tags = known.split(',').map(str::trim);
        return tags.any(|known| known == "*" || known.trim_start_matches("W/") == tag);
    }
    let since =
        text(header::IF_MODIFIED_SINCE).and_then(|date| httpdate::parse_http_date(date).ok());
    since
        .zip(modified)
        .is_some_and(|(since, modified)| modified <= since)
}

fn validators(headers: &mut HeaderMap, tag: &str, content: &Content) {
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
    let modified = content.modified.map(httpdate::fmt_http_date);
    if let Some(modified) = modified.and_then(|date| HeaderValue::from_str(&date).ok()) {
        headers.insert(header::LAST_MODIFIED, modified);
    }
    // An author's files change while they are looked at: ask each time, send only what changed.
    let no_cache = HeaderValue::from_static("no-cache");
    headers.insert(header::CACHE_CONTROL, no_cache);
}

/// JSON, in the order in which the members stand.
pub(crate) fn json(value: &serde_json::Value) -> Answer {
    typed(value.to_string().into_bytes().into(), "application/json")
}

/// One value as the older interface gives it: text as it is, everything else as JSON.
pub(crate) fn value(value: &serde_json::Value) -> Answer {
    match value {
        serde_json::Value::String(text) => typed(
            text.clone().into_bytes().into(),
            "text/plain; charset=utf-8",
        ),
        other => json(other),
    }
}

/// A refusal in one sentence.
pub(crate) fn refused(code: StatusCode, reason: &str) -> Answer {
    let mut answer = typed(
        format!("{reason}\n").into_bytes().into(),
        "text/plain; charset=utf-8",
    );
    *answer.status_mut() = code;
    answer
}

/// What it means to whoever asked that a file cannot be had.
pub(crate) fn unserved(e: &Unserved) -> Answer {
    let code = match e {
        Unserved::Absent => StatusCode::NOT_FOUND,
        Unserved::TooLong(_) | Unserved::Unread => StatusCode::INTERNAL_SERVER_ERROR,
        Unserved::Busy => StatusCode::SERVICE_UNAVAILABLE,
    };
    refused(code, &e.to_string())
}

fn typed(bytes: Bytes, media_type: &'static str) -> Answer {
    let mut answer = status(StatusCode::OK, bytes);
    let value = HeaderValue::from_static(media_type);
    answer.headers_mut().insert(header::CONTENT_TYPE, value);
    answer
}

fn status(code: StatusCode, bytes: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(bytes));
    *answer.status_mut() = code;
    answer
}

fn not_a_method() -> Answer {
    let mut answer = refused(
        StatusCode::METHOD_NOT_ALLOWED,
        "GET, HEAD, POST and OPTIONS are served",
    );
    let allowed = HeaderValue::from_static("GET, HEAD, POST, OPTIONS");
    answer.headers_mut().insert(header::ALLOW, allowed);
    answer
}

// What a browser asks before it sends a question of the older interface.
fn permitted() -> Answer {
    let mut answer = status(StatusCode::NO_CONTENT, Bytes::new());
    let headers = answer.headers_mut();
    let methods = HeaderValue::from_static("GET, HEAD, POST");
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    let names = HeaderValue::from_static("content-type, if-none-match");
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names);
    answer
}

fn constraints(body: &[u8]) -> serde_json::Value {
    let asked: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    asked.get("constraints").cloned().unwrap_or_default()
}

// HTTP/2 has it in the URI, HTTP/1.1 in a header; some put a proxy in front.
fn authority(request: &Request<Incoming>) -> String {
    let header = |name: &str| {
        request
            .headers()
            .get(name)?
            .to_str()
            .ok()
            .map(str::to_owned)
    };
    header("x-forwarded-host")
        .or_else(|| request.uri().authority().map(ToString::to_string))
        .or_else(|| header("host"))
        .unwrap_or_default()
}

fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|c| c.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn what_the_asker_has_already_is_not_sent_again() {
        let tag = "\"sha256-ab\"";
        let at = httpdate::parse_http_date("Tue, 24 Nov 2026 11:00:00 GMT").unwrap();
        let same = headers(header::IF_MODIFIED_SINCE, "Tue, 24 Nov 2026 11:00:00 GMT");

        for known in ["\"sha256-ab\"", "\"x\", W/\"sha256-ab\"", "*"] {
            assert!(
                is_known(&headers(header::IF_NONE_MATCH, known), tag, None),
                "{known}"
            );
        }
        assert!(!is_known(
            &headers(header::IF_NONE_MATCH, "\"sha256-cd\""),
            tag,
            Some(at)
        ));
        assert!(is_known(&same, tag, Some(at)));
        assert!(!is_known(&same, tag, Some(at + Duration::from_secs(1))));
        assert!(!is_known(&HeaderMap::new(), tag, Some(at)));
    }

    #[test]
    fn a_host_is_what_stands_before_the_port() {
        assert_eq!(host_of("a.example:8443"), "a.example");
        assert_eq!(host_of("a.example"), "a.example");
        assert_eq!(host_of("[::1]:8443"), "[::1]");
    }
}

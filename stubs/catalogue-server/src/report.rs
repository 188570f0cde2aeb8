//! What the author sees: that it serves, and each request, as text or JSON.

use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::limits::SHOWN_BYTES_MAX;

/// Writes to stdout, and errors to stderr. Cheap to copy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Report {
    json: bool,
}

/// Said once, when it listens.
#[derive(Debug, Serialize)]
pub(crate) struct Serving {
    pub(crate) url: String,
    pub(crate) address: String,
    pub(crate) directory: String,
    pub(crate) providers: Vec<String>,
    pub(crate) certificate: String,
    pub(crate) fingerprint: String,
    pub(crate) development: bool,
}

/// Said for each request, once it is decided what it gets.
#[derive(Debug, Serialize)]
pub(crate) struct Request {
    pub(crate) time: String,
    pub(crate) peer: String,
    pub(crate) host: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) bytes: usize,
    pub(crate) ms: u128,
}

#[derive(Serialize)]
struct Document<'a, T> {
    schema: &'a str,
    #[serde(flatten)]
    content: &'a T,
}

impl Report {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    pub(crate) fn serving(self, serving: &Serving) {
        self.say("hyperty.serving/1", serving, || {
            let Serving {
                directory,
                url,
                certificate,
                fingerprint,
                development,
                ..
            } = serving;
            let trust = if *development {
                format!(
                    "  to trust it  hyperty up --tls-roots {certificate}\n  or           \
                     curl --cacert {certificate} {url}/.well-known/hyperty/all.json\n"
                )
            } else {
                String::new()
            };
            format!(
                "serving {directory} at {url}\n  certificate  {certificate}\n  \
                 SHA-256      {fingerprint}\n{trust}Ctrl-C ends it."
            )
        });
    }

    pub(crate) fn request(self, request: &Request) {
        self.say("hyperty.request/1", request, || {
            let clock = request.time.get(11..23).unwrap_or_default();
            let Request {
                method,
                path,
                status,
                bytes,
                ms,
                peer,
                ..
            } = request;
            format!("{clock}  {status}  {method} {path}  {bytes} bytes  {ms} ms  {peer}")
        });
    }

    /// A connection that never became a request.
    pub(crate) fn refused(self, peer: &str, why: &str) {
        let content = serde_json::json!({ "time": now(), "peer": peer, "reason": why });
        self.say("hyperty.refused/1", &content, || {
            let clock = now();
            format!(
                "{}  ---  {why}  {peer}",
                clock.get(11..23).unwrap_or_default()
            )
        });
    }

    pub(crate) fn failed(self, reason: &str) {
        let mut stderr = std::io::stderr().lock();
        let _ = if self.json {
            let content = serde_json::json!({ "schema": "hyperty.error/1", "what": reason });
            writeln!(stderr, "{content}")
        } else {
            writeln!(stderr, "error: {reason}")
        };
    }

    // Nobody can be told when stdout is gone; the requests are answered all the same.
    fn say<T: Serialize>(self, schema: &str, content: &T, human: impl FnOnce() -> String) {
        let text = if self.json {
            serde_json::to_string(&Document { schema, content }).unwrap_or_default()
        } else {
            human()
        };
        let mut stdout = std::io::stdout().lock();
        let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    }
}

/// What somebody sent, fit to be shown.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars().flat_map(char::escape_default) {
        if shown.len() >= SHOWN_BYTES_MAX {
            shown.push_str("...");
            break;
        }
        shown.push(c);
    }
    shown
}

/// RFC 3339 in UTC with milliseconds, now.
pub(crate) fn now() -> String {
    let now = SystemTime::now();
    let ms = now
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .subsec_millis();
    // `Tue, 24 Nov 2026 11:55:00 GMT`, in another order.
    let date = httpdate::fmt_http_date(now);
    let mut parts = date.split(' ').skip(1);
    let mut next = || parts.next().unwrap_or_default();
    let (day, month, year, clock) = (next(), next(), next(), next());
    let months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let month = months.find(month).unwrap_or_default() / 3 + 1;
    format!("{year}-{month:02}-{day}T{clock}.{ms:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_has_no_control_characters_and_an_end() {
        assert_eq!(shown("/a\u{1b}[2Jb"), "/a\\u{1b}[2Jb");
        assert!(shown(&"x".repeat(1000)).len() < 300);
    }

    #[test]
    fn times_are_rfc_3339() {
        let text = now();

        assert_eq!(text.len(), 24, "{text}");
        assert!(text.starts_with("20") && text.ends_with('Z'), "{text}");
    }
}

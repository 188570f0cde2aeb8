//! Who may connect: the token, the origin, the number of connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, StatusCode, Uri, header};
use tokio::sync::Semaphore;

use super::hub::Letters;
use super::tokens::Tokens;
use crate::event::{LinkId, Pass};

/// What every connection is judged by.
#[derive(Debug)]
pub(super) struct Gate {
    /// `None`: everybody may.
    pub(super) tokens: Option<Tokens>,
    /// Web pages that may connect when nobody needs a token.
    pub(super) origins: Vec<String>,
    pub(super) connections: Arc<Semaphore>,
    pub(super) hub: Letters,
    pub(super) domain: String,
    last: AtomicU64,
}

/// A refusal: a status and a sentence.
pub(super) type Refused = (StatusCode, String);

impl Gate {
    pub(super) fn new(
        domain: &str,
        tokens: Option<Tokens>,
        origins: Vec<String>,
        connections_max: usize,
        hub: Letters,
    ) -> Self {
        Self {
            tokens,
            origins,
            connections: Arc::new(Semaphore::new(connections_max)),
            hub,
            domain: domain.to_owned(),
            last: AtomicU64::new(0),
        }
    }

    pub(super) fn next_link(&self) -> LinkId {
        LinkId(self.last.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// What a connection may, by what its request says.
    pub(super) fn judge(&self, headers: &HeaderMap, uri: &Uri) -> Result<Pass, Refused> {
        let Some(tokens) = &self.tokens else {
            return self.judge_origin(headers);
        };
        let Some(token) = bearer(headers).or_else(|| in_query(uri)) else {
            let why = "an access token is needed: `Authorization: Bearer TOKEN`, or `?token=TOKEN` \
                       behind the path; the domain's operator issues one with `hyperty-node token \
                       issue`";
            return Err((StatusCode::UNAUTHORIZED, why.to_owned()));
        };
        tokens
            .verify(token)
            .map_err(|why| (StatusCode::UNAUTHORIZED, why.to_string()))
    }

    // Without tokens any page that a browser shows could connect to a node on loopback.
    fn judge_origin(&self, headers: &HeaderMap) -> Result<Pass, Refused> {
        let Some(origin) = headers.get(header::ORIGIN) else {
            return Ok(Pass::default());
        };
        let origin = origin.to_str().unwrap_or_default();
        let is_listed = |listed: &String| listed == "*" || listed == origin;
        if self.origins.iter().any(is_listed) {
            return Ok(Pass::default());
        }
        let why = format!(
            "pages of `{origin}` may not connect: permit them with `--origin {origin}`, or ask for \
             tokens with `--tokens FILE`"
        );
        Err((StatusCode::FORBIDDEN, why))
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ")
}

// Published stubs know nothing but a URL.
fn in_query(uri: &Uri) -> Option<&str> {
    let mut members = uri.query()?.split('&');
    members.find_map(|member| member.strip_prefix("token="))
}

//! From a server's name to a connection that is let in.

use std::rc::Rc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::dial::{BoxStream, Dial};
use super::limits::{DIAL_WITHIN, GREETING_WITHIN};
use super::{Lost, Server};
use crate::credentials::{Credentials, Proof};
use crate::wire::{self, Op, Reader};

/// What a server says about itself.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct About {
    pub(super) max_payload: u64,
    pub(super) connect_urls: Vec<String>,
    pub(super) headers: bool,
    nonce: Option<String>,
    tls_required: bool,
}

/// One attempt.
pub(super) struct Opening<D> {
    pub(super) dial: Rc<D>,
    pub(super) server: Server,
    pub(super) credentials: Credentials,
    pub(super) name: String,
    pub(super) subjects: Vec<String>,
}

/// A connection that was let in; all subscriptions are in place.
pub(super) struct Opened {
    pub(super) server: String,
    pub(super) stream: BoxStream,
    pub(super) reader: Reader,
    pub(super) about: About,
}

// The protocol has them as flags.
#[allow(clippy::struct_excessive_bools)]
#[derive(Serialize)]
struct Connect<'a> {
    verbose: bool,
    pedantic: bool,
    tls_required: bool,
    echo: bool,
    headers: bool,
    no_responders: bool,
    protocol: u8,
    lang: &'static str,
    version: &'static str,
    name: &'a str,
    #[serde(flatten)]
    proof: Proof,
}

impl<D: Dial> Opening<D> {
    pub(super) async fn open(self) -> Result<Opened, Lost> {
        let server = self.server.to_string();
        let dialled = timeout(DIAL_WITHIN, self.dial.dial(&self.server)).await;
        let dialled = dialled.map_err(|_| late(&server, "connection", DIAL_WITHIN))?;
        let stream = dialled.map_err(|cause| Lost::Dial {
            server: server.clone(),
            cause,
        })?;
        let greeted = timeout(GREETING_WITHIN, self.greet(stream, &server)).await;
        greeted.map_err(|_| late(&server, "greeting", GREETING_WITHIN))?
    }

    async fn greet(&self, stream: BoxStream, server: &str) -> Result<Opened, Lost> {
        let mut stream = stream;
        let mut reader = Reader::default();
        let about = self.info(&mut stream, &mut reader, server).await?;
        let is_secret = self.server.tls || about.tls_required;
        if is_secret {
            // Bytes in clear behind INFO would be taken for the server's own.
            if reader.has_more() {
                return Err(refused(
                    server,
                    "it spoke in clear after it had asked for TLS",
                ));
            }
            let secured = self.dial.secure(stream, &self.server).await;
            stream = secured.map_err(|cause| Lost::Dial {
                server: server.to_owned(),
                cause,
            })?;
        }
        if !about.headers {
            return Err(refused(
                server,
                "it is too old: it knows no headers (NATS 2.2 does)",
            ));
        }
        let hello = self.hello(&about, is_secret, server)?;
        let sent = async {
            stream.write_all(&hello).await?;
            stream.flush().await
        };
        sent.await
            .map_err(|error| ended(server, &error.to_string()))?;
        self.let_in(&mut stream, &mut reader, server).await?;
        Ok(Opened {
            server: server.to_owned(),
            stream,
            reader,
            about,
        })
    }

    // The first line, which says what the server needs.
    async fn info(
        &self,
        stream: &mut BoxStream,
        reader: &mut Reader,
        server: &str,
    ) -> Result<About, Lost> {
        loop {
            match reader.next().map_err(|cause| malformed(server, cause))? {
                Some(Op::Info(text)) => {
                    return serde_json::from_str(text)
                        .map_err(|bad| refused(server, &format!("its INFO is not JSON: {bad}")));
                }
                Some(Op::Err(words)) => return Err(refused(server, words)),
                Some(_) => return Err(refused(server, "it did not say INFO first")),
                None => read(stream, reader, server).await?,
            }
        }
    }

    // All at once: the server acts in order, so the answer to the PING at the end
    // says that everything before it is in place.
    fn hello(&self, about: &About, tls_required: bool, server: &str) -> Result<Vec<u8>, Lost> {
        let proof = self.credentials.prove(about.nonce.as_deref());
        let connect = Connect {
            verbose: false,
            pedantic: false,
            tls_required,
            echo: true,
            headers: true,
            no_responders: true,
            protocol: 1,
            lang: "rust",
            version: env!("CARGO_PKG_VERSION"),
            name: &self.name,
            proof: proof.map_err(|bad| refused(server, &bad.to_string()))?,
        };
        let text = serde_json::to_string(&connect);
        let text = text.map_err(|bad| refused(server, &bad.to_string()))?;
        let mut out = Vec::new();
        wire::connect(&mut out, &text);
        for (subject, sid) in self.subjects.iter().zip(1..) {
            wire::subscribe(&mut out, subject, sid)
                .map_err(|bad| refused(server, &bad.to_string()))?;
        }
        wire::ping(&mut out);
        Ok(out)
    }

    async fn let_in(
        &self,
        stream: &mut BoxStream,
        reader: &mut Reader,
        server: &str,
    ) -> Result<(), Lost> {
        loop {
            match reader.next().map_err(|cause| malformed(server, cause))? {
                Some(Op::Pong) => return Ok(()),
                Some(Op::Err(words)) => return Err(refused(server, words)),
                // Messages of a subscription that is not known to be in place yet are
                // none that anybody counts on.
                Some(Op::Ok | Op::Info(_) | Op::Ping | Op::Msg(_)) => {}
                None => read(stream, reader, server).await?,
            }
        }
    }
}

async fn read(stream: &mut BoxStream, reader: &mut Reader, server: &str) -> Result<(), Lost> {
    match stream.read_buf(reader.space()).await {
        Ok(0) => Err(ended(server, "the server hung up during the greeting")),
        Ok(_) => Ok(()),
        Err(error) => Err(ended(server, &error.to_string())),
    }
}

fn late(server: &str, what: &'static str, within: Duration) -> Lost {
    Lost::Late {
        server: server.to_owned(),
        what,
        seconds: within.as_secs(),
    }
}

fn malformed(server: &str, cause: wire::Malformed) -> Lost {
    Lost::Malformed {
        server: server.to_owned(),
        cause,
    }
}

pub(super) fn refused(server: &str, reason: &str) -> Lost {
    Lost::Refused {
        server: server.to_owned(),
        reason: reason.chars().take(256).collect(),
    }
}

pub(super) fn ended(server: &str, reason: &str) -> Lost {
    Lost::Ended {
        server: server.to_owned(),
        reason: reason.chars().take(256).collect(),
    }
}

//! Streams, and the mailbox of one runtime in a stream.

use std::time::Duration;

use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::{JetStream, JetStreamError, Refused};
use crate::client::Failed;

/// How many copies a cluster keeps, the best that it can first.
///
/// Three servers keep what was acknowledged when one of them stops. A server on
/// its own refuses three.
const REPLICAS: [u8; 2] = [3, 1];

/// Messages that one runtime may have stored for another.
///
/// More are refused, and the sender says so in its log: an hour of one message a
/// second for somebody who is away.
const STORED_PER_PAIR_MAX: u64 = 4096;

/// Messages that were handed out and not acknowledged: twice what a stub lets wait for
/// components that do not run yet.
const UNACKNOWLEDGED_MAX: u64 = 8192;

/// A message that was not acknowledged so long is handed out again.
const ACK_WITHIN: Duration = Duration::from_secs(30);

/// How long one request for messages stands.
pub const PULL_STANDS: Duration = Duration::from_secs(20);

/// Messages of one request.
pub const PULL_MESSAGES: u32 = 256;

impl JetStream {
    /// Makes a stream unless it is there.
    pub(super) async fn ensure(&self, name: &str, config: Value) -> Result<(), JetStreamError> {
        let what = format!("STREAM.INFO.{name}");
        match self.ask(&what, &json!({})).await {
            Ok(IgnoredAny) => return Ok(()),
            Err(JetStreamError::Refused(Refused { code: 404, .. })) => {}
            Err(error) => return Err(error),
        }
        let mut last = None;
        for replicas in REPLICAS {
            let mut config = config.clone();
            if let Some(members) = config.as_object_mut() {
                members.insert("num_replicas".to_owned(), replicas.into());
            }
            let what = format!("STREAM.CREATE.{name}");
            match self.ask(&what, &config).await {
                // Or another runtime was quicker, perhaps with another configuration.
                Ok(IgnoredAny)
                | Err(JetStreamError::Refused(Refused {
                    err_code: 10058, ..
                })) => return Ok(()),
                Err(JetStreamError::Refused(refused)) => last = Some(refused),
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_default().into())
    }
}

/// What is stored for one runtime until it takes it.
#[derive(Debug, Clone)]
pub struct Mailbox {
    stream: JetStream,
}

/// One request for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pull {
    /// The number under which the cluster says that the request has ended.
    pub number: u64,
}

impl Mailbox {
    /// The mailbox of the own runtime.
    pub const fn new(stream: JetStream) -> Self {
        Self { stream }
    }

    /// Makes the stream of all mailboxes, and the own place in it.
    pub async fn ensure(&self, max_age: Duration) -> Result<(), JetStreamError> {
        let names = self.stream.api.names();
        let (stream, subjects) = names.mail_stream();
        let config = json!({
            "name": stream,
            "subjects": [subjects],
            "retention": "workqueue",
            "discard": "new",
            "discard_new_per_subject": true,
            "max_msgs_per_subject": STORED_PER_PAIR_MAX,
            "max_msgs": -1,
            "max_bytes": -1,
            "max_age": u64::try_from(max_age.as_nanos()).unwrap_or(u64::MAX),
            "max_msg_size": -1,
            "storage": "file",
            "duplicate_window": 120_000_000_000_u64,
        });
        self.stream.ensure(&stream, config).await?;
        self.place(&stream).await
    }

    async fn place(&self, stream: &str) -> Result<(), JetStreamError> {
        let names = self.stream.api.names();
        let (name, filter) = (names.runtime(), names.mail());
        let config = json!({
            "stream_name": stream,
            "config": {
                "name": name,
                "durable_name": name,
                "filter_subject": filter,
                "deliver_policy": "all",
                "ack_policy": "explicit",
                "ack_wait": u64::try_from(ACK_WITHIN.as_nanos()).unwrap_or(u64::MAX),
                "max_ack_pending": UNACKNOWLEDGED_MAX,
                "replay_policy": "instant",
            }
        });
        // The filter stands in the subject, so that permissions can name it.
        let what = format!("CONSUMER.CREATE.{stream}.{name}.{filter}");
        self.stream.ask::<IgnoredAny>(&what, &config).await?;
        Ok(())
    }

    /// Asks for messages; they come as messages of the connection.
    pub fn pull(&self) -> Result<Pull, Failed> {
        let api = &self.stream.api;
        let names = api.names();
        let number = api.number();
        let subject = format!(
            "$JS.API.CONSUMER.MSG.NEXT.{}.{}",
            names.mail_stream().0,
            names.runtime()
        );
        let expires = PULL_STANDS.as_nanos();
        let question = format!("{{\"batch\":{PULL_MESSAGES},\"expires\":{expires}}}");
        let reply = names.cluster_answer(number);
        api.publish(&subject, Some(&reply), &[], question.as_bytes())?;
        Ok(Pull { number })
    }

    /// Says that a message was taken; `reply` is what it came with.
    pub fn taken(&self, reply: &str) -> Result<(), Failed> {
        self.say(reply, b"+ACK")
    }

    /// Asks for a message again, in a minute.
    pub fn later(&self, reply: &str) -> Result<(), Failed> {
        self.say(reply, b"-NAK {\"delay\":60000000000}")
    }

    fn say(&self, reply: &str, word: &[u8]) -> Result<(), Failed> {
        let api = &self.stream.api;
        let (stream, name) = (
            api.names().mail_stream().0,
            api.names().runtime().to_owned(),
        );
        // Anything else would let a message have us publish elsewhere.
        let is_own = reply
            .strip_prefix("$JS.ACK.")
            .is_some_and(|rest| rest.contains(&format!("{stream}.{name}.")));
        if !is_own {
            return Ok(());
        }
        api.publish(reply, None, &[], word)
    }
}

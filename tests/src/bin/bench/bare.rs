//! Two bare clients of NATS: one asks, the other one answers, in a process of its own.

use std::process::{Child, Command, Stdio};
use std::time::Instant;

use async_nats::Client;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::runtime::Runtime;

use crate::numbers::{BODY_BYTES, DEPTH, microseconds, nanoseconds_since, number, percentile};
use crate::peers::{Started, end_with_parent};

const SUBJECT: &str = "bare";

/// The one that asks.
pub(crate) struct Bare {
    tokio: Runtime,
    client: Client,
    _echo: Started,
}

impl Bare {
    /// Connects both.
    pub(crate) fn start(url: &str) -> Self {
        let echo = echo(url);
        let tokio = runtime();
        let client = tokio
            .block_on(async_nats::connect(url))
            .expect("the server takes a client");
        let bare = Self {
            tokio,
            client,
            _echo: Started(echo),
        };
        let end = Instant::now() + std::time::Duration::from_secs(10);
        while bare.ask_once().is_none() {
            assert!(Instant::now() < end, "the other client does not answer");
            std::thread::park_timeout(std::time::Duration::from_millis(20));
        }
        bare
    }

    fn ask_once(&self) -> Option<()> {
        let asked = self.client.request(SUBJECT, body());
        self.tokio.block_on(asked).ok().map(|_| ())
    }

    /// The median of so many round trips, in microseconds.
    pub(crate) fn round_trip(&self, samples: usize) -> f64 {
        let trips = self.tokio.block_on(async {
            let mut trips = Vec::with_capacity(samples);
            for _ in 0..samples {
                let begin = Instant::now();
                let answer = self.client.request(SUBJECT, body()).await;
                answer.expect("an answer");
                trips.push(nanoseconds_since(begin));
            }
            trips
        });
        microseconds(percentile(&trips, 50))
    }

    /// Microseconds of one with many in flight.
    pub(crate) fn pipelined(&self, samples: usize) -> f64 {
        let begin = Instant::now();
        self.tokio.block_on(async {
            let ask = || self.client.request(SUBJECT, body());
            let first = DEPTH.min(samples);
            let mut asked = first;
            let mut open: FuturesUnordered<_> = (0..first).map(|_| ask()).collect();
            while let Some(answer) = open.next().await {
                answer.expect("an answer");
                if asked < samples {
                    asked += 1;
                    open.push(ask());
                }
            }
        });
        microseconds(nanoseconds_since(begin)) / number(samples as u64)
    }
}

fn body() -> Bytes {
    const BODY: &[u8] = &[b' '; BODY_BYTES];
    Bytes::from_static(BODY)
}

fn runtime() -> Runtime {
    let built = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    built.expect("a runtime for the client")
}

fn echo(url: &str) -> Child {
    let program = std::env::current_exe().expect("the bench knows its own program");
    let child = Command::new(program)
        .args(["bare-echo", url])
        .stdin(Stdio::null())
        .spawn();
    child.expect("the bench can start itself")
}

/// The one that answers.
pub(crate) fn answer(url: &str) {
    end_with_parent();
    runtime().block_on(async {
        let client = async_nats::connect(url)
            .await
            .expect("the server takes a client");
        let mut asked = client.subscribe(SUBJECT).await.expect("a subscription");
        while let Some(question) = asked.next().await {
            if let Some(reply) = question.reply {
                let answered = client.publish(reply, question.payload).await;
                answered.expect("an answer can be sent");
            }
        }
    });
}

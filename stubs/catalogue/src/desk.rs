//! What the core asks, in the order in which it comes; answers in the order in which they are ready.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol::Code;
use protocol::api::Valued;
use protocol::api::catalogue::remote::{Get, Head, More, TRANSFERS_MAX};
use protocol::message::{Message, MessageKind, Reply};
use sandbox_net::Network;
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::fetch::{self, Failure, Transfer, failure};

/// A transfer that nobody asks about for so long is given up.
const ABANDONED_AFTER: Duration = Duration::from_secs(30);

/// Answers that wait for the link: the core asks one thing at a time of each transfer.
const ANSWERS_MAX: usize = 4 * TRANSFERS_MAX;

/// One answer.
pub(crate) struct Said {
    pub(crate) id: u64,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) code: Code,
    pub(crate) body: Vec<u8>,
    /// A line for the log.
    pub(crate) line: Option<String>,
}

/// Where questions are taken. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Desk {
    network: Network,
    answers: mpsc::Sender<Said>,
    open: Arc<Mutex<Open>>,
}

#[derive(Default)]
struct Open {
    last: u64,
    // `None` while a part of it is being read.
    transfers: HashMap<u64, (Option<Transfer>, u64)>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Question {
    More(More),
    Get(Get),
}

impl Desk {
    pub(crate) fn new(network: Network) -> (Self, mpsc::Receiver<Said>) {
        let (answers, said) = mpsc::channel(ANSWERS_MAX);
        let open = Arc::default();
        let desk = Self {
            network,
            answers,
            open,
        };
        (desk, said)
    }

    /// Takes one question; the answer follows, once.
    pub(crate) fn take(&self, message: &Message<'_>) {
        let header = &message.header;
        let mut said = Said {
            id: header.id,
            from: header.from.to_owned(),
            to: header.to.to_owned(),
            code: Code::OK,
            body: Vec::new(),
            line: None,
        };
        let question = serde_json::from_slice(message.body);
        let (desk, kind) = (self.clone(), header.kind.as_str().to_owned());
        let wants_answer = header.reply != Reply::Unwanted;
        tokio::spawn(async move {
            let is_read = kind == MessageKind::Read.as_str();
            match question {
                Ok(Question::Get(get)) if is_read => desk.get(&get, &mut said).await,
                Ok(Question::More(more)) if is_read => desk.more(more, &mut said).await,
                Ok(Question::More(more)) => {
                    desk.open().transfers.remove(&more.transfer);
                    said.body = br#"{"code":200}"#.to_vec();
                }
                _ => said.failed(&failure(
                    Code::BAD_REQUEST,
                    "this is asked by nobody but the core",
                )),
            }
            if wants_answer {
                let _ = desk.answers.send(said).await;
            }
        });
    }

    async fn get(&self, get: &Get, said: &mut Said) {
        if self.open().transfers.len() >= TRANSFERS_MAX {
            let reason = format!("{TRANSFERS_MAX} transfers are open already");
            return said.failed(&failure(Code::BUSY, reason));
        }
        match fetch::get(&self.network, get).await {
            Ok((head, transfer)) => {
                let url = head.url.clone();
                let news = if transfer.is_some() {
                    "new"
                } else {
                    "unchanged"
                };
                said.line = Some(format!("{news}: {url}"));
                let transfer = transfer.map(|transfer| self.keep(transfer));
                said.value(Head { transfer, ..head });
            }
            Err(why) => {
                said.line = Some(format!("{}: {}", why.code, why.reason));
                said.failed(&why);
            }
        }
    }

    async fn more(&self, More { transfer: id }: More, said: &mut Said) {
        let taken = self
            .open()
            .transfers
            .get_mut(&id)
            .and_then(|(transfer, _)| transfer.take());
        let Some(mut transfer) = taken else {
            let reason = "there is no such transfer, or it is being read";
            return said.failed(&failure(Code::NOT_FOUND, reason));
        };
        let part = transfer.part().await;
        let mut open = self.open();
        match part {
            Ok(part) if part.is_empty() => {
                open.transfers.remove(&id);
            }
            Ok(part) => {
                // Given up meanwhile, it stays so.
                if let Some((place, uses)) = open.transfers.get_mut(&id) {
                    *place = Some(transfer);
                    *uses += 1;
                }
                said.body = part.to_vec();
            }
            Err(why) => {
                open.transfers.remove(&id);
                said.failed(&why);
            }
        }
    }

    fn keep(&self, transfer: Transfer) -> u64 {
        let mut open = self.open();
        open.last += 1;
        let id = open.last;
        open.transfers.insert(id, (Some(transfer), 0));
        drop(open);
        tokio::spawn(self.clone().watch(id));
        id
    }

    // Ends with the transfer, or ends it.
    async fn watch(self, id: u64) {
        let mut seen = 0;
        loop {
            tokio::time::sleep(ABANDONED_AFTER).await;
            let mut open = self.open();
            match open.transfers.get(&id) {
                Some((_, uses)) if *uses != seen => seen = *uses,
                Some(_) => drop(open.transfers.remove(&id)),
                None => return,
            }
        }
    }

    // A panic elsewhere leaves the table whole.
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Said {
    fn value(&mut self, head: Head) {
        let code = Code::OK.0;
        self.body = serde_json::to_vec(&Valued { code, value: head }).unwrap_or_default();
    }

    fn failed(&mut self, why: &Failure) {
        self.code = why.code;
        let body = serde_json::json!({
            "code": why.code.0, "desc": why.reason, "description": why.reason,
        });
        self.body = body.to_string().into_bytes();
    }
}

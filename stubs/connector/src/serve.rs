//! The loop: orders of the core in, sockets out.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;

use protocol::api::connections::Names as Told;
use protocol::dial::Transport;
use protocol::{Code, CoreFrame, HostFrame};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::AbortHandle;

use crate::job::{Failed, Job};
use crate::link::Link;
use crate::listen::Listener;
use crate::names::Names;

/// Jobs at one time, listeners included. The core's own bound is lower.
const JOBS_MAX: usize = 320;

/// Outcomes that wait to be told; who has one more waits.
const OUTCOMES_MAX: usize = 64;

/// What became of a job.
enum Outcome {
    Connected(u64, OwnedFd, String),
    Bound(u64, String),
    Accepted(u64, OwnedFd, String),
    Failed(u64, Failed),
}

struct Server {
    link: Link,
    names: Names,
    jobs: HashMap<u64, AbortHandle>,
    outcomes: Sender<Outcome>,
}

enum Turn {
    Again,
    Over,
}

/// Serves the core until it is gone.
pub(crate) async fn serve(link: Link) -> io::Result<()> {
    let (outcomes, mut told) = channel(OUTCOMES_MAX);
    let mut server = Server {
        link,
        names: Names::unknown(),
        jobs: HashMap::new(),
        outcomes,
    };
    loop {
        if matches!(server.obey()?, Turn::Over) || !server.turn(&mut told).await? {
            return Ok(());
        }
    }
}

impl Server {
    // False when the core is gone.
    async fn turn(&mut self, told: &mut Receiver<Outcome>) -> io::Result<bool> {
        tokio::select! {
            came = self.link.turn() => came,
            Some(outcome) = told.recv() => {
                self.tell(outcome)?;
                while let Ok(outcome) = told.try_recv() {
                    self.tell(outcome)?;
                }
                Ok(true)
            }
        }
    }

    fn obey(&mut self) -> io::Result<Turn> {
        while let Some(raw) = self.link.next()? {
            match CoreFrame::decode(raw).map_err(io::Error::other)? {
                CoreFrame::Start(start) => {
                    let component = start.address.to_owned();
                    let component = component.as_str();
                    self.link.say(&HostFrame::Loaded { component }, None)?;
                }
                CoreFrame::Connect(connect) => {
                    let job = Job::new(&connect);
                    self.begin(job)?;
                }
                CoreFrame::Disconnect { job } => {
                    if let Some(job) = self.jobs.remove(&job) {
                        job.abort();
                    }
                }
                CoreFrame::Deliver(message) => {
                    if let Ok(told) = serde_json::from_slice::<Told>(message.body) {
                        self.names = Names::of(&told);
                    }
                }
                CoreFrame::Ping { token } => self.link.say(&HostFrame::Pong { token }, None)?,
                CoreFrame::Stop { .. } => return Ok(Turn::Over),
                _ => {}
            }
        }
        Ok(Turn::Again)
    }

    fn begin(&mut self, job: Job) -> io::Result<()> {
        let number = job.number;
        if self.jobs.len() >= JOBS_MAX {
            let failed = Failed::new(Code::BUSY, "too many connections are being made");
            return self.tell(Outcome::Failed(number, failed));
        }
        let (names, outcomes) = (self.names.clone(), self.outcomes.clone());
        let task = match job.transport {
            Transport::Tcp | Transport::Udp => tokio::spawn(dial(job, names, outcomes)),
            Transport::Listen => tokio::spawn(listen(job, outcomes)),
        };
        self.jobs.insert(number, task.abort_handle());
        Ok(())
    }

    fn tell(&mut self, outcome: Outcome) -> io::Result<()> {
        match outcome {
            Outcome::Connected(job, socket, peer) => {
                self.jobs.remove(&job);
                let peer = peer.as_str();
                self.link
                    .say(&HostFrame::Connected { job, peer }, Some(socket))
            }
            Outcome::Bound(job, local) => {
                let local = local.as_str();
                self.link.say(&HostFrame::Bound { job, local }, None)
            }
            Outcome::Accepted(job, socket, peer) => {
                let peer = peer.as_str();
                self.link
                    .say(&HostFrame::Accepted { job, peer }, Some(socket))
            }
            Outcome::Failed(job, Failed { code, reason }) => {
                self.jobs.remove(&job);
                let reason = reason.as_str();
                let told = HostFrame::NotConnected { job, code, reason };
                self.link.say(&told, None)
            }
        }
    }
}

async fn dial(job: Job, names: Names, outcomes: Sender<Outcome>) {
    let outcome = match job.connect(&names).await {
        Ok((socket, peer)) => Outcome::Connected(job.number, socket, peer.to_string()),
        Err(failed) => Outcome::Failed(job.number, failed),
    };
    // Fails only when the loop has ended, and everything with it.
    let _ = outcomes.send(outcome).await;
}

async fn listen(job: Job, outcomes: Sender<Outcome>) {
    let failed = match Listener::open(&job) {
        Err(failed) => failed,
        Ok((mut listener, local)) => {
            let bound = Outcome::Bound(job.number, local.to_string());
            if outcomes.send(bound).await.is_err() {
                return;
            }
            accept(&job, &mut listener, &outcomes).await
        }
    };
    let _ = outcomes.send(Outcome::Failed(job.number, failed)).await;
}

async fn accept(job: &Job, listener: &mut Listener, outcomes: &Sender<Outcome>) -> Failed {
    loop {
        let accepted = listener.accept().await;
        let accepted = accepted.and_then(|(stream, peer)| Ok((stream.into_std()?, peer)));
        let outcome = match accepted {
            Ok((stream, peer)) => Outcome::Accepted(job.number, stream.into(), peer.to_string()),
            // The caller has gone before it was taken.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => return Failed::of(&format!("listen at `{}`", job.place()), &error),
        };
        if outcomes.send(outcome).await.is_err() {
            return Failed::new(Code::GONE, "the connector ends");
        }
    }
}

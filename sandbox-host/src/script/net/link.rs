//! What the network says to the core and hears from it, between two turns.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use protocol::Code;
use protocol::dial::{Dial as DialFrame, Transport};
use protocol::frame::HostFrame;
use protocol::limits::{DIAL_WAIT_MS, HOST_BYTES_MAX, ROOTS_BYTES_MAX};
use sandbox_net::{BoxStream, Dial, Dialling, NotDialled};
use tokio::sync::oneshot;

use super::executor::Host;
use super::stream::Granted;

type Outcome<T> = Result<T, NotDialled>;

/// Dials, hang-ups and roots on their way to the core, and who waits for an answer.
#[derive(Default)]
pub(super) struct LinkSide {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last: u64,
    asks: Vec<Ask>,
    dials: BTreeMap<u64, oneshot::Sender<Outcome<(OwnedFd, u64)>>>,
    roots: Vec<oneshot::Sender<Outcome<Vec<u8>>>>,
    // Of each open connection, where the reason goes when it is taken back.
    open: BTreeMap<u64, Arc<OnceLock<String>>>,
}

enum Ask {
    Dial {
        request: u64,
        component: String,
        host: String,
        port: u16,
    },
    Hangup(u64),
    Roots,
}

impl LinkSide {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what gathered.
    pub(super) fn say(&self, mut say: impl FnMut(&HostFrame<'_>)) {
        for ask in std::mem::take(&mut self.lock().asks) {
            match ask {
                Ask::Dial {
                    request,
                    component,
                    host,
                    port,
                } => say(&HostFrame::Dial(DialFrame {
                    component: &component,
                    request,
                    host: &host,
                    port,
                    transport: Transport::Tcp,
                    wait_ms: DIAL_WAIT_MS,
                })),
                Ask::Hangup(socket) => say(&HostFrame::Hangup { socket }),
                Ask::Roots => say(&HostFrame::TakeRoots),
            }
        }
    }

    /// A connection begins; its reason to end will be found there.
    pub(super) fn opened(&self, socket: u64) -> Arc<OnceLock<String>> {
        let revoked = Arc::default();
        self.lock().open.insert(socket, Arc::clone(&revoked));
        revoked
    }

    /// A connection was closed here.
    pub(super) fn closed(&self, socket: u64) {
        let mut state = self.lock();
        state.open.remove(&socket);
        state.asks.push(Ask::Hangup(socket));
    }

    /// The core has taken a connection back.
    pub(super) fn hungup(&self, socket: u64, reason: &str) {
        if let Some(revoked) = self.lock().open.get(&socket) {
            // The first reason is the reason.
            let _ = revoked.set(reason.to_owned());
        }
    }

    /// A dial came to a connection.
    pub(super) fn socket(&self, request: u64, socket: u64, descriptor: Option<OwnedFd>) {
        let waiting = self.lock().dials.remove(&request);
        let outcome = descriptor.map(|descriptor| (descriptor, socket));
        let outcome = outcome.ok_or_else(|| {
            not_dialled(
                Code::FAILED,
                "the connection did not arrive: as many are open as may be",
            )
        });
        let has_arrived = outcome.is_ok();
        let is_taken = waiting.is_some_and(|told| told.send(outcome).is_ok());
        if !(has_arrived && is_taken) {
            // It is nowhere, or whoever asked does not want it any more.
            self.closed(socket);
        }
    }

    /// A dial came to nothing.
    pub(super) fn not_dialled(&self, told: &protocol::dial::NotDialled<'_>) {
        if let Some(waiting) = self.lock().dials.remove(&told.request) {
            let mut not = not_dialled(told.code, told.reason);
            told.decision.clone_into(&mut not.decision);
            let _ = waiting.send(Err(not));
        }
    }

    /// The certificates came, or the reason why there are none.
    pub(super) fn roots(&self, outcome: Result<(u32, Option<OwnedFd>), &str>) {
        let pem = match outcome {
            Ok((bytes, Some(memory))) => read(&memory, bytes),
            Ok((_, None)) => Err("the certificates did not arrive".to_owned()),
            Err(reason) => Err(reason.to_owned()),
        };
        for waiting in std::mem::take(&mut self.lock().roots) {
            let outcome = pem.clone();
            let outcome = outcome.map_err(|reason| not_dialled(Code::UNAVAILABLE, &reason));
            let _ = waiting.send(outcome);
        }
    }
}

fn read(memory: &OwnedFd, bytes: u32) -> Result<Vec<u8>, String> {
    let bytes = bytes as usize;
    if bytes > ROOTS_BYTES_MAX {
        return Err("the certificates are longer than they may be".to_owned());
    }
    let mut pem = vec![0; bytes];
    let mut done = 0;
    while let Some(rest) = pem.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match rustix::io::pread(memory, rest, done as u64) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(format!("cannot read the certificates: {error}")),
        }
    }
    pem.truncate(done);
    Ok(pem)
}

fn not_dialled(code: Code, reason: &str) -> NotDialled {
    NotDialled {
        code,
        reason: reason.to_owned(),
        decision: String::new(),
    }
}

/// Dials for one component; what it is granted decides.
pub(super) struct Asking {
    pub(super) component: String,
    pub(super) link: Arc<LinkSide>,
    pub(super) host: Host,
}

impl Dial for Asking {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> Dialling<'a, BoxStream> {
        Box::pin(async move {
            if host.len() > HOST_BYTES_MAX {
                let reason = format!("a host's name has at most {HOST_BYTES_MAX} bytes");
                return Err(not_dialled(Code::BAD_REQUEST, &reason));
            }
            let (told, outcome) = oneshot::channel();
            {
                let mut state = self.link.lock();
                state.last += 1;
                let request = state.last;
                state.dials.insert(request, told);
                state.asks.push(Ask::Dial {
                    request,
                    component: self.component.clone(),
                    host: host.to_owned(),
                    port,
                });
            }
            let (descriptor, socket) = outcome.await.map_err(|_| ended())??;
            let (host, link) = (self.host.clone(), Arc::clone(&self.link));
            Ok(Box::new(Granted::new(descriptor, socket, host, link)) as BoxStream)
        })
    }

    fn roots(&self) -> Dialling<'_, Vec<u8>> {
        Box::pin(async move {
            let (told, outcome) = oneshot::channel();
            {
                let mut state = self.link.lock();
                if state.roots.is_empty() {
                    state.asks.push(Ask::Roots);
                }
                state.roots.push(told);
            }
            outcome.await.map_err(|_| ended())?
        })
    }
}

fn ended() -> NotDialled {
    not_dialled(Code::UNAVAILABLE, "the sandbox ends")
}

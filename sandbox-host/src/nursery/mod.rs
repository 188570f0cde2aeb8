//! # Nursery — the process that starts sandboxes
//!
//! It is small and has one thread, so that a fork costs microseconds where a
//! fork of the supervisor would cost milliseconds. The supervisor asks over
//! descriptor 0; when that ends, the nursery ends, and everything it started
//! dies with it: twice over, by `PDEATHSIG` and by `EXITKILL`.
//!
//! One turn of its loop: requests of the supervisor, words from the cradles,
//! ends of children. It never sleeps anywhere else.
//!
//! Not here: killing (the supervisor holds a pidfd), deciding when to start again.

mod birth;
mod cradle;
mod launch;
mod ledger;
mod places;
pub(crate) mod watch;
mod wire;

use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;

use nix::sys::prctl;
use nix::sys::signal::Signal;
use protocol::codec::read_datagram;
use protocol::nursery::{DATAGRAM_BYTES_MAX, Report, Request};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use rustix::process::{Pid, PidfdFlags, WaitOptions, WaitStatus, kill_process, pidfd_open, wait};
use rustix::stdio::stdin;

use self::cradle::BORN;
pub(crate) use self::cradle::Cradle;
use self::ledger::{Entry, LAMENT_BYTES_MAX, Ledger};
use self::places::{Places, children, close_leaked};
use self::watch::Stop;
use self::wire::{Came, receive, report};
use crate::lockdown::namespaces::{Network, Rooms};
use crate::lockdown::{Missing, Without};

/// `__WALL`: threads of a traced child are waited for as well.
const WAIT_ALL: u32 = 0x4000_0000;

/// Serves the supervisor until it is gone.
pub(crate) fn run(without: Without, network: Network) -> ExitCode {
    match Nursery::open(without, network).and_then(Nursery::serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("sandbox-host nursery: {e}");
            ExitCode::FAILURE
        }
    }
}

struct Nursery {
    without: Without,
    network: Network,
    places: Places,
    /// Made at the first launch that may reach L3.
    rooms: Option<Result<Rooms, Missing>>,
    ledger: Ledger,
}

enum Turn {
    Again,
    Over,
}

impl Nursery {
    fn open(without: Without, network: Network) -> rustix::io::Result<Self> {
        close_leaked();
        let failed = |e: nix::Error| Errno::from_raw_os_error(e as i32);
        prctl::set_pdeathsig(Signal::SIGKILL).map_err(failed)?;
        prctl::set_child_subreaper(true).map_err(failed)?;
        children().thread_block().map_err(failed)?;
        // A terminal's interrupt is the supervisor's business: it stops us in order.
        let _ = rustix::process::setsid();
        Ok(Self {
            without,
            network,
            places: Places::open()?,
            rooms: None,
            ledger: Ledger::default(),
        })
    }

    fn serve(mut self) -> rustix::io::Result<()> {
        loop {
            let (asked, ended, spoke) = self.wait()?;
            for sandbox in spoke {
                self.listen(sandbox)?;
            }
            if ended {
                while let Ok(Some(_)) = self.places.signals.read_signal() {}
                self.reap()?;
            }
            if asked && matches!(self.answer()?, Turn::Over) {
                return Ok(());
            }
        }
    }

    // Whether the supervisor asks, whether a child ended, and whose cradle speaks.
    fn wait(&self) -> rustix::io::Result<(bool, bool, Vec<u64>)> {
        let open = self
            .ledger
            .entries
            .iter()
            .filter_map(|(sandbox, entry)| Some((*sandbox, entry.cradle.as_ref()?)));
        let (speakers, cradles): (Vec<u64>, Vec<&OwnedFd>) = open.unzip();
        let supervisor = stdin();
        let mut polled = vec![
            PollFd::new(&supervisor, PollFlags::IN),
            PollFd::new(&self.places.signals, PollFlags::IN),
        ];
        polled.extend(
            cradles
                .iter()
                .map(|cradle| PollFd::new(*cradle, PollFlags::IN)),
        );
        match poll(&mut polled, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(e) => return Err(e),
        }
        let mut ready = polled.iter().map(|fd| !fd.revents().is_empty());
        let mut next = || ready.next().unwrap_or_default();
        let (asked, ended) = (next(), next());
        let spoke = ready
            .zip(speakers)
            .filter_map(|(ready, sandbox)| ready.then_some(sandbox))
            .collect();
        Ok((asked, ended, spoke))
    }

    // One request of the supervisor.
    fn answer(&mut self) -> rustix::io::Result<Turn> {
        let mut bytes = [0; DATAGRAM_BYTES_MAX];
        let (count, link) = match receive(&mut bytes)? {
            Came::Datagram(count, link) => (count, link),
            Came::Nothing => return Ok(Turn::Again),
            Came::End => return Ok(Turn::Over),
        };
        let request = read_datagram(bytes.get(..count).unwrap_or_default());
        let Request::Launch(launch) = request.map_err(|_| Errno::BADMSG)?;
        if let Err(reason) = self.launch(&launch, link) {
            not_launched(launch.sandbox, &reason)?;
        }
        Ok(Turn::Again)
    }

    // Hears what a child says in its cradle.
    fn listen(&mut self, sandbox: u64) -> rustix::io::Result<()> {
        while let Some(entry) = self.ledger.entries.get_mut(&sandbox) {
            let Some(cradle) = &entry.cradle else { break };
            let mut bytes = [0; 1024];
            match recv(cradle, &mut bytes, RecvFlags::DONTWAIT) {
                // It is locked, or it has died.
                Ok((0, _)) => entry.cradle = None,
                // It died before it read our word. The kernel tells that once, and
                // before what it said itself, which is still to be read.
                Err(Errno::CONNRESET) => {}
                Ok((count, _)) => match bytes.get(..count) {
                    Some(&[BORN, a, b, c, d]) => {
                        self.born(sandbox, i32::from_le_bytes([a, b, c, d]))?;
                    }
                    Some(text) if entry.lament.len() < LAMENT_BYTES_MAX => {
                        entry.lament.push_str(&String::from_utf8_lossy(text));
                    }
                    _ => {}
                },
                Err(Errno::AGAIN | Errno::INTR) => break,
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn born(&mut self, sandbox: u64, pid: i32) -> rustix::io::Result<()> {
        self.ledger.born(sandbox, pid);
        let Some(entry) = self.ledger.entries.get_mut(&sandbox) else {
            return Ok(());
        };
        entry.traced = entry.traced || watch::begin(pid);
        let process = Pid::from_raw(pid).ok_or(Errno::INVAL)?;
        let pidfd = pidfd_open(process, PidfdFlags::empty())?;
        report(
            &Report::Launched {
                sandbox,
                pid: pid.cast_unsigned(),
            },
            Some(pidfd.as_fd()),
        )?;
        entry.encourage()
    }

    // Takes note of every child that stopped or ended.
    //
    // Every child of this process is a sandbox or was one's parent, so nobody
    // else's exit status is taken away by waiting for any.
    fn reap(&mut self) -> rustix::io::Result<()> {
        let options = WaitOptions::NOHANG | WaitOptions::from_bits_retain(WAIT_ALL);
        loop {
            match wait(options) {
                Ok(Some((pid, status))) => self.happened(pid.as_raw_nonzero().get(), status)?,
                Ok(None) | Err(Errno::CHILD) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(e) => return Err(e),
            }
        }
    }

    fn happened(&mut self, pid: i32, status: WaitStatus) -> rustix::io::Result<()> {
        let sandbox = self.ledger.sandbox_of(pid);
        if status.stopped() {
            match (watch::answer(pid, status, &self.places.processes), sandbox) {
                (Stop::Forbidden(number), Some(sandbox)) => {
                    self.kill(sandbox, |entry| {
                        entry.syscall = entry.syscall.or(Some(number));
                    });
                }
                (Stop::Fatal { signal, starved }, Some(sandbox)) => {
                    self.kill(sandbox, |entry| {
                        entry.signal = entry.signal.or(Some(signal));
                        entry.starved |= starved;
                    });
                }
                (Stop::Thread(thread), Some(sandbox)) => self.ledger.thread(sandbox, thread),
                _ => {}
            }
            return Ok(());
        }
        match sandbox {
            Some(sandbox) => self.ended(sandbox, pid, status),
            None => Ok(()),
        }
    }

    // Ends a sandbox after noting what for.
    fn kill(&mut self, sandbox: u64, note: impl FnOnce(&mut Entry)) {
        let Some(entry) = self.ledger.entries.get_mut(&sandbox) else {
            return;
        };
        note(entry);
        if let Some(process) = entry.own.and_then(Pid::from_raw) {
            // It fails only when the process is dead, which is what was wanted.
            let _ = kill_process(process, rustix::process::Signal::KILL);
        }
    }

    fn ended(&mut self, sandbox: u64, pid: i32, status: WaitStatus) -> rustix::io::Result<()> {
        // What it said last may still be unread.
        self.listen(sandbox)?;
        let Some(entry) = self.ledger.entries.get_mut(&sandbox) else {
            return Ok(());
        };
        if entry.own == Some(pid) {
            return match self.ledger.remove(sandbox) {
                Some(entry) => report(
                    &Report::Exited {
                        sandbox,
                        exit: entry.exit(status),
                    },
                    None,
                ),
                None => Ok(()),
            };
        }
        if entry.first == pid && entry.own.is_none() {
            let lament = self
                .ledger
                .remove(sandbox)
                .map(|entry| entry.lament)
                .unwrap_or_default();
            let reason = if lament.is_empty() {
                "it ended before it could start"
            } else {
                &lament
            };
            return not_launched(sandbox, reason);
        }
        if entry.first == pid {
            entry.adopted = true;
            entry.encourage()?;
        }
        self.ledger.forget_process(pid);
        Ok(())
    }
}

fn not_launched(sandbox: u64, reason: &str) -> rustix::io::Result<()> {
    report(&Report::NotLaunched { sandbox, reason }, None)
}

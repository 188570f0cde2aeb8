//! The second thread: everything that may wait for a disk, a signal or a caller.
//!
//! It runs a small asynchronous runtime. Files are read and rules compiled on one
//! more thread behind it, one after the other, so that a slow disk delays neither
//! a signal nor a connection, and the bus least of all.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, sync_channel};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::chores::Chores;
use super::endpoint;
use super::inbox::{Arrival, Gone, Letterbox};
use crate::event::{Event, Job};

/// Starts the thread; when this returns, the endpoint accepts.
///
/// Jobs go in by the sender; its queue is bounded by the core, which waits for
/// each ticket.
pub fn start(
    socket: PathBuf,
    chores: Chores,
    letterbox: Letterbox,
) -> io::Result<UnboundedSender<Job>> {
    let (jobs, queue) = unbounded_channel();
    let (ready, is_ready) = sync_channel(1);
    let run = move || match open(&socket) {
        Ok((runtime, open)) => {
            let _ = ready.send(Ok(()));
            drop(ready);
            runtime.block_on(serve(open, queue, chores, letterbox));
        }
        Err(error) => refuse(&ready, error),
    };
    std::thread::Builder::new()
        .name("world".into())
        .spawn(run)?;
    is_ready.recv().map_err(io::Error::other)??;
    Ok(jobs)
}

fn refuse(ready: &SyncSender<io::Result<()>>, error: io::Error) {
    // The other side waits for exactly this.
    let _ = ready.send(Err(error));
}

/// What can fail, done before anybody is told that all is ready.
struct Open {
    listener: interprocess::local_socket::tokio::Listener,
    signals: [(Signal, Reaction); 3],
}

#[derive(Clone, Copy)]
enum Reaction {
    Stop(&'static str),
    Reload,
}

fn open(socket: &std::path::Path) -> io::Result<(Runtime, Open)> {
    let runtime = Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .max_blocking_threads(1)
        .build()?;
    let inside = runtime.enter();
    // Whoever started us may ignore the end of children, and that is inherited:
    // our waits would fail, and the nursery's too. A handler is not inherited,
    // so having had one is enough.
    drop(signal(SignalKind::child())?);
    let listener = endpoint::bind(socket)?;
    let signals = [
        (signal(SignalKind::terminate())?, Reaction::Stop("SIGTERM")),
        (signal(SignalKind::interrupt())?, Reaction::Stop("SIGINT")),
        (signal(SignalKind::hangup())?, Reaction::Reload),
    ];
    drop(inside);
    Ok((runtime, Open { listener, signals }))
}

async fn serve(open: Open, jobs: UnboundedReceiver<Job>, chores: Chores, letterbox: Letterbox) {
    for (signal, reaction) in open.signals {
        tokio::spawn(hear(signal, reaction, letterbox.clone()));
    }
    tokio::spawn(endpoint::serve(open.listener, letterbox.clone()));
    work(jobs, chores, letterbox).await;
}

async fn hear(mut signal: Signal, reaction: Reaction, letterbox: Letterbox) {
    while signal.recv().await.is_some() {
        let arrival = match reaction {
            Reaction::Stop(why) => Arrival::StopAsked(why),
            Reaction::Reload => Arrival::Happened(Event::ReloadAsked),
        };
        if letterbox.put(arrival) == Err(Gone) {
            return;
        }
    }
}

// Ends when the loop does: then nobody can ask for more.
async fn work(mut jobs: UnboundedReceiver<Job>, chores: Chores, letterbox: Letterbox) {
    let here = Handle::current();
    while let Some(job) = jobs.recv().await {
        let (chores, letterbox) = (chores.clone(), letterbox.clone());
        here.spawn_blocking(move || {
            if let Some(event) = chores.act(job) {
                // Fails only when the loop is gone.
                let _ = letterbox.put(Arrival::Happened(event));
            }
        });
    }
}

//! The supervisor's own log, on stderr.
//!
//! Written by a thread of its own: a terminal that is stopped or a pipe that
//! nobody reads must not stop the bus. When that thread cannot follow, lines are
//! lost and counted.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::config::LogSpec;

/// Lines that may wait; a burst at start is some dozens.
const LINES_MAX: usize = 4096;

/// How long the end of the process waits for the last lines, in milliseconds.
const LAST_LINES_MS: u64 = 200;

enum Line {
    Text(Vec<u8>),
    Flush(SyncSender<()>),
}

#[derive(Clone)]
struct Writer {
    lines: SyncSender<Line>,
    lost: Arc<AtomicU64>,
}

static WRITER: OnceLock<Writer> = OnceLock::new();

/// Begins to log; an error when the filter cannot be understood.
pub fn start(spec: &LogSpec) -> Result<(), String> {
    let filter = EnvFilter::try_new(&spec.filter)
        .map_err(|error| format!("`{}` is no log filter: {error}", spec.filter))?;
    let (sender, lines) = sync_channel(LINES_MAX);
    let lost = Arc::new(AtomicU64::new(0));
    let writer = WRITER.get_or_init(|| Writer {
        lines: sender,
        lost: Arc::clone(&lost),
    });
    let thread = std::thread::Builder::new().name("log".into());
    thread
        .spawn(move || write(&lines, &lost))
        .map_err(|error| format!("cannot start the log's thread: {error}"))?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer.clone())
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()));
    if spec.is_json {
        subscriber.json().init();
    } else {
        subscriber.init();
    }
    Ok(())
}

/// Waits a moment for lines that are not out yet; to be called before the end.
pub fn finish() {
    let Some(writer) = WRITER.get() else { return };
    let (done, written) = sync_channel(1);
    if writer.lines.try_send(Line::Flush(done)).is_ok() {
        let _: Result<(), RecvTimeoutError> =
            written.recv_timeout(Duration::from_millis(LAST_LINES_MS));
    }
}

// A log that cannot be written is lost; there is nowhere to say so.
fn write(lines: &Receiver<Line>, lost: &AtomicU64) {
    while let Ok(line) = lines.recv() {
        match line {
            Line::Text(text) => {
                let _ = io::stderr().write_all(&text);
            }
            Line::Flush(done) => {
                let _ = done.try_send(());
            }
        }
        let missing = lost.swap(0, Ordering::Relaxed);
        if missing > 0 {
            let _ = writeln!(io::stderr(), "{missing} log lines were lost here");
        }
    }
}

impl<'a> MakeWriter<'a> for Writer {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

// `tracing` writes each line whole, in one call.
impl Write for Writer {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if self.lines.try_send(Line::Text(text.to_vec())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

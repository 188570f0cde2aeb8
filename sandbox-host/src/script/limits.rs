//! What one sandbox's scripts may use, each with its reason.

use std::time::Duration;

/// The bounds of one engine.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Heap of the engine. The largest published bundle needs 1.4 MB.
    pub memory_bytes: usize,
    /// C stack of the engine: half of the 8 MB that a main thread has, because
    /// a limit beyond the real stack ends in an abort instead of a `RangeError`.
    pub stack_bytes: usize,
    /// Growth of the heap after which cycles are looked for.
    pub garbage_bytes: usize,
    /// One call into a component: a listener, a timer, a microtask. Time that
    /// was computed, as that of loading.
    pub turn: Duration,
    /// One stage of loading. Evaluating the largest published bundle takes
    /// 20 ms on an idle machine.
    pub load: Duration,
    /// Microtasks in a row before the link is looked at again.
    pub jobs_per_turn: usize,
    /// Bytes waiting for the core, beyond which `postMessage` throws: they are
    /// the host's memory, not the engine's.
    pub outbox_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 64 << 20,
            stack_bytes: 4 << 20,
            garbage_bytes: 512 << 10,
            turn: Duration::from_millis(250),
            load: Duration::from_secs(1),
            jobs_per_turn: 10_000,
            outbox_bytes: 8 << 20,
        }
    }
}

impl Limits {
    /// The limits for the main thread of this process.
    ///
    /// A user may have a smaller stack than usual.
    pub fn of_main_thread() -> Self {
        let mut limits = Self::default();
        let real = rustix::process::getrlimit(rustix::process::Resource::Stack).current;
        if let Some(half) = real.and_then(|bytes| usize::try_from(bytes / 2).ok()) {
            limits.stack_bytes = limits.stack_bytes.min(half);
        }
        limits
    }
}

/// Timers that components may have armed at once, unless the order says otherwise.
pub(super) const TIMERS_MAX: u32 = 10_000;

/// Interrupted listeners of one message before the rest of them is given up.
pub(super) const INTERRUPTIONS_MAX: usize = 16;

/// Bytes of a failure's reason; more does not help a reader.
pub(super) const REASON_BYTES_MAX: usize = 1024;

/// Bytes of a stack. A frame's header has room for both.
pub(super) const STACK_BYTES_MAX: usize = 4096;

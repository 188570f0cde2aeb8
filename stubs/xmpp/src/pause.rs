//! The pauses between connections.

use aws_lc_rs::rand;
use stub_xmpp::limits::{PAUSE_MS, PAUSE_MS_MAX, PAUSE_MS_REFUSED, STEADY_MS};

/// They double, and half of each is random: those who lost a server in one moment do
/// not come back in one.
#[derive(Debug, Default)]
pub(crate) struct Pause {
    until: u64,
    length: u64,
    open_since: Option<u64>,
}

impl Pause {
    /// When the next connection may be made, in milliseconds.
    pub(crate) const fn until(&self) -> u64 {
        self.until
    }

    /// Whether it may be made now.
    pub(crate) const fn is_over(&self, now: u64) -> bool {
        self.until <= now
    }

    /// There is a session.
    pub(crate) const fn opened(&mut self, now: u64) {
        self.open_since = Some(now);
    }

    /// There is none any more, or none came about.
    pub(crate) fn lost(&mut self, now: u64, is_lasting: bool) {
        let since = self.open_since.take();
        if since.is_some_and(|since| since + STEADY_MS <= now) {
            self.length = 0;
        }
        self.length = match self.length {
            0 => PAUSE_MS,
            length => (length * 2).min(PAUSE_MS_MAX),
        };
        let length = if is_lasting {
            PAUSE_MS_REFUSED
        } else {
            self.length
        };
        self.until = now + length / 2 + chance(length / 2);
    }
}

// From 0 to `most`; without randomness, none.
fn chance(most: u64) -> u64 {
    let mut bytes = [0; 8];
    let is_random = rand::fill(&mut bytes).is_ok();
    if is_random {
        u64::from_le_bytes(bytes) % (most + 1)
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute_and_begin_anew_after_steady_seconds() {
        let mut pause = Pause::default();
        let length = |pause: &Pause, now: u64| pause.until() - now;

        for expected in [500, 1_000, 2_000, 4_000] {
            pause.opened(0);
            pause.lost(STEADY_MS - 1, false);
            assert!((expected / 2..=expected).contains(&length(&pause, STEADY_MS - 1)));
        }
        for _ in 0..100 {
            pause.lost(0, false);
        }
        assert!((PAUSE_MS_MAX / 2..=PAUSE_MS_MAX).contains(&length(&pause, 0)));
        pause.opened(0);
        pause.lost(STEADY_MS, false);
        assert!(length(&pause, STEADY_MS) <= PAUSE_MS);
        pause.lost(0, true);
        assert!(length(&pause, 0) >= PAUSE_MS_REFUSED / 2);
    }
}

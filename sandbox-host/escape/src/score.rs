//! How many were held.

use serde::Serialize;

use crate::verdict::Verdict;

/// The counts of one run.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Score {
    /// Cases that were asked for.
    pub(crate) cases: usize,
    /// Nothing was touched.
    pub(crate) held: usize,
    /// Of these, the ones that get through when nothing holds them, as was tried.
    pub(crate) proved: usize,
    /// Known not to be held at this level.
    pub(crate) gaps: usize,
    /// Got through.
    pub(crate) escaped: usize,
    /// Not tried.
    pub(crate) skipped: usize,
    /// Could not be judged.
    pub(crate) broken: usize,
    /// Resident bytes and descriptors of the core, before and after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) core: Option<((u64, usize), (u64, usize))>,
}

impl Score {
    /// Counts one case, and what its control said.
    pub(crate) fn count(&mut self, verdict: &Verdict, control: Option<&str>) {
        self.cases += 1;
        match verdict {
            Verdict::Held(_) => {
                self.held += 1;
                self.proved += usize::from(control == Some("gets through"));
            }
            Verdict::Gap(_) => self.gaps += 1,
            Verdict::Escaped(_) => self.escaped += 1,
            Verdict::Skipped(_) => self.skipped += 1,
            Verdict::Broken(_) => self.broken += 1,
        }
    }

    /// Whether nothing got through that was not known, and everything was judged.
    pub(crate) const fn is_good(&self) -> bool {
        self.escaped == 0 && self.broken == 0
    }
}

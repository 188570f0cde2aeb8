//! Medians, percentiles and time.

use std::time::Instant;

/// Bytes of a body.
pub(crate) const BODY_BYTES: usize = 512;

/// Requests in flight when pipelined.
pub(crate) const DEPTH: usize = 64;

/// Since then.
pub(crate) fn nanoseconds_since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// The value below which so many percent of them are.
pub(crate) fn percentile(values: &[u64], percent: usize) -> u64 {
    let mut values = values.to_vec();
    values.sort_unstable();
    let last = values.len().saturating_sub(1);
    values
        .get(last * percent / 100)
        .copied()
        .unwrap_or_default()
}

/// The one in the middle; 0 of none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// A count as a number to calculate with.
// Nothing here comes near 2^53.
#[allow(clippy::cast_precision_loss)]
pub(crate) const fn number(count: u64) -> f64 {
    count as f64
}

/// Nanoseconds as microseconds.
pub(crate) const fn microseconds(nanoseconds: u64) -> f64 {
    number(nanoseconds) / 1e3
}

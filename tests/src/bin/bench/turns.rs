//! Sides that take turns, and which of their samples count.

use crate::quiet::{Place, Watch};
use crate::table::Table;

/// Below so many undisturbed samples the disturbed ones count as well.
const CLEAN_MIN: usize = 3;

/// What one side came to in its turns.
pub(crate) type Samples<T> = Vec<T>;

/// Lets every side take its turn, round after round.
pub(crate) fn take_turns<T>(
    table: &mut Table,
    place: Place,
    rounds: usize,
    sides: usize,
    mut turn: impl FnMut(usize) -> T,
) -> Vec<Samples<T>> {
    let mut clean: Vec<Samples<T>> = (0..sides).map(|_| Vec::new()).collect();
    let mut disturbed: Vec<Samples<T>> = (0..sides).map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for side in 0..sides {
            let watch = Watch::start(place);
            let sample = turn(side);
            let samples = if watch.was_disturbed() {
                &mut disturbed
            } else {
                &mut clean
            };
            samples[side].push(sample);
        }
    }
    table.samples.0 += rounds * sides;
    for (clean, disturbed) in clean.iter_mut().zip(disturbed) {
        table.samples.1 += disturbed.len();
        if clean.len() < CLEAN_MIN.min(rounds) {
            clean.extend(disturbed);
        }
    }
    clean
}

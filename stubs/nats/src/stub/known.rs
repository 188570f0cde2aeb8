//! What was looked up and is remembered for a while, and who waits for it.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::limits::KNOWN_MAX;

/// Answers by address. Bounded: the oldest half goes when it is full.
#[derive(Debug)]
pub(super) struct Known<T, W> {
    places: HashMap<Rc<str>, Place<T, W>>,
}

#[derive(Debug)]
enum Place<T, W> {
    Asking(Vec<W>),
    Found { value: T, until: Instant },
}

/// What is known of an address.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look<T> {
    /// This.
    Found(T),
    /// Somebody asks already.
    Asking,
    /// Nothing: it has to be asked for.
    Nothing,
}

impl<T, W> Default for Known<T, W> {
    fn default() -> Self {
        let places = HashMap::new();
        Self { places }
    }
}

impl<T: Clone, W> Known<T, W> {
    pub(super) fn look(&self, name: &str, now: Instant) -> Look<T> {
        match self.places.get(name) {
            Some(Place::Found { value, until }) if *until > now => Look::Found(value.clone()),
            Some(Place::Asking(_)) => Look::Asking,
            Some(Place::Found { .. }) | None => Look::Nothing,
        }
    }

    /// Somebody waits for an answer; true when it has to be asked for now.
    pub(super) fn wait(&mut self, name: &str, waiting: W) -> bool {
        if let Some(Place::Asking(all)) = self.places.get_mut(name) {
            all.push(waiting);
            return false;
        }
        self.make_room();
        self.places
            .insert(name.into(), Place::Asking(vec![waiting]));
        true
    }

    /// The answer came; those who waited for it, in the order in which they came.
    pub(super) fn found(&mut self, name: &str, value: T, keep: Duration) -> Vec<W> {
        let until = Instant::now() + keep;
        let place = Place::Found { value, until };
        match self.places.insert(name.into(), place) {
            Some(Place::Asking(all)) => all,
            Some(Place::Found { .. }) | None => Vec::new(),
        }
    }

    /// There is no answer; those who waited for one.
    pub(super) fn failed(&mut self, name: &str) -> Vec<W> {
        match self.places.remove(name) {
            Some(Place::Asking(all)) => all,
            Some(Place::Found { .. }) | None => Vec::new(),
        }
    }

    /// What was found is not true any more.
    pub(super) fn forget(&mut self, name: &str) {
        if let Some(Place::Found { .. }) = self.places.get(name) {
            self.places.remove(name);
        }
    }

    /// Nothing that was found is true any more; who waits goes on waiting.
    pub(super) fn forget_all(&mut self) {
        self.places
            .retain(|_, place| matches!(place, Place::Asking(_)));
    }

    fn make_room(&mut self) {
        if self.places.len() < KNOWN_MAX {
            return;
        }
        let now = Instant::now();
        let is_good = |place: &Place<T, W>| match place {
            Place::Asking(_) => true,
            Place::Found { until, .. } => *until > now,
        };
        self.places.retain(|_, place| is_good(place));
        let mut keep = false;
        if self.places.len() >= KNOWN_MAX {
            self.places.retain(|_, place| {
                keep = !keep;
                keep || matches!(place, Place::Asking(_))
            });
        }
    }
}

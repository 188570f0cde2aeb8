//! The schemas that were read lately.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::shape::Shape;

/// Schemas that are remembered: as many as a runtime has kinds of objects.
const SHAPES_MAX: usize = 256;
/// How long a schema is not read again: who edits one sees it within a minute.
const REMEMBERED_FOR: Duration = Duration::from_mins(1);

/// Nobody has looked for a schema lately.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NotRead;

/// Schemas by their URLs; `None` for one that no catalogue has.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    by_url: BTreeMap<String, (Option<Arc<Shape>>, Duration)>,
}

impl Shapes {
    /// A schema that was read lately.
    pub(crate) fn get(&self, url: &str, now: Duration) -> Result<Option<Arc<Shape>>, NotRead> {
        match self.by_url.get(url) {
            Some((shape, since)) if now.saturating_sub(*since) < REMEMBERED_FOR => {
                Ok(shape.clone())
            }
            _ => Err(NotRead),
        }
    }

    /// Remembers a schema.
    pub(crate) fn put(&mut self, url: &str, shape: Option<Arc<Shape>>, now: Duration) {
        if self.by_url.len() >= SHAPES_MAX {
            self.by_url.clear();
        }
        self.by_url.insert(url.to_owned(), (shape, now));
    }
}

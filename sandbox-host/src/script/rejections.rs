//! Promises that were rejected while nobody listened.
//!
//! A rejection counts only when nobody has handled it at the end of the turn.

use rquickjs::{Ctx, Persistent, Value};

/// Each keeps its promise alive; a flood of them says the same over and over.
const REJECTIONS_MAX: usize = 100;

/// What was rejected and has no handler yet.
#[derive(Default)]
pub(super) struct Rejections {
    open: Vec<Rejection>,
}

struct Rejection {
    promise: Persistent<Value<'static>>,
    reason: Persistent<Value<'static>>,
}

impl Rejections {
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// A promise was rejected, or a handler came for one that had been.
    pub(super) fn note<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        promise: Value<'js>,
        reason: Value<'js>,
        is_handled: bool,
    ) {
        if is_handled {
            self.open.retain(|known| {
                let known = known.promise.clone().restore(ctx);
                known.is_ok_and(|known| known != promise)
            });
        } else if self.open.len() < REJECTIONS_MAX {
            let promise = Persistent::save(ctx, promise);
            let reason = Persistent::save(ctx, reason);
            self.open.push(Rejection { promise, reason });
        }
    }

    /// The reasons, in order.
    pub(super) fn reasons<'js>(self, ctx: &Ctx<'js>) -> Vec<Value<'js>> {
        let open = self.open.into_iter();
        open.filter_map(|rejection| rejection.reason.restore(ctx).ok())
            .collect()
    }
}

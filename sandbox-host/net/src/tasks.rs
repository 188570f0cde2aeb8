//! What drives connections: a place for tasks, and a clock.
//!
//! Nothing here knows of a reactor. Native components hand in [`Tokio`]; the
//! script host, which has one thread and four system calls for it, hands in its own.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// Something that runs until it is done.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A place for tasks, and a clock.
pub trait Tasks: Send + Sync + 'static {
    /// Runs a task beside the others.
    fn spawn(&self, task: Task);

    /// Is done after so long.
    fn sleep(&self, time: Duration) -> Task;
}

/// Tasks of the tokio runtime that is current where they are made.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tokio;

impl Tasks for Tokio {
    fn spawn(&self, task: Task) {
        tokio::spawn(task);
    }

    fn sleep(&self, time: Duration) -> Task {
        Box::pin(tokio::time::sleep(time))
    }
}

/// Waits for `act`, but no longer than `time`; `None` when that is over.
pub(crate) async fn within<T>(
    tasks: &dyn Tasks,
    time: Duration,
    act: impl Future<Output = T>,
) -> Option<T> {
    let mut act = pin!(act);
    let mut sleep = tasks.sleep(time);
    poll_fn(|cx| {
        if let Poll::Ready(done) = act.as_mut().poll(cx) {
            return Poll::Ready(Some(done));
        }
        sleep.as_mut().poll(cx).map(|()| None)
    })
    .await
}

/// Lets hyper run what an HTTP/2 connection needs.
#[derive(Clone)]
pub(crate) struct Spawner(pub(crate) Arc<dyn Tasks>);

impl<F> hyper::rt::Executor<F> for Spawner
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        self.0.spawn(Box::pin(task));
    }
}

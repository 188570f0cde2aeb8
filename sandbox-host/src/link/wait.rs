//! The one place where a sandbox sleeps.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::{LinkError, link};
use crate::script::Wanted;

// Whether the link can be read; what is there of the others stands in their flags.
pub(super) fn poll_all(
    timeout: Option<Duration>,
    others: &mut [Wanted],
) -> Result<bool, LinkError> {
    let descriptor = link();
    let mut all = vec![PollFd::new(&descriptor, PollFlags::IN)];
    let fds = others
        .iter()
        .map(|other| PollFd::new(&*other.descriptor, other.flags));
    all.extend(fds);
    let polled = poll(&mut all, timespec(timeout).as_ref());
    let found: Vec<PollFlags> = all.iter().map(PollFd::revents).collect();
    match polled {
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let none = polled.is_err();
    let mut found = found
        .into_iter()
        .map(|flags| if none { PollFlags::empty() } else { flags });
    let link_came = found.next().is_some_and(|flags| !flags.is_empty());
    for (other, flags) in others.iter_mut().zip(found) {
        other.flags = flags;
    }
    Ok(link_came)
}

fn timespec(timeout: Option<Duration>) -> Option<Timespec> {
    timeout.map(|time| Timespec {
        tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(time.subsec_nanos()),
    })
}

// `false` when the time is over; an interruption counts as that.
pub(super) fn sleep_until(flags: PollFlags, timeout: Option<Duration>) -> Result<bool, LinkError> {
    let descriptor = link();
    let timeout = timespec(timeout);
    match poll(&mut [PollFd::new(&descriptor, flags)], timeout.as_ref()) {
        Ok(count) => Ok(count > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

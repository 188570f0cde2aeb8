//! A connected descriptor as a stream, moved by four system calls.

use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, Shutdown, recv, send, shutdown};
use sandbox_net::{Task, Tasks};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::executor::{Host, Reactor, Way};
use super::link::LinkSide;

/// How long an end waits for the reason of it.
///
/// A connection that the core takes back is shut first, and the frame that tells
/// why comes a moment later.
const REASON_WAIT: Duration = Duration::from_millis(10);

/// One granted connection. Dropped, it is closed, and the core told so.
pub(super) struct Granted {
    id: u64,
    descriptor: Option<Arc<OwnedFd>>,
    socket: u64,
    host: Host,
    link: Arc<LinkSide>,
    /// Why the core has taken it back.
    revoked: Arc<OnceLock<String>>,
    patience: Option<Task>,
}

impl Granted {
    pub(super) fn new(descriptor: OwnedFd, socket: u64, host: Host, link: Arc<LinkSide>) -> Self {
        Self {
            id: host.0.number(),
            descriptor: Some(Arc::new(descriptor)),
            revoked: link.opened(socket),
            socket,
            host,
            link,
            patience: None,
        }
    }

    fn reactor(&self) -> &Reactor {
        &self.host.0
    }

    /// Calls the system until it would have to wait.
    fn act<T>(
        &self,
        cx: &Context<'_>,
        way: Way,
        mut call: impl FnMut(&OwnedFd) -> Result<T, Errno>,
    ) -> Poll<io::Result<T>> {
        let Some(descriptor) = &self.descriptor else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        if !self.reactor().may_move(cx.waker()) {
            return Poll::Pending;
        }
        loop {
            match call(descriptor) {
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    self.reactor().want(self.id, descriptor, way, cx.waker());
                    return Poll::Pending;
                }
                outcome => return Poll::Ready(outcome.map_err(io::Error::from)),
            }
        }
    }

    /// What an end or a failure means: the core may have caused it.
    fn poll_why(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Error>> {
        if self.revoked.get().is_none() {
            let host = &self.host;
            let patience = self.patience.get_or_insert_with(|| host.sleep(REASON_WAIT));
            if patience.as_mut().poll(cx).is_pending() {
                // The frame wakes nobody; the wait is short.
                return Poll::Pending;
            }
        }
        let reason = self.revoked.get().cloned();
        Poll::Ready(reason.map(|why| io::Error::new(io::ErrorKind::ConnectionAborted, why)))
    }
}

impl Drop for Granted {
    fn drop(&mut self) {
        self.host.0.forget(self.id);
        self.descriptor = None;
        self.link.closed(self.socket);
    }
}

impl AsyncRead for Granted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let read = ready!(self.act(cx, Way::In, |descriptor| {
            let target = buffer.initialize_unfilled();
            recv(descriptor, target, RecvFlags::DONTWAIT).map(|(count, _)| count)
        }));
        match read {
            Ok(count) if count > 0 => {
                self.reactor().moved(count);
                buffer.advance(count);
                Poll::Ready(Ok(()))
            }
            ended => match ready!(self.poll_why(cx)) {
                Some(revoked) => Poll::Ready(Err(revoked)),
                None => Poll::Ready(ended.map(|_| ())),
            },
        }
    }
}

impl AsyncWrite for Granted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(self.act(cx, Way::Out, |descriptor| {
            send(descriptor, bytes, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)
        }));
        match written {
            Ok(count) => {
                self.reactor().moved(count);
                Poll::Ready(Ok(count))
            }
            Err(error) => match ready!(self.poll_why(cx)) {
                Some(revoked) => Poll::Ready(Err(revoked)),
                None => Poll::Ready(Err(error)),
            },
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(descriptor) = &self.descriptor else {
            return Poll::Ready(Ok(()));
        };
        match shutdown(descriptor, Shutdown::Write) {
            Ok(()) | Err(Errno::NOTCONN) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(Err(error.into())),
        }
    }
}

//! Sockets of the network, over a blocking link.

use std::os::fd::AsFd;
use std::time::Duration;

use super::Link;
use super::socket::deadline;
use crate::client::dials::Dials;
use crate::client::{Connection, Dialled, Error, Failure, Listener, Place, room};
use crate::dial::Transport;

impl<S: AsFd> Link<S> {
    /// Dials a host and waits for the connection.
    ///
    /// What else arrives meanwhile stays in line for [`Self::recv`]. For several at
    /// a time: [`Outbox::dial`](crate::client::Outbox::dial). [`Error::Answered`]
    /// tells why there is none: 403 when it is not granted, with the decision.
    pub fn dial(&mut self, place: Place<'_>, within: Duration) -> Result<Connection, Error> {
        match self.dialled(place, within)? {
            Dialled::Connection(connection) => Ok(connection),
            Dialled::Listener(_) => Err(Error::Unexpected("a listener for a dial")),
        }
    }

    /// Listens at an address of this machine; port 0 for any.
    pub fn listen_at(
        &mut self,
        host: &str,
        port: u16,
        within: Duration,
    ) -> Result<Listener, Error> {
        let transport = Transport::Listen;
        let place = Place {
            host,
            port,
            transport,
        };
        match self.dialled(place, within)? {
            Dialled::Listener(listener) => Ok(listener),
            Dialled::Connection(_) => Err(Error::Unexpected("a connection for a listener")),
        }
    }

    /// The certificates of the authorities that this machine trusts: PEM text.
    pub fn roots(&mut self) -> Result<Vec<u8>, Error> {
        self.session.out.take_roots()?;
        self.wait_for(room::ROOM_WAIT, Dials::take_roots)
    }

    fn dialled(&mut self, place: Place<'_>, within: Duration) -> Result<Dialled, Error> {
        let request = self.session.out.dial(place, within)?;
        self.wait_for(within, |dials| dials.take(request))
    }

    fn wait_for<T>(
        &mut self,
        within: Duration,
        take: impl Fn(&mut Dials) -> Option<Result<T, Failure>>,
    ) -> Result<T, Error> {
        let limit = (deadline(within.saturating_add(room::CORE_GRACE)), "socket");
        loop {
            self.session.look_through()?;
            if let Some(outcome) = take(&mut self.session.out.dials) {
                return outcome.map_err(|failure| Error::Answered(Box::new(failure)));
            }
            if self.session.has_ended {
                return Err(Error::Closed);
            }
            self.fill((!self.trusts_core).then_some(limit))?;
        }
    }
}

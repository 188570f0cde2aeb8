//! One launch, as the nursery sees it.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use fork::Fork;
use protocol::frame::Level;
use protocol::nursery::Launch;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use super::birth::{self, Birth};
use super::ledger::Entry;
use super::{Nursery, watch};
use crate::lockdown::Order;
use crate::lockdown::namespaces::{Network, Rooms};
use crate::profile::Profile;

impl Nursery {
    /// Forks one sandbox; or says why not.
    pub(super) fn launch(
        &mut self,
        launch: &Launch<'_>,
        link: Option<OwnedFd>,
    ) -> Result<(), String> {
        let link = link.ok_or("cannot launch a sandbox: no link came along")?;
        let profile = Profile::named(launch.profile)
            .ok_or_else(|| format!("cannot launch a sandbox: no profile `{}`", launch.profile))?;
        let order = Order {
            profile,
            min_level: launch.min_level,
            max_level: launch.max_level,
            memory_bytes: launch.memory_bytes,
            descriptors: launch.descriptors,
            timers: launch.timers,
            without: self.without,
        };
        if order.profile.keeps_network() != (self.network == Network::Kept) {
            return Err(format!(
                "cannot launch a sandbox: profile `{}` belongs to the other nursery",
                launch.profile
            ));
        }
        // Who keeps the network is never at L3, and has every other namespace.
        let wants_rooms = order.max_level >= Level::L3
            || self.network == Network::Kept && order.max_level >= Level::L2;
        if wants_rooms && self.rooms.is_none() {
            self.rooms = Some(Rooms::move_in(self.without, self.network));
        }
        let rooms = self.rooms.as_ref().filter(|_| wants_rooms);
        let moves_out = matches!(rooms, Some(Ok(_)));
        let pair = socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        );
        let (ours, theirs) = pair.map_err(|e| format!("cannot make a cradle: {e}"))?;
        let others = self.descriptors(&ours);
        match fork::fork() {
            Ok(Fork::Child) => {
                let birth = Birth {
                    engine: launch.engine,
                    order,
                    link,
                    cradle: theirs,
                    others,
                };
                birth::run(birth, &self.places, rooms)
            }
            Ok(Fork::Parent(pid)) => {
                let mut entry = Entry::forked(pid, ours);
                // Before the child leaves root: afterwards a container may forbid it.
                entry.traced = !moves_out && watch::begin(pid);
                self.ledger.add(launch.sandbox, entry);
                Ok(())
            }
            Err(e) => Err(format!("cannot fork a sandbox: {e}")),
        }
    }

    fn descriptors(&self, ours: &OwnedFd) -> Vec<RawFd> {
        let mut all = vec![ours.as_raw_fd()];
        all.extend(self.places.descriptors());
        all.extend(self.rooms.iter().flatten().map(Rooms::descriptor));
        all.extend(
            self.ledger
                .entries
                .values()
                .filter_map(|entry| Some(entry.cradle.as_ref()?.as_raw_fd())),
        );
        all
    }
}

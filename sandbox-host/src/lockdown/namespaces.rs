//! Before the lock: own namespaces with an empty root.
//!
//! Two steps, so that a sandbox pays for little:
//!
//! - Once, the nursery moves into [`Rooms`]: mount, network, IPC and host name
//!   namespaces with an empty, read-only root. Its children are born there.
//! - Each child [`moves out`](Rooms::move_out) into a user, process id, IPC and
//!   host name namespace of its own, with no right over the ones it was born in.
//!
//! All sandboxes of a nursery so share one empty network namespace: it has no
//! interface that is up, nobody can open a socket in it, and making one for each
//! would cost more than everything else in a start together (0.3 ms).

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid, chdir, pivot_root};
use rustix::fs::{CWD, Mode, OFlags, openat};

use super::privileges::{UNPRIVILEGED_ID, empty_bounding_set};
use super::{Missing, Primitive, Without};

/// An empty directory is mounted on one of these before it becomes the root.
const MOUNT_POINTS: [&str; 4] = ["/tmp", "/dev", "/proc", "/sys"];

/// Which network the children of a nursery are born in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    /// One without anything in it.
    Empty,
    /// The machine's: only the connector's.
    Kept,
}

/// The namespaces in which the children of the nursery are born.
#[derive(Debug)]
pub(crate) struct Rooms {
    /// `/proc` of the old root, through which a child writes its own maps.
    processes: OwnedFd,
}

impl Rooms {
    /// Moves this process into them.
    ///
    /// Root needs no user namespace for it, and must not have one: its children
    /// could not become another user in it.
    pub(crate) fn move_in(without: Without, network: Network) -> Result<Self, Missing> {
        if without.userns {
            return Err(Missing::pretended(Primitive::Namespaces));
        }
        let mut rooms =
            CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWUTS;
        if network == Network::Empty {
            rooms |= CloneFlags::CLONE_NEWNET;
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let processes =
            openat(CWD, "/proc", flags, Mode::empty()).map_err(refused("opening /proc"))?;
        let (uid, gid) = (Uid::effective(), Gid::effective());
        if uid.is_root() {
            unshare(rooms).map_err(refused("entering namespaces"))?;
        } else {
            unshare(rooms | CloneFlags::CLONE_NEWUSER)
                .map_err(refused("entering a user namespace"))?;
            write_maps(
                &processes,
                (uid.as_raw(), uid.as_raw()),
                (gid.as_raw(), gid.as_raw()),
            )?;
        }
        empty_root()?;
        Ok(Self { processes })
    }

    /// The descriptor it holds, which no sandbox may keep.
    pub(crate) fn descriptor(&self) -> RawFd {
        self.processes.as_raw_fd()
    }

    /// Moves this process into namespaces of its own; its next child is the first there.
    pub(crate) fn move_out(&self) -> Result<(), Missing> {
        let (uid, gid) = (Uid::effective().as_raw(), Gid::effective().as_raw());
        let own = CloneFlags::CLONE_NEWUSER
            | CloneFlags::CLONE_NEWPID
            | CloneFlags::CLONE_NEWIPC
            | CloneFlags::CLONE_NEWUTS;
        unshare(own).map_err(refused("entering a user namespace"))?;
        write_maps(
            &self.processes,
            (UNPRIVILEGED_ID, uid),
            (UNPRIVILEGED_ID, gid),
        )?;
        empty_bounding_set();
        Ok(())
    }
}

// The only mapping that an ordinary user may write: one id, its own.
fn write_maps(processes: &OwnedFd, uid: (u32, u32), gid: (u32, u32)) -> Result<(), Missing> {
    let write = |file: &str, text: String| {
        let opened = openat(
            processes,
            file,
            OFlags::WRONLY | OFlags::CLOEXEC,
            Mode::empty(),
        );
        opened
            .and_then(|map| rustix::io::write(map, text.as_bytes()))
            .map_err(|e| Missing::new(Primitive::Namespaces, &format!("writing /proc/{file}"), e))
    };
    write("self/setgroups", "deny".into())?;
    write("self/gid_map", format!("{} {} 1", gid.0, gid.1))?;
    write("self/uid_map", format!("{} {} 1", uid.0, uid.1))?;
    Ok(())
}

fn empty_root() -> Result<(), Missing> {
    let none: Option<&str> = None;
    // Or the empty root would appear in the namespace we came from.
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .map_err(refused("making mounts private"))?;
    let flags = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let data = Some("size=4k,nr_inodes=2,mode=0555");
    let mount_on = |point: &&str| mount(Some("empty"), *point, Some("tmpfs"), flags, data);
    let mut points = MOUNT_POINTS.iter();
    let point = points
        .find(|point| mount_on(point).is_ok())
        .ok_or_else(|| refused("mounting an empty root")("no mount point"))?;
    chdir(*point).map_err(refused("entering the empty root"))?;
    // Both arguments the same: the old root is then mounted over the new one, and taken away.
    pivot_root(".", ".").map_err(refused("making the empty root the root"))?;
    umount2(".", MntFlags::MNT_DETACH).map_err(refused("taking the old root away"))?;
    chdir("/").map_err(refused("entering the empty root"))
}

fn refused<E: std::fmt::Display>(doing: &'static str) -> impl Fn(E) -> Missing {
    move |said| Missing::new(Primitive::Namespaces, doing, said)
}

/// Looks whether the root is empty and cannot be written, as an empty root is.
pub(super) fn prove_empty_root() -> Result<(), Missing> {
    let seen = |what| Missing::new(Primitive::Namespaces, "looking at the root", what);
    match std::fs::read_dir("/").map(|mut listing| listing.next().is_none()) {
        Ok(true) => {}
        Ok(false) => return Err(seen("it is not empty")),
        Err(e) => {
            return Err(Missing::new(
                Primitive::Namespaces,
                "looking at the root",
                e,
            ));
        }
    }
    match std::fs::File::create("/new") {
        Err(_) => Ok(()),
        Ok(_) => Err(seen("it can be written")),
    }
}

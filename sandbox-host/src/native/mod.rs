//! # Engine native — one program from the catalogue
//!
//! The locked process says that it is confined, then waits for one program and
//! executes it. The lock stays: a filter and a Landlock domain are inherited by
//! what is executed. The program finds its link as descriptor 0, speaks the
//! same frames, and reads its `Start` itself.
//!
//! The one exec that the filter permits is `execveat` of descriptor
//! [`Profile::program`](crate::profile::Profile) with an empty path. That number is above the limit of
//! descriptors that is set just before, and closes on exec: the program can
//! never have a descriptor of that number, so it cannot execute a second one.

pub(crate) mod elf;
mod wait;

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};

use nix::fcntl::AtFlags;
use nix::unistd::execveat;
use protocol::codec::TooLarge;
use protocol::frame::{HostFrame, LoadFailed, LoadStage};
use rustix::io::fcntl_dupfd_cloexec;

use self::wait::{Asked, next};
use crate::link::{Link, LinkError, Outbox};
use crate::lockdown::{Locked, limits};

/// The exit code of a process that could not lock itself; the reason goes to the nursery.
pub(crate) const NOT_LOCKED: u8 = 78;

/// Waits for the program and executes it; returns only when that does not come to pass.
pub(crate) fn serve(locked: &Locked) -> i32 {
    let mut link = Link::on_descriptor_0();
    match link
        .greet(locked)
        .and_then(|()| wait_and_execute(&mut link, locked))
    {
        Ok(()) | Err(LinkError::Ended) => 0,
        Err(_) => 1,
    }
}

fn wait_and_execute(link: &mut Link, locked: &Locked) -> Result<(), LinkError> {
    loop {
        match next()? {
            Asked::Stop => return Ok(()),
            Asked::Ping { token } => link.outbox.push(&HostFrame::Pong { token })?,
            Asked::Execute {
                component,
                name,
                program,
            } => {
                let failed = Failed {
                    component: &component,
                    stage: LoadStage::Parse,
                };
                match elf::check(&program) {
                    Err(reason) => failed.report(&mut link.outbox, &reason)?,
                    Ok(()) => {
                        return execute(&mut link.outbox, locked, &component, &name, &program);
                    }
                }
            }
            Asked::Nothing { component } => {
                let failed = Failed {
                    component: &component,
                    stage: LoadStage::Exec,
                };
                failed.report(&mut link.outbox, "no program came along")?;
            }
        }
        link.outbox.flush()?;
    }
}

// There is one try: afterwards no descriptor can have that number again.
fn execute(
    outbox: &mut Outbox,
    locked: &Locked,
    component: &str,
    name: &str,
    program: &OwnedFd,
) -> Result<(), LinkError> {
    let reason = match put_and_execute(locked, name, program) {
        Err(reason) => reason,
        Ok(never) => match never {},
    };
    let failed = Failed {
        component,
        stage: LoadStage::Exec,
    };
    failed.report(outbox, &format!("cannot execute it: {reason}"))?;
    outbox.flush()
}

fn put_and_execute(
    locked: &Locked,
    name: &str,
    program: &OwnedFd,
) -> Result<std::convert::Infallible, String> {
    let place = locked.profile().program();
    let place = place.ok_or("the profile permits no program")?;
    let program = fcntl_dupfd_cloexec(program, place).map_err(|e| e.to_string())?;
    limits::descriptors(locked.profile(), locked.descriptors()).map_err(|e| e.to_string())?;
    let words = [CString::new(name).map_err(|e| e.to_string())?];
    let environment: [&CStr; 0] = [];
    execveat(
        program.as_fd(),
        c"",
        &words,
        &environment,
        AtFlags::AT_EMPTY_PATH,
    )
    .map_err(|e| e.desc().to_owned())
}

struct Failed<'a> {
    component: &'a str,
    stage: LoadStage,
}

impl Failed<'_> {
    fn report(&self, outbox: &mut Outbox, reason: &str) -> Result<(), TooLarge> {
        outbox.push(&HostFrame::LoadFailed(LoadFailed {
            component: self.component,
            stage: self.stage,
            reason,
            place: "",
            stack: "",
        }))
    }
}

//! A static shell, executed as a native component is: a sealed copy, the link as its
//! descriptor 0, nothing else.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use protocol::frame::{CoreFrame, Exec};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

use super::{Inside, patiently};
use crate::native::elf;
use crate::probe::trial::Line;

/// Larger is no shell: a static busybox has 2 MiB.
const SHELL_BYTES_MAX: u64 = 16 << 20;

/// Says that a command is done. Nobody types it.
const DONE: u8 = 1;

/// From here on it answers where it is asked. What it had as output is `/dev/null`, which
/// commands get as their input: what comes on the link is for the shell.
const PREPARE: &str = "exec 3<&1 1>&0 2>&0\n";

/// A shell that reads commands.
#[derive(Debug)]
pub(super) struct Shell(pub(super) OwnedFd);

/// A copy that nobody can change any more.
pub(super) fn sealed(program: &Path) -> io::Result<OwnedFd> {
    let mut file = File::open(program)?;
    if file.metadata()?.len() > SHELL_BYTES_MAX {
        let reason = format!("it has more than {SHELL_BYTES_MAX} bytes");
        return Err(io::Error::other(reason));
    }
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING | MemfdFlags::EXEC;
    let copy = memfd_create("shell", flags)?;
    let mut copy = File::from(copy);
    io::copy(
        &mut Read::by_ref(&mut file).take(SHELL_BYTES_MAX),
        &mut copy,
    )?;
    let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    fcntl_add_seals(&copy, seals)?;
    let copy = OwnedFd::from(copy);
    elf::check(&copy).map_err(io::Error::other)?;
    Ok(copy)
}

impl Inside for Shell {
    fn begin(&mut self, line: &mut Line) -> io::Result<()> {
        let exec = Exec {
            component: "hyperty://shell.invalid/shell",
            name: "sh",
        };
        line.say(&CoreFrame::Exec(exec), Some(self.0.as_fd()))?;
        line.write(PREPARE.as_bytes())
    }

    // `command` keeps a mistake from ending the shell.
    fn enter(&mut self, text: &str, line: &mut Line, out: &mut dyn Write) -> io::Result<bool> {
        let quoted = text.replace('\'', r"'\''");
        line.write(format!("command eval '{quoted}' <&3; printf '\\001'\n").as_bytes())?;
        let mut bytes = [0; 4096];
        loop {
            let count = patiently(|| line.read(&mut bytes))?;
            let said = bytes.get(..count).unwrap_or_default();
            let end = said.iter().position(|byte| *byte == DONE);
            out.write_all(said.get(..end.unwrap_or(count)).unwrap_or_default())?;
            out.flush()?;
            if end.is_some() || count == 0 {
                return Ok(count > 0);
            }
        }
    }
}

//! Tries to leave the sandbox by every road that safe Rust can take.
//!
//! What is tried on somebody else (a file, a process, a socket) is named by the
//! configuration, so that a test can look at the victim afterwards: a call that
//! reports success may have had no effect, and the other way round.

use std::io;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sched::CloneFlags;
use nix::sys::signal::Signal;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use nix::unistd::Pid;
use protocol::frame::LogLevel;
use serde_json::{Value, json};

use crate::part::{Heard, Part};

/// What an act is done to.
struct Victims {
    file: String,
    folder: String,
    process: Pid,
    tcp_port: u16,
    socket: String,
}

type Act = fn(&Victims) -> io::Result<()>;

/// The acts, and what is refused when they are.
const ACTS: &[(&str, Act)] = &[
    ("read /etc/passwd", |_| {
        std::fs::read("/etc/passwd").map(drop)
    }),
    ("read a file", |on| std::fs::read(&on.file).map(drop)),
    ("write a file", |on| std::fs::write(&on.file, "taken")),
    ("change a file's mode", |on| {
        std::fs::set_permissions(&on.file, PermissionsExt::from_mode(0o777))
    }),
    ("remove a file", |on| std::fs::remove_file(&on.file)),
    ("make a file", |on| {
        std::fs::write(format!("{}/made", on.folder), "here")
    }),
    ("make a link", |on| {
        std::os::unix::fs::symlink("/", format!("{}/link", on.folder))
    }),
    ("list /", |_| std::fs::read_dir("/").map(drop)),
    ("list /proc", |_| std::fs::read_dir("/proc").map(drop)),
    ("reach out through /proc/self/root", |_| {
        std::fs::read("/proc/self/root/etc/hostname").map(drop)
    }),
    ("connect by TCP", |on| {
        TcpStream::connect(("127.0.0.1", on.tcp_port)).map(drop)
    }),
    ("listen on TCP", |_| {
        TcpListener::bind(("127.0.0.1", 0)).map(drop)
    }),
    ("send by UDP", |on| {
        let socket = UdpSocket::bind(("127.0.0.1", 0))?;
        socket.send_to(b"out", ("127.0.0.1", on.tcp_port)).map(drop)
    }),
    ("connect to a local socket", |on| {
        UnixStream::connect(&on.socket).map(drop)
    }),
    ("make a datagram pair", |_| UnixDatagram::pair().map(drop)),
    ("open a netlink socket", |_| {
        open_socket(AddressFamily::Netlink)
    }),
    ("start a program", |_| {
        Command::new("/bin/true").spawn().map(drop)
    }),
    ("become another program", |_| {
        Err(Command::new("/bin/true").exec())
    }),
    ("kill a process", |on| {
        Ok(nix::sys::signal::kill(on.process, Signal::SIGKILL)?)
    }),
    ("stop a process", |on| {
        Ok(nix::sys::signal::kill(on.process, Signal::SIGSTOP)?)
    }),
    ("open a process by pidfd", |on| {
        let pid = rustix::process::Pid::from_raw(on.process.as_raw());
        let Some(pid) = pid else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        Ok(rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).map(drop)?)
    }),
    ("change a process's limits", |on| {
        let none = rustix::process::Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        let pid = rustix::process::Pid::from_raw(on.process.as_raw());
        Ok(rustix::process::prlimit(pid, rustix::process::Resource::Core, none).map(drop)?)
    }),
    ("enter namespaces of its own", |_| {
        Ok(nix::sched::unshare(CloneFlags::CLONE_NEWUSER)?)
    }),
    ("make a memory file", |_| {
        Ok(rustix::fs::memfd_create("program", rustix::fs::MemfdFlags::empty()).map(drop)?)
    }),
    ("watch a folder", |on| {
        let watch = rustix::fs::inotify::init(rustix::fs::inotify::CreateFlags::empty())?;
        let all = rustix::fs::inotify::WatchFlags::ALL_EVENTS;
        Ok(rustix::fs::inotify::add_watch(&watch, &*on.folder, all).map(drop)?)
    }),
    ("become dumpable", |_| {
        Ok(rustix::process::set_dumpable_behavior(
            rustix::process::DumpableBehavior::Dumpable,
        )?)
    }),
];

/// Tries everything, tells what became of it, then answers `read` with the same.
///
/// With `"skip": NAME` it leaves an act out; with `"then": "leave"` it goes on to a call for which it is killed.
pub(crate) fn escape(part: &mut Part) {
    part.ready();
    let victims = victims(part);
    let mut outcome = serde_json::Map::new();
    let skipped = part.text("skip").to_owned();
    for (name, act) in ACTS.iter().filter(|(name, _)| *name != skipped) {
        let found = act(&victims).map_err(|error| refusal(&error));
        match &found {
            Ok(()) => part.log(LogLevel::Error, &format!("ESCAPED: {name}")),
            Err(reason) => part.log(LogLevel::Info, &format!("refused: {name}: {reason}")),
        }
        outcome.insert((*name).to_owned(), json!(found.err()));
    }
    if part.text("then") == "leave" {
        part.log(
            LogLevel::Info,
            "now changes its root, which no component ever needs",
        );
        leave();
        part.log(
            LogLevel::Error,
            "ESCAPED: still here after a call that is never legitimate",
        );
    }
    report(part, &Value::Object(outcome));
}

/// Makes a call that is never legitimate.
pub(crate) fn leave() {
    let _ = nix::unistd::chroot("/");
}

fn victims(part: &Part) -> Victims {
    let process = part
        .number("process")
        .and_then(|pid| i32::try_from(pid).ok());
    let tcp_port = part
        .number("port")
        .and_then(|port| u16::try_from(port).ok());
    let or = |name: &str, otherwise: &str| match part.text(name) {
        "" => otherwise.to_owned(),
        text => text.to_owned(),
    };
    Victims {
        file: or("file", "/etc/hostname"),
        folder: or("folder", "/tmp"),
        process: Pid::from_raw(process.unwrap_or(i32::MAX)),
        tcp_port: tcp_port.unwrap_or(9),
        socket: or("socket", "/run/dbus/system_bus_socket"),
    }
}

fn report(part: &mut Part, outcome: &Value) {
    let body = json!({ "code": 200, "value": outcome }).to_string();
    loop {
        match part.hear() {
            Heard::Message(message) if message.is_request => {
                crate::manners::answer(part, &message, protocol::Code::OK, body.as_bytes());
            }
            Heard::Message(_) | Heard::Other => {}
            Heard::End => return,
        }
    }
}

fn open_socket(family: AddressFamily) -> io::Result<()> {
    Ok(socket(family, SockType::Raw, SockFlag::empty(), None).map(drop)?)
}

fn refusal(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => format!("{:?}", nix::errno::Errno::from_raw(number)),
        None => error.to_string(),
    }
}

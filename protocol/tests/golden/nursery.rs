//! What the core and the nursery say to each other.

use protocol::codec;
use protocol::frame::Level;
use protocol::nursery::{Engine, Exit, Launch, Report, Request};

use crate::{bytes, dump};

#[track_caller]
fn request(request: Request<'_>, hex: &str) {
    let written = codec::datagram(&request).expect("small enough");
    assert_eq!(dump(&written), dump(&bytes(hex)));
    assert_eq!(codec::read_datagram(&written), Ok(request));
}

#[track_caller]
fn report(report: Report<'_>, hex: &str) {
    let written = codec::datagram(&report).expect("small enough");
    assert_eq!(dump(&written), dump(&bytes(hex)));
    assert_eq!(codec::read_datagram(&written), Ok(report));
}

#[test]
fn launch() {
    let launch = Launch {
        sandbox: 7,
        engine: Engine::Native,
        profile: "n",
        min_level: Level::L2,
        max_level: Level::L3,
        memory_bytes: 0x1000_0000,
        descriptors: 32,
        timers: 100,
    };
    request(
        Request::Launch(launch),
        "00 07 01 016e 02 03 fc00000010 20 64",
    );
}

#[test]
fn reports() {
    report(
        Report::Launched {
            sandbox: 7,
            pid: 99,
        },
        "00 07 63",
    );
    report(
        Report::NotLaunched {
            sandbox: 7,
            reason: "r",
        },
        "01 07 0172",
    );
    let exited = |exit| Report::Exited { sandbox: 7, exit };
    report(exited(Exit::Code(-1)), "02 07 00 01");
    report(exited(Exit::Signal(9)), "02 07 01 12");
    report(
        exited(Exit::Syscall {
            number: 41,
            name: "socket",
        }),
        "02 07 02 52 06 736f636b6574",
    );
    report(exited(Exit::NotLocked("r")), "02 07 03 0172");
    report(exited(Exit::Memory(6)), "02 07 04 0c");
}

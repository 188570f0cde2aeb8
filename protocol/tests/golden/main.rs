//! Every frame, byte for byte. Whoever changes a byte changes the protocol:
//! raise `version::PROTOCOL`, then change the literal. A new frame that is said
//! only to a peer that asked for it needs no new version.
//!
//! Spaces in the literals part prefix, header fields and body.

#![allow(clippy::expect_used)] // in helpers of the tests

mod nursery;
mod slots;
mod sockets;

use protocol::frame::{
    ComponentKind, Confined, Exec, Hello, Level, Load, LoadFailed, LoadStage, Log, LogLevel, Role,
    Start,
};
use protocol::{Code, CoreFrame, HostFrame, Message, MessageKind, Reply, codec};

const NONCE: [u8; 16] = [0xa5; 16];

fn bytes(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    let pairs = (0..digits.len()).step_by(2);
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    pairs.map(|at| byte(at).expect("two digits")).collect()
}

#[track_caller]
fn host(frame: HostFrame<'_>, hex: &str) {
    let mut written = Vec::new();
    frame.encode(&mut written).expect("small enough");
    assert_eq!(dump(&written), dump(&bytes(hex)));

    let raw = codec::split(&written).expect("a frame").expect("whole");
    assert_eq!(raw.bytes.len(), written.len());
    assert_eq!(HostFrame::decode(raw), Ok(frame));
}

#[track_caller]
fn core(frame: CoreFrame<'_>, hex: &str) {
    let mut written = Vec::new();
    frame.encode(&mut written).expect("small enough");
    assert_eq!(dump(&written), dump(&bytes(hex)));

    let raw = codec::split(&written).expect("a frame").expect("whole");
    assert_eq!(raw.bytes.len(), written.len());
    assert_eq!(CoreFrame::decode(raw), Ok(frame));
}

fn dump(bytes: &[u8]) -> String {
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    hex.join(" ")
}

const fn hello(role: Role<'_>) -> HostFrame<'_> {
    HostFrame::Hello(Hello {
        version: 1,
        nonce: NONCE,
        role,
        build: "0.1",
    })
}

#[test]
fn hello_of_a_sandbox() {
    host(
        hello(Role::Sandbox),
        "b701 1600 00000000  01 a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5 00 03 302e31",
    );
}

#[test]
fn hello_of_the_operator() {
    host(
        hello(Role::Operator),
        "b701 1600 00000000  01 a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5 01 03 302e31",
    );
}

#[test]
fn hello_of_an_application() {
    let role = Role::Application {
        provider: "p",
        name: "n",
        token: "t",
    };
    host(
        hello(role),
        "b701 1c00 00000000  01 a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5 02 0170 016e 0174 03 302e31",
    );
}

#[test]
fn confined() {
    let confined = Confined {
        level: Level::L3,
        landlock_abi: 7,
        profile: "script",
        proofs: "open,kill",
    };
    host(
        HostFrame::Confined(confined),
        "b702 1300 00000000  03 07 06 736372697074 09 6f70656e2c6b696c6c",
    );
}

#[test]
fn loaded() {
    host(
        HostFrame::Loaded {
            component: "h://d/1",
        },
        "b703 0800 00000000  07 683a2f2f642f31",
    );
}

#[test]
fn load_failed() {
    let failed = LoadFailed {
        component: "h",
        stage: LoadStage::Exec,
        reason: "r",
        place: "p",
        stack: "s",
    };
    host(
        HostFrame::LoadFailed(failed),
        "b704 0900 00000000  0168 03 0172 0170 0173",
    );
}

#[test]
fn unloaded() {
    host(
        HostFrame::Unloaded {
            component: "h://d/1",
        },
        "b705 0800 00000000  07 683a2f2f642f31",
    );
}

#[test]
fn send_without_an_answer() {
    let message = Message::new(MessageKind::Update, "a", "b", b"{}");
    host(
        HostFrame::Send(message),
        "b706 0900 02000000  00 02 0161 0162 00 00 00  7b7d",
    );
}

#[test]
fn send_of_a_request() {
    let mut message = Message::new(MessageKind::Other("READ"), "a", "b", b"{}")
        .with_id(300)
        .expecting(Reply::Within(15_000));
    message.header.members = r#"{"i":1}"#;
    host(
        HostFrame::Send(message),
        "b706 1a00 02000000  fb2c01 0a04 52454144 0161 0162 00 02fb983a 07 7b2269223a317d  7b7d",
    );
}

#[test]
fn send_of_an_answer() {
    let question = Message::new(MessageKind::Read, "a", "b", b"").with_id(u64::MAX);
    host(
        HostFrame::Send(question.answer(Code::FORBIDDEN, b"x")),
        "b706 1300 01000000  fdffffffffffffffff 06 0162 0161 fb9301 00 00  78",
    );
}

#[test]
fn listen() {
    host(
        HostFrame::Listen {
            component: "a",
            address: "b",
        },
        "b707 0400 00000000  0161 0162",
    );
}

#[test]
fn unlisten() {
    host(
        HostFrame::Unlisten {
            component: "a",
            address: "b",
        },
        "b708 0400 00000000  0161 0162",
    );
}

#[test]
fn log() {
    let log = Log {
        component: "a",
        level: LogLevel::Warn,
        place: "f:1",
    };
    host(
        HostFrame::Log(log, b"hi"),
        "b709 0700 02000000  0161 02 03 663a31  6869",
    );
}

#[test]
fn pong() {
    host(HostFrame::Pong { token: 250 }, "b70a 0100 00000000  fa");
}

#[test]
fn welcome() {
    core(
        CoreFrame::Welcome {
            version: 1,
            nonce: NONCE,
        },
        "b781 1100 00000000  01 a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5",
    );
}

#[test]
fn load() {
    let load = Load {
        component: "a",
        name: "n",
        kind: ComponentKind::ProtoStub,
        config: "{}",
        file: "f",
    };
    core(
        CoreFrame::Load(load, b"code"),
        "b782 0a00 04000000  0161 016e 01 027b7d 0166  636f6465",
    );
}

#[test]
fn exec() {
    let exec = Exec {
        component: "a",
        name: "n",
    };
    core(CoreFrame::Exec(exec), "b783 0400 00000000  0161 016e");
}

#[test]
fn start() {
    let start = Start {
        address: "a",
        runtime: "r",
        config: "{}",
    };
    core(
        CoreFrame::Start(start),
        "b784 0700 00000000  0161 0172 027b7d",
    );
}

#[test]
fn unload() {
    core(
        CoreFrame::Unload { component: "a" },
        "b785 0200 00000000  0161",
    );
}

#[test]
fn deliver() {
    let message = Message::new(MessageKind::Event, "a", "b", b"{}").expecting(Reply::Untimed);
    core(
        CoreFrame::Deliver(message),
        "b786 0900 02000000  00 09 0161 0162 00 01 00  7b7d",
    );
}

#[test]
fn listening() {
    core(
        CoreFrame::Listening {
            address: "a",
            code: Code::OK,
            reason: "r",
        },
        "b787 0500 00000000  0161 c8 0172",
    );
}

#[test]
fn ping() {
    core(CoreFrame::Ping { token: 251 }, "b788 0300 00000000  fbfb00");
}

#[test]
fn stop() {
    core(
        CoreFrame::Stop { grace_ms: 70_000 },
        "b789 0500 00000000  fc70110100",
    );
}

#[test]
fn seed() {
    let component = "a";
    core(
        CoreFrame::Seed {
            component,
            items: b"[]",
        },
        "b790 0200 02000000  0161 5b5d",
    );
}

#[test]
fn forwarding_changes_the_tag_and_nothing_else() {
    let send = bytes("b706 0900 02000000  00 02 0161 0162 00 00 00  7b7d");
    let raw = codec::split(&send).expect("a frame").expect("whole");
    let mut out = vec![1, 2, 3];

    codec::forward(raw, &mut out);

    let expected = bytes("010203 b786 0900 02000000  00 02 0161 0162 00 00 00  7b7d");
    assert_eq!(out, expected);
}

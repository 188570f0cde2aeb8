//! A script host as its own process: the loop around the engine.
//!
//! Without a lock, so that it runs everywhere; the lock has tests of its own.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what is not there fails the test"
)]

use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use protocol::codec;
use protocol::frame::{ComponentKind, CoreFrame, Exec, HostFrame, Load};
use protocol::version::PROTOCOL;
use protocol::{Message, MessageKind};

const ME: &str = "hyperty://here.example/me";
const YOU: &str = "hyperty://there.example/you";

/// What a test sees of the host, one word per frame.
struct Host {
    child: Child,
    link: UnixStream,
    bytes: Vec<u8>,
}

impl Host {
    fn greeted() -> Self {
        let mut host = Self::spawned(&["--min-level", "L0", "--max-level", "L0"]);
        assert_eq!(host.next(), "hello 7");
        assert_eq!(host.next(), "confined");
        host
    }

    fn spawned(levels: &[&str]) -> Self {
        let (link, theirs) = UnixStream::pair().unwrap();
        link.set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_sandbox-host"))
            .args(["script", "--profile", "script"])
            .args(levels)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut host = Self {
            child,
            link,
            bytes: Vec::new(),
        };
        host.say(&[CoreFrame::Welcome {
            version: PROTOCOL,
            nonce: [7; 16],
        }]);
        host
    }

    /// A host with one component that runs `body` in its `_start`.
    fn running(body: &str) -> Self {
        let mut host = Self::greeted();
        host.load(body);
        host
    }

    fn load(&mut self, body: &str) {
        let source = format!("module.exports = (url, bus, config, factory) => {{ {body} }}");
        let load = Load {
            component: ME,
            name: "me",
            kind: ComponentKind::Hyperty,
            config: "{}",
            file: "me.js",
        };
        self.say(&[CoreFrame::Load(load, source.as_bytes())]);
        assert_eq!(self.next(), "loaded");
    }

    fn say(&mut self, frames: &[CoreFrame<'_>]) {
        let mut bytes = Vec::new();
        for frame in frames {
            frame.encode(&mut bytes).unwrap();
        }
        self.link.write_all(&bytes).unwrap();
    }

    fn next(&mut self) -> String {
        loop {
            if let Some(raw) = codec::split(&self.bytes).unwrap() {
                let word = word(HostFrame::decode(raw).unwrap());
                let length = raw.bytes.len();
                self.bytes.drain(..length);
                return word;
            }
            let mut chunk = [0; 8_192];
            // A signal to the test program, of a child that ended, may interrupt a read.
            let count = match self.link.read(&mut chunk) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                outcome => outcome.unwrap(),
            };
            assert!(count > 0, "the host has ended");
            self.bytes.extend_from_slice(&chunk[..count]);
        }
    }

    /// Whether it says anything at all before it ends.
    fn speaks(&mut self) -> bool {
        let mut chunk = [0; 8_192];
        let count = self.link.read(&mut chunk).unwrap_or_default();
        self.bytes.extend_from_slice(&chunk[..count]);
        count > 0
    }

    fn exit_code(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

fn word(frame: HostFrame<'_>) -> String {
    match frame {
        HostFrame::Hello(hello) => format!("hello {}", hello.nonce[0]),
        HostFrame::Confined(_) => "confined".to_owned(),
        HostFrame::Loaded { .. } => "loaded".to_owned(),
        HostFrame::Send(message) => format!("send {}", message.header.id),
        HostFrame::Log(_, text) => format!("log {}", String::from_utf8_lossy(text)),
        HostFrame::Pong { token } => format!("pong {token}"),
        other => format!("{other:?}"),
    }
}

fn read(id: u64) -> CoreFrame<'static> {
    CoreFrame::Deliver(Message::new(MessageKind::Read, YOU, ME, b"{}").with_id(id))
}

#[test]
fn a_host_greets_loads_answers_and_stops() {
    let mut host = Host::running(
        "bus.addListener(url, (m) => bus.postMessage({id: m.id, type: 'response', from: m.to, to: m.from, body: {code: 200}}))",
    );

    host.say(&[read(41), CoreFrame::Ping { token: 1 }, read(42)]);

    assert_eq!(
        [host.next(), host.next(), host.next()],
        ["send 41", "pong 1", "send 42"]
    );
    host.say(&[CoreFrame::Stop { grace_ms: 100 }, read(43)]);
    assert_eq!(host.exit_code(), Some(0));
}

#[test]
fn a_host_ends_when_the_link_does() {
    let host = Host::running("setInterval(() => {}, 5)");
    let Host { child, link, bytes } = host;

    drop(link);

    let (link, _) = UnixStream::pair().unwrap();
    assert_eq!(Host { child, link, bytes }.exit_code(), Some(0));
}

#[test]
fn timers_run_while_nothing_comes() {
    let mut host = Host::running(
        "setTimeout(() => console.log('later'), 10); setTimeout(() => console.log('sooner'), 5)",
    );

    assert_eq!([host.next(), host.next()], ["log sooner", "log later"]);
}

fn check_ping_overtakes(messages: u64, milliseconds_each: u32) {
    let mut host = Host::running(&format!(
        "bus.addListener(url, (m) => {{ for (const end = Date.now() + {milliseconds_each}; Date.now() < end;) {{}} console.log(m.id) }})",
    ));

    let mut frames: Vec<_> = (1..=messages).map(read).collect();
    frames.push(CoreFrame::Ping { token: 5 });
    host.say(&frames);

    let words: Vec<_> = (0..=messages).map(|_| host.next()).collect();
    let ping = words.iter().position(|word| word == "pong 5").unwrap();
    assert!(ping < words.len() - 1, "{words:?}");
    let logs = words.iter().filter(|word| word.starts_with("log"));
    assert_eq!(logs.count() + 1, words.len(), "{words:?}");
}

#[test]
fn a_ping_overtakes_a_few_messages_that_take_long() {
    check_ping_overtakes(12, 30);
}

#[test]
fn a_ping_overtakes_many_messages_that_take_a_little() {
    check_ping_overtakes(100, 4);
}

#[test]
fn a_stop_overtakes_messages_that_wait() {
    let mut host = Host::running(
        "bus.addListener(url, () => { for (const end = Date.now() + 30; Date.now() < end;) {} console.log('did') })",
    );

    let mut frames: Vec<_> = (1..=40).map(read).collect();
    frames.push(CoreFrame::Stop { grace_ms: 100 });
    host.say(&frames);

    let mut rest = Vec::new();
    host.link.read_to_end(&mut rest).unwrap();
    assert_eq!(host.exit_code(), Some(0));
    let did = rest.windows(3).filter(|bytes| bytes == b"did").count();
    assert!(did < 40, "{did}");
}

#[test]
fn a_host_that_spins_in_promises_still_answers() {
    let mut host = Host::running(
        "const f = () => Promise.resolve().then(f); setTimeout(f, 1); bus.addListener(url, () => console.log('heard'))",
    );

    host.say(&[CoreFrame::Ping { token: 3 }, read(1)]);

    assert_eq!([host.next(), host.next()], ["pong 3", "log heard"]);
}

#[test]
fn a_long_message_passes_both_ways() {
    let mut host = Host::running(
        "bus.addListener(url, (m) => bus.postMessage({type: 'event', from: url, to: m.from, body: m.body}))",
    );
    let body = format!("\"{}\"", "x".repeat(1_000_000));

    let message = Message::new(MessageKind::Update, YOU, ME, body.as_bytes());
    host.say(&[CoreFrame::Deliver(message), read(9)]);

    assert_eq!([host.next(), host.next()], ["send 1", "send 2"]);
}

#[test]
fn a_host_that_is_misunderstood_says_so_and_ends() {
    let mut host = Host::running("");

    host.say(&[CoreFrame::Exec(Exec {
        component: ME,
        name: "x",
    })]);

    assert!(host.next().starts_with("log the core speaks"));
    assert_eq!(host.exit_code(), Some(1));
}

#[test]
fn what_is_no_frame_ends_the_host() {
    let mut host = Host::running("");

    host.link.write_all(b"hello").unwrap();

    assert_eq!(host.exit_code(), Some(1));
}

/// Everything that makes the engine ask the system for something.
const WORK: &str = r"
    const tell = (name, act) => {
        let text;
        try { text = String(act()) } catch (error) { text = error === null ? 'null' : error.name }
        console.log(name + ': ' + text);
    };
    bus.addListener(url, () => {
        tell('date', () => new Date(0).toString().length > 20 && new Date().toLocaleString().length > 5);
        tell('random', () => Math.random() < 1 && crypto.randomUUID().length);
        tell('text', () => new TextDecoder().decode(new TextEncoder().encode('é')));
        tell('url', () => new URL('/b', 'https://a.example').href);
        tell('clone', () => structuredClone({ a: [1] }).a[0]);
        tell('regexp', () => /(a+)b/.exec('aab')[1]);
        tell('bigint', () => (2n ** 4000n).toString().length);
        tell('eval', () => eval('1 + 1') + new Function('return 1')());
        tell('deep', () => { const f = () => f() + 1; return f() });
        tell('stack', () => JSON.parse('['.repeat(1e6)));
        tell('memory', () => { const all = []; for (;;) all.push(new Uint8Array(1e6)) });
        tell('after', () => [...'x'.repeat(1e4)].length);
    });
";

#[test]
fn a_locked_host_does_all_the_work_and_is_not_killed() {
    let mut host = Host::spawned(&["--min-level", "L2"]);
    if !host.speaks() {
        println!(
            "skipped: L2 is out of reach here (exit code {:?})",
            host.exit_code()
        );
        return;
    }
    assert_eq!(host.next(), "hello 7");
    assert_eq!(host.next(), "confined");
    host.load(WORK);

    host.say(&[read(1)]);

    let told: Vec<_> = (0..12).map(|_| host.next()).collect();
    let expected = [
        "date: true",
        "random: 36",
        "text: é",
        "url: https://a.example/b",
        "clone: 1",
        "regexp: aa",
        "bigint: 1205",
        "eval: 3",
        "deep: RangeError",
        "stack: RangeError",
    ];
    assert_eq!(told[..10], expected.map(|text| format!("log {text}")));
    assert!(
        [
            "log memory: RangeError",
            "log memory: InternalError",
            "log memory: null"
        ]
        .contains(&told[10].as_str()),
        "{told:?}"
    );
    assert_eq!(told[11], "log after: 10000");
    host.say(&[
        CoreFrame::Ping { token: 1 },
        CoreFrame::Stop { grace_ms: 100 },
    ]);
    assert_eq!(host.next(), "pong 1");
    assert_eq!(host.exit_code(), Some(0));
}

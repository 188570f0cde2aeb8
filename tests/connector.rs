//! The network, between real processes: who reaches what, and what becomes of it.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod far_hosts;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;

use far_hosts::{Echo, NameServer};

use hyperty_tests::harness::{Answer, Catalogue, Process, Runtime, eventually, some_time};
use protocol::api::user_agent::Component;
use serde_json::{Value, json};

const DIALLER: &str = "a.example/hyperty/Dialler";
const GRANTEE: &str = "a.example/Dialler";

fn place(host: &str, port: u16) -> Value {
    json!({ "host": host, "port": port })
}

struct Stage {
    runtime: Runtime,
    dialler: Component,
}

impl Stage {
    fn new(network: &Value) -> Self {
        Self::with(network, &[])
    }

    fn with(network: &Value, arguments: &[&str]) -> Self {
        let catalogue = Catalogue::new().dialler("a.example", "Dialler", network);
        let runtime = Runtime::with(catalogue).arguments(arguments).start();
        let dialler = runtime.deploy(DIALLER);
        Self { runtime, dialler }
    }

    fn asks(&self, body: &Value) -> Answer {
        let operator = self.runtime.operator();
        operator.ask("execute", &self.dialler.address, body)
    }

    fn dials(&self, host: &str, port: u16) -> Answer {
        self.asks(&json!({ "dial": place(host, port) }))
    }

    fn grants(&self, host: &str, port: u16, more: &Value) {
        let mut grant = json!({ "component": GRANTEE, "host": host, "port": port });
        for (name, value) in more.as_object().into_iter().flatten() {
            grant[name] = value.clone();
        }
        let operator = self.runtime.operator();
        let answer = operator.ask_room("create", "connections", &grant);
        assert_eq!(answer.code, 200, "{answer:?}");
    }

    fn connected(&self, host: &str, port: u16) -> u64 {
        let answer = self.dials(host, port);
        assert_eq!(answer.code, 200, "{answer:?}\n{}", self.runtime.log());
        answer.value()["socket"].as_u64().unwrap()
    }

    fn connector(&self) -> Process {
        let mut sandboxes = self.runtime.sandboxes().into_iter();
        let connector = sandboxes.find(|sandbox| sandbox.profile == "connector");
        Process::of(connector.and_then(|it| it.pid).expect("a connector"))
    }

    fn listing(&self) -> Value {
        self.runtime.operator().read_room("connections")
    }
}

/// Different names that one component dials as fast as it can.
const NAMES: usize = 100_000;

/// How long that may take on a busy machine; a bound to end it, no measure.
const MANY_WAIT: Duration = Duration::from_mins(3);

/// What the core may grow by meanwhile: what it keeps of a dial ends with its answer, and
/// of decisions it remembers some thousands.
const GROWTH_MAX: u64 = 16 << 20;

const PRIVATE: fn() -> Value = || json!({ "private": true });

// `VmRSS:  1234 kB`.
fn resident_bytes(process: Process) -> u64 {
    let field = process.status_field("VmRSS").unwrap();
    let kib: u64 = field.split(' ').next().unwrap().parse().unwrap();
    kib << 10
}

#[test]
fn what_the_operator_granted_is_reached_and_shown() {
    let echo = Echo::start();
    let stage = Stage::new(&json!([]));
    stage.grants("127.0.0.1", echo.port(), &PRIVATE());

    let socket = stage.connected("127.0.0.1", echo.port());

    let said = stage.asks(&json!({ "say": "hello", "socket": socket }));
    assert_eq!(said.value(), "hello");
    let options = stage.asks(&json!({ "options": socket }));
    assert_eq!(options.value()["nodelay"], true);
    let listing = stage.listing();
    assert_eq!(listing["sockets"][0]["host"], "127.0.0.1");
    assert_eq!(listing["connector"], "running");
    let text = stage.runtime.hyperty(&["inspect", "Dialler"]).stdout;
    assert!(text.contains("connected"), "{text}");
    assert_eq!(stage.asks(&json!({ "hangup": socket })).value(), true);
    eventually("the far end has seen the end", || echo.gone() == 1);
    eventually("nothing is open", || {
        stage.listing()["sockets"].as_array().unwrap().is_empty()
    });
}

#[test]
fn without_a_grant_nothing_is_dialled_and_the_refusal_explains_itself() {
    let echo = Echo::start();
    let stage = Stage::new(&json!([place("other.test", 443)]));

    let answer = stage.dials("127.0.0.1", echo.port());

    assert_eq!(answer.code, 403, "{answer:?}");
    assert!(answer.reason().contains("hyperty grants add"), "{answer:?}");
    let decision = answer.body["decision"].as_str().unwrap();
    let why = stage.runtime.hyperty(&["why", decision]).stdout;
    assert!(why.contains("not permitted"), "{why}");
    assert!(why.contains("grant none"), "{why}");
    assert_eq!(echo.callers(), 0);
    assert_eq!(stage.listing()["connector"], "idle");
}

#[test]
fn why_tells_what_would_be_decided_about_a_host() {
    let stage = Stage::new(&json!([place("asked.test", 443)]));
    stage.grants("nas.lan", 445, &PRIVATE());
    let why = |to: &str| {
        stage
            .runtime
            .hyperty(&["why", "--from", "Dialler", "--to", to])
    };

    let asked = why("https://asked.test/x").succeeded().stdout;
    assert!(asked.contains("network-as-described"), "{asked}");
    let granted = why("tcp://nas.lan:445").succeeded().stdout;
    assert!(granted.contains("network-as-granted"), "{granted}");
    let refused = why("wss://asked.test:444").failed_with(1).stdout;
    assert!(refused.contains("grant none"), "{refused}");
    let wrong = why("tcp://nas.lan").failed_with(1).stderr;
    assert!(wrong.contains("port 0 cannot be dialled"), "{wrong}");
    assert_eq!(stage.listing()["connector"], "idle");
}

#[test]
fn a_public_grant_reaches_no_private_address_by_whatever_name() {
    let echo = Echo::start();
    let names = NameServer::start(&[("inside.test", &[Ipv4Addr::LOCALHOST])]);
    let port = echo.port();
    let asked = json!([
        place("127.0.0.1", port),
        place("localhost", port),
        place("inside.test", port),
        place("169.254.169.254", 80),
        place("::1", port),
        place("::ffff:127.0.0.1", port),
        place("64:ff9b::7f00:1", port),
        place("*", 0),
    ]);
    let stage = Stage::with(&asked, &["--resolver", &names.argument()]);

    for host in [
        "127.0.0.1",
        "localhost",
        "inside.test",
        "169.254.169.254",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "10.0.0.1",
        "fd00:ec2::254",
    ] {
        let answer = stage.dials(host, port);
        assert_eq!(answer.code, 403, "{host}: {answer:?}");
        assert!(answer.reason().contains("connector") || !answer.reason().is_empty());
    }
    for odd in ["127.1", "0177.0.0.1", "0x7f000001", "2130706433"] {
        let answer = stage.dials(odd, port);
        assert_eq!(answer.code, 400, "{odd}: {answer:?}");
    }

    assert_eq!(echo.callers(), 0);
}

#[test]
fn what_a_name_means_is_asked_once_and_what_was_checked_is_what_is_dialled() {
    let echo = Echo::start();
    let elsewhere = Ipv4Addr::new(127, 9, 9, 9);
    let answers = [elsewhere, Ipv4Addr::LOCALHOST];
    let names = NameServer::start(&[("twofaced.test", &answers), ("inside.test", &answers[1..])]);
    let asked = json!([place("twofaced.test", echo.port())]);
    let stage = Stage::with(&asked, &["--resolver", &names.argument()]);

    // The first answer is checked, and refused; the second would be another.
    assert_eq!(stage.dials("twofaced.test", echo.port()).code, 403);
    assert_eq!(names.asked("twofaced.test"), 1);
    assert_eq!(stage.dials("twofaced.test", echo.port()).code, 403);

    assert_eq!(echo.callers(), 0);
    stage.grants("inside.test", echo.port(), &PRIVATE());
    let answer = stage.dials("inside.test", echo.port());
    assert_eq!(answer.value()["peer"], echo.address.to_string());
    assert_eq!(names.asked("inside.test"), 1);
}

#[test]
fn revoking_a_grant_closes_its_sockets_at_both_ends() {
    let echo = Echo::start();
    let stage = Stage::new(&json!([]));
    stage.grants("127.0.0.1", echo.port(), &PRIVATE());
    let socket = stage.connected("127.0.0.1", echo.port());

    let revoked = stage.runtime.hyperty(&["grants", "revoke", GRANTEE]);

    assert!(revoked.stdout.contains("1 socket was shut"), "{revoked:?}");
    eventually("the far end has seen the end", || echo.gone() == 1);
    let told = stage.asks(&json!({ "hungup": 10_000 }));
    assert!(
        told.value().as_str().unwrap().contains("revoked"),
        "{told:?}"
    );
    let said = stage.asks(&json!({ "say": "still there?", "socket": socket }));
    assert!(
        said.value()["failed"].is_string() || said.value() == "",
        "{said:?}"
    );
    assert_eq!(stage.dials("127.0.0.1", echo.port()).code, 403);
    let text = stage.runtime.hyperty(&["grants"]).stdout;
    assert!(text.contains("revoked"), "{text}");
}

#[test]
fn a_connector_that_is_killed_in_the_middle_answers_by_its_end() {
    let echo = Echo::start();
    let names = NameServer::start(&[]);
    let asked = json!([place("silent.test", 1)]);
    let stage = Stage::with(&asked, &["--resolver", &names.argument()]);
    stage.grants("127.0.0.1", echo.port(), &PRIVATE());
    let socket = stage.connected("127.0.0.1", echo.port());

    let answer = thread::scope(|scope| {
        let dialling = scope.spawn(|| {
            let role = protocol::frame::Role::Operator;
            let other =
                hyperty_tests::harness::Operator::connect_as(stage.runtime.endpoint(), role);
            let dial = json!({ "dial": place("silent.test", 1) });
            other.unwrap().ask("execute", &stage.dialler.address, &dial)
        });
        eventually("the name is asked for", || names.asked("silent.test") > 0);
        stage.connector().kill();
        dialling.join().unwrap()
    });

    assert_eq!(answer.code, 503, "{answer:?}");
    // What is open outlives it, and the next dial starts another.
    let said = stage.asks(&json!({ "say": "hello", "socket": socket }));
    assert_eq!(said.value(), "hello");
    some_time("a connection is made again", || {
        (stage.dials("127.0.0.1", echo.port()).code == 200).then_some(())
    });
}

#[test]
fn a_dial_that_nobody_answers_ends_in_time() {
    let names = NameServer::start(&[]);
    let asked = json!([place("silent.test", 1), place("nobody.test", 1)]);
    let stage = Stage::with(&asked, &["--resolver", &names.argument()]);

    let silent = stage.asks(&json!({ "dial": { "host": "silent.test", "port": 1, "ms": 400 } }));
    let nobody = stage.dials("nobody.test", 1);

    assert_eq!(silent.code, 408, "{silent:?}");
    assert_eq!(nobody.code, 404, "{nobody:?}");
}

#[test]
fn an_asker_that_is_killed_leaves_no_connection() {
    let echo = Echo::start();
    let stage = Stage::new(&json!([]));
    stage.grants("127.0.0.1", echo.port(), &PRIVATE());
    stage.connected("127.0.0.1", echo.port());

    stage.runtime.process_of(&stage.dialler).kill();

    eventually("the far end has seen the end", || echo.gone() == 1);
    eventually("nothing is open", || {
        stage.listing()["sockets"].as_array().unwrap().is_empty()
    });
}

#[test]
fn a_component_is_called_where_it_was_permitted_to_listen() {
    let stage = Stage::new(&json!([]));
    let listen = json!({ "host": "127.0.0.1", "port": 0, "protocol": "listen" });
    let refused = stage.asks(&json!({ "dial": listen }));
    assert_eq!(refused.code, 403, "{refused:?}");
    stage.grants("127.0.0.1", 0, &json!({ "protocol": "listen" }));

    let bound = stage.asks(&json!({ "dial": listen }));
    assert_eq!(bound.code, 200, "{bound:?}");
    let local = bound.value()["local"].as_str().unwrap().to_owned();
    let mut caller = TcpStream::connect(&local).unwrap();
    let caller_address = caller.local_addr().unwrap().to_string();
    let called = stage.asks(&json!({ "caller": 10_000 }));

    assert_eq!(called.value()["peer"], caller_address);
    caller.write_all(b"x").unwrap();
    let socket = called.value()["socket"].as_u64();
    let said = stage.asks(&json!({ "say": "y", "socket": socket }));
    assert_eq!(said.value(), "x");
    let mut came = [0];
    caller.read_exact(&mut came).unwrap();
    assert_eq!(&came, b"y");
    stage.runtime.hyperty(&["grants", "revoke", GRANTEE]);
    eventually("nobody listens any more", || {
        TcpStream::connect(&local).is_err()
    });
}

#[test]
fn datagrams_go_to_the_one_address_that_was_dialled() {
    let far = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = far.local_addr().unwrap().port();
    let stage = Stage::new(&json!([]));
    stage.grants(
        "127.0.0.1",
        port,
        &json!({ "private": true, "protocol": "udp" }),
    );

    let dial = json!({ "dial": { "host": "127.0.0.1", "port": port, "protocol": "udp" } });
    let answer = stage.asks(&dial);

    assert_eq!(answer.code, 200, "{answer:?}");
    let socket = answer.value()["socket"].as_u64();
    thread::spawn(move || {
        let mut bytes = [0; 64];
        let (read, from) = far.recv_from(&mut bytes).unwrap();
        far.send_to(&bytes[..read], from).unwrap();
    });
    let said = stage.asks(&json!({ "say": "ping", "socket": socket }));
    assert_eq!(said.value(), "ping");
}

#[test]
fn many_different_names_are_each_answered_and_leave_nothing_behind() {
    let names = NameServer::start(&[]);
    let asked = json!([place("*", 0)]);
    let stage = Stage::with(&asked, &["--resolver", &names.argument()]);
    let before = stage.dials("first.test", 1);
    assert_eq!(before.code, 404, "{before:?}");
    // What does not exist is remembered: it is not asked for again.
    assert_eq!(stage.dials("first.test", 1).code, 404);
    assert_eq!(names.asked("first.test"), 1);
    let before_bytes = resident_bytes(stage.runtime.supervisor());

    let all = json!({ "names": NAMES, "below": "test" }).to_string();
    let (operator, to) = (stage.runtime.operator(), &stage.dialler.address);
    let answer = operator.ask_bytes("execute", to, all.as_bytes(), MANY_WAIT);
    let answers = answer.unwrap().value().clone();
    let answers: BTreeMap<u16, usize> = serde_json::from_value(answers).unwrap();

    // Each has exactly one answer: the name's, or that it was too much at once.
    let known = [404, 429].map(|code| answers.get(&code).copied().unwrap_or(0));
    assert_eq!(known.iter().sum::<usize>(), NAMES, "{answers:?}");
    assert!(known[0] > 0 && known[1] > 0, "{answers:?}");
    let bytes = resident_bytes(stage.runtime.supervisor());
    assert!(bytes < before_bytes + GROWTH_MAX, "{before_bytes} {bytes}");
    let listing = stage.listing();
    assert_eq!(listing["pending"], 0);
}

#[test]
fn the_connector_is_locked_up_to_its_network() {
    let echo = Echo::start();
    let stage = Stage::new(&json!([]));
    stage.grants("127.0.0.1", echo.port(), &PRIVATE());
    stage.connected("127.0.0.1", echo.port());

    let connector = stage.connector();

    assert_eq!(connector.status_field("NoNewPrivs").unwrap(), "1");
    assert_eq!(connector.status_field("Seccomp").unwrap(), "2");
    assert_eq!(connector.status_field("Threads").unwrap(), "1");
    let sandboxes = stage.runtime.sandboxes();
    let sandbox = sandboxes
        .iter()
        .find(|it| it.profile == "connector")
        .unwrap();
    let level = sandbox.level.unwrap();
    assert_eq!(
        level,
        protocol::frame::Level::L2,
        "the machine's network is never L3"
    );
    assert!(sandbox.proofs.iter().any(|proof| proof == "open-file"));
    assert!(sandbox.proofs.iter().any(|proof| proof == "open-socket"));
    let capabilities = connector.status_field("CapEff").unwrap();
    assert_eq!(u64::from_str_radix(&capabilities, 16), Ok(0));
}

#[test]
fn certificates_come_from_the_file_that_the_operator_names() {
    let file = std::env::temp_dir().join(format!("roots-{}.pem", std::process::id()));
    let pem = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
    std::fs::write(&file, pem.repeat(3)).unwrap();
    let stage = Stage::with(&json!([]), &["--tls-roots", file.to_str().unwrap()]);

    let roots = stage.asks(&json!({ "roots": true }));
    std::fs::remove_file(&file).unwrap();

    assert_eq!(roots.value(), 3, "{roots:?}");
}

#[test]
fn what_is_granted_and_revoked_outlives_the_supervisor() {
    let echo = Echo::start();
    let stage = Stage::new(&json!([]));
    stage.grants("127.0.0.1", echo.port(), &PRIVATE());
    let catalogue = Catalogue::new().dialler("a.example", "Dialler", &json!([]));

    let home = stage.runtime.killed();
    let runtime = Runtime::with(catalogue).home(home).start();
    let dialler = runtime.deploy(DIALLER);
    let stage = Stage { runtime, dialler };

    stage.connected("127.0.0.1", echo.port());
}

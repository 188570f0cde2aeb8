//! `hyperty-node` as a process: what only real sockets, files and signals show.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used)]

mod node;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use hyperty_tests::harness::{WAIT_MAX, eventually, program};
use nix::sys::signal::Signal;
use node::{Node, Peer, REGISTRY, SM, Store, get};
use serde_json::json;

fn node(store: &Store) -> Node {
    let arguments = store.arguments();
    Node::start(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

fn again(node: Node, store: &Store) -> Node {
    let arguments = store.arguments();
    node.killed_and_started(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn two_runtimes_ask_and_answer_through_a_node() {
    let store = Store::new();
    let node = node(&store);
    let mut alice = Peer::open(&node, "alice");
    let mut bob = Peer::open(&node, "bob");

    let (from, to) = (alice.hyperty(), format!("{}/sm", bob.url));
    alice.say("create", &from, &to, &json!({"x": 1}));
    let asked = bob.hear();
    bob.say("response", &to, &from, &json!({"code": 200}));
    let answered = alice.hear();

    assert_eq!(
        (&asked["from"], &asked["body"]),
        (&json!(from), &json!({"x": 1}))
    );
    assert_eq!(
        (&answered["to"], &answered["body"]["code"]),
        (&json!(from), &json!(200))
    );
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let store = Store::new();
    let node = node(&store);
    let mut alice = Peer::open(&node, "alice");
    let from = format!("{}/registry/", alice.url);
    let room = format!("{}/room", "comm://example.org");
    alice.ask(
        "subscribe",
        &from,
        SM,
        &json!({"resources": [format!("{room}/subscription")]}),
    );

    let acknowledged: Vec<_> = (0..50)
        .map(|number| {
            let url = format!("hyperty://example.org/h{number}");
            let value = json!({"url": url, "user": "alice@example.org", "descriptor": "x"});
            let answer = alice.ask("create", &from, REGISTRY, &json!({"value": value}));
            assert_eq!(answer["code"], 200, "{answer}");
            url
        })
        .collect();
    let node = again(node, &store);
    let mut resumed = Peer::connect(&node.url(), node.at, &[]).unwrap();
    let session = format!("{}/{}", alice.url, alice.token);
    let answer = resumed.ask("re-open", &session, "mn:/session", &json!({}));
    let mut bob = Peer::open(&node, "bob");
    bob.say(
        "subscribe",
        &bob.hyperty(),
        &format!("{room}/subscription"),
        &json!({}),
    );

    assert_eq!(answer["code"], 200, "{answer}");
    assert_eq!(resumed.hear()["type"], "subscribe");
    for url in acknowledged {
        let found = bob.ask(
            "read",
            &bob.url.clone(),
            REGISTRY,
            &json!({"resource": url}),
        );
        assert_eq!(found["code"], 200, "{url}: {found}");
    }
}

#[test]
fn a_node_that_ends_in_order_says_so_and_keeps_everything() {
    let store = Store::new();
    let mut first = node(&store);
    let mut alice = Peer::open(&first, "alice");

    first.signal(Signal::SIGTERM);
    let end = alice.ended();
    let status = first.ended();
    let node = again(first, &store);
    let mut back = Peer::connect(&node.url(), node.at, &[]).unwrap();
    let session = format!("{}/{}", alice.url, alice.token);
    let answer = back.ask("re-open", &session, "mn:/session", &json!({}));

    assert_eq!(end, (1001, "this node stops: connect again".to_owned()));
    assert_eq!((status, &answer["code"]), (Some(0), &json!(200)));
}

#[test]
fn forged_senders_are_refused_and_then_closed() {
    let store = Store::new();
    let node = node(&store);
    let alice = Peer::open(&node, "alice");
    let mut bob = Peer::open(&node, "bob");
    let mut mallory = Peer::open(&node, "mallory");

    let first = mallory.ask("create", &alice.url, &format!("{}/sm", bob.url), &json!({}));
    for _ in 0..7 {
        mallory.say("create", &alice.url, &format!("{}/sm", bob.url), &json!({}));
    }
    let end = mallory.ended();

    assert_eq!(first["code"], 403, "{first}");
    assert_eq!(end, (1008, "messages from addresses of others".to_owned()));
    assert_eq!(bob.hear_all(), Vec::<serde_json::Value>::new());
    assert_eq!(node.number("messages_forged_total"), 8);
}

#[test]
fn garbage_ends_its_connection_and_no_other() {
    let store = Store::new();
    let node = node(&store);
    let mut alice = Peer::open(&node, "alice");
    let mut mallory = Peer::open(&node, "mallory");

    mallory.send("GET / HTTP/1.1\r\n\r\n");
    let (code, reason) = mallory.ended();

    assert_eq!(code, 1007);
    assert!(reason.starts_with("not a JSON message"), "{reason}");
    assert_eq!(alice.hear_all(), Vec::<serde_json::Value>::new());
}

// What a client sends to become a WebSocket.
fn upgraded(node: &Node) -> TcpStream {
    let mut stream = TcpStream::connect(node.at).unwrap();
    stream.set_read_timeout(Some(WAIT_MAX)).unwrap();
    let request = "GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                   sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        answer.extend_from_slice(&byte);
    }
    assert!(answer.starts_with(b"HTTP/1.1 101"));
    stream
}

#[test]
fn a_frame_of_4_gib_is_refused_by_its_length() {
    let store = Store::new();
    let node = node(&store);
    let mut stream = upgraded(&node);
    let resident = memory(&node);

    let mut frame = vec![0x81, 0xff];
    frame.extend_from_slice(&(4_u64 << 30).to_be_bytes());
    frame.extend_from_slice(&[0; 4]);
    stream.write_all(&frame).unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);

    assert!(
        memory(&node) < resident + 16 * 1024,
        "it did not ask for the memory"
    );
    let mut alice = Peer::open(&node, "alice");
    assert_eq!(alice.hear_all(), Vec::<serde_json::Value>::new());
}

// KiB that a node occupies.
fn memory(node: &Node) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.pid())).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

#[test]
fn bytes_that_drip_occupy_a_connection_and_nobody_else() {
    let store = Store::new();
    let mut arguments = store.arguments();
    arguments.extend(["--connections-max".into(), "3".into()]);
    let node = Node::start(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let mut slow = TcpStream::connect(node.at).unwrap();
    slow.write_all(b"GET /ws HT").unwrap();
    let half = upgraded(&node);

    let mut alice = Peer::open(&node, "alice");
    let mut refused = TcpStream::connect(node.at).unwrap();
    refused.set_read_timeout(Some(WAIT_MAX)).unwrap();
    let mut nothing = Vec::new();
    let end = refused.read_to_end(&mut nothing);
    drop(slow);
    drop(half);

    assert!(
        matches!(end, Ok(0) | Err(_)),
        "the fourth is closed: {end:?}"
    );
    eventually("there is room again", || {
        Peer::connect(&node.url(), node.at, &[]).is_ok()
    });
    assert_eq!(alice.hear_all(), Vec::<serde_json::Value>::new());
}

#[test]
fn tokens_let_in_and_keep_out() {
    let store = Store::new();
    let file = store.0.join("tokens.txt").display().to_string();
    let token = |arguments: &[&str]| {
        let mut run = Command::new(program("hyperty-node"));
        run.arg("token").args(arguments).args(["--tokens", &file]);
        let output = run.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let alice = token(&["issue", "alice"]);
    let bob = token(&["issue", "bob", "--runtime", "runtime://example.org/bob"]);
    let mut arguments = store.arguments();
    arguments.extend(["--tokens".into(), file.clone()]);
    let node = Node::start(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let connect =
        |url: &str, headers: &[(&'static str, &str)]| Peer::connect(url, node.at, headers);
    let in_url = format!("{}?token={alice}", node.url());
    let bearer = format!("Bearer {bob}");

    let without = connect(&node.url(), &[]).err();
    let wrong = connect(&format!("{}?token=hn1_0", node.url()), &[]).err();
    let mut peer = connect(&in_url, &[]).unwrap();
    let mut bobs = connect(&node.url(), &[("authorization", &bearer)]).unwrap();
    let other = bobs.ask(
        "open",
        "runtime://example.org/alice",
        "mn:/session",
        &json!({}),
    );
    let own = bobs.ask(
        "open",
        "runtime://example.org/bob",
        "mn:/session",
        &json!({}),
    );
    token(&["revoke", "alice"]);
    node.signal(Signal::SIGHUP);
    let end = peer.ended();
    let after = connect(&in_url, &[]).err();

    assert_eq!((without, wrong, after), (Some(401), Some(401), Some(401)));
    assert_eq!((&other["code"], &own["code"]), (&json!(403), &json!(200)));
    assert_eq!(end, (1008, "the token was taken back".to_owned()));
}

#[test]
fn pages_need_a_listed_origin_when_no_token_is_asked_for() {
    let store = Store::new();
    let mut arguments = store.arguments();
    arguments.extend(["--origin".into(), "https://good.example".into()]);
    let node = Node::start(&arguments.iter().map(String::as_str).collect::<Vec<_>>());

    let of = |origin: &str| Peer::connect(&node.url(), node.at, &[("origin", origin)]).err();

    assert_eq!(of("https://good.example"), None);
    assert_eq!(of("https://evil.example"), Some(403));
}

#[test]
fn what_is_open_to_a_network_is_so_because_somebody_said_it() {
    let run = |arguments: &[&str]| {
        let mut command = Command::new(program("hyperty-node"));
        let output = command
            .args(["serve", "--domain", "example.org"])
            .args(arguments)
            .output();
        let output = output.unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };

    let (plain, why_plain) = run(&["--listen", "0.0.0.0:0"]);
    let (open, why_open) = run(&["--listen", "0.0.0.0:0", "--plain"]);
    let (domain, why_domain) = run(&["--domain", "Example.ORG"]);

    assert_eq!([plain, open, domain], [Some(2); 3]);
    assert!(
        why_plain.contains("--tls-cert FILE --tls-key FILE"),
        "{why_plain}"
    );
    assert!(why_open.contains("--tokens FILE"), "{why_open}");
    assert!(!why_domain.is_empty());
}

#[test]
fn a_slow_reader_is_cut_and_may_resume() {
    let store = Store::new();
    let node = node(&store);
    let mut alice = Peer::open(&node, "alice");
    let slow = Peer::open(&node, "slow");
    let body = json!({"text": "x".repeat(500_000)});
    let (from, to) = (alice.hyperty(), format!("{}/sm", slow.url));

    eventually_cut(&node, &mut alice, &from, &to, &body);
    let mut back = Peer::connect(&node.url(), node.at, &[]).unwrap();
    let session = format!("{}/{}", slow.url, slow.token);
    let answer = back.ask("re-open", &session, "mn:/session", &json!({}));

    assert_eq!(answer["code"], 200, "{answer}");
}

// Sends until the one that does not read is disconnected; each message is an event, so
// that nobody answers.
fn eventually_cut(node: &Node, alice: &mut Peer, from: &str, to: &str, body: &serde_json::Value) {
    for _ in 0..200 {
        alice.say("event", from, to, body);
        alice.hear_all();
        if node.number("sessions_connected") == 1 {
            return;
        }
    }
    panic!("it was not cut");
}

#[test]
fn it_says_that_it_lives() {
    let store = Store::new();
    let node = node(&store);

    assert!(get(node.at, "/live").contains(r#""status":"up""#));
    assert!(get(node.metrics, "/live").starts_with("HTTP/1.1 200"));
    assert!(
        get(node.at, "/metrics").starts_with("HTTP/1.1 404"),
        "numbers are not for guests"
    );
}

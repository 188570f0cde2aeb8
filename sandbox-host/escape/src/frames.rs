//! BU, PO: what a component may not say on its link, byte for byte.

use protocol::codec::MAGIC;
use protocol::dial::{Dial, Transport};
use protocol::frame::{Confined, Hello, HostFrame, Level, Role};
use protocol::message::{Header, Message, MessageKind, Reply};
use protocol::{Code, version};
use serde_json::json;

/// Who is who when the bytes are made.
#[derive(Debug)]
pub(crate) struct Parties {
    pub(crate) own: String,
    pub(crate) witness: String,
    pub(crate) runtime: String,
}

/// Bytes for a link, once it is known who is who.
pub(crate) type Frames = fn(&Parties) -> Vec<u8>;

/// Id, title and bytes of each.
pub(crate) const CASES: &[(&str, &str, Frames)] = &[
    ("BU-01a", "speak in another component's name", |to| {
        say(MessageKind::Read, &to.witness, &to.witness, b"{}")
    }),
    ("BU-01b", "speak in the policy engine's name", |to| {
        say(
            MessageKind::Read,
            &format!("{}/pep", to.runtime),
            &to.witness,
            b"{}",
        )
    }),
    ("BU-01c", "speak in nobody's name", |to| {
        say(MessageKind::Read, "", &to.witness, b"{}")
    }),
    ("BU-01d", "speak in a name that begins like its own", |to| {
        say(
            MessageKind::Read,
            &format!("{}0", to.own),
            &to.witness,
            b"{}",
        )
    }),
    (
        "BU-03a",
        "dodge the policy by /p2phandler/ in the address",
        |to| {
            say(
                MessageKind::Read,
                &to.own,
                &format!("{}/p2phandler/x", to.witness),
                b"{}",
            )
        },
    ),
    ("BU-03b", "the same in its own address", |to| {
        say(
            MessageKind::Read,
            &format!("{}/p2phandler/x", to.own),
            &to.witness,
            b"{}",
        )
    }),
    (
        "BU-04",
        "every kind of message to whom it may not talk",
        |to| {
            let kinds = [
                "create",
                "read",
                "update",
                "delete",
                "subscribe",
                "unsubscribe",
                "response",
                "forward",
                "execute",
                "event",
                "gossip",
            ];
            kinds
                .iter()
                .flat_map(|kind| say(MessageKind::parse(kind), &to.own, &to.witness, b"{}"))
                .collect()
        },
    ),
    ("BU-05", "answer what somebody else was asked", |to| {
        (0..64)
            .flat_map(|id| answer(id, &to.witness, &to.own))
            .collect()
    }),
    ("BU-06a", "listen to what another component is told", |to| {
        listen(&to.own, &to.witness)
    }),
    ("BU-06b", "listen to the policy engine", |to| {
        listen(&to.own, &format!("{}/pep", to.runtime))
    }),
    ("BU-06c", "listen to everything", |to| listen(&to.own, "*")),
    ("BU-06d", "listen in another component's name", |to| {
        listen(&to.witness, &to.witness)
    }),
    ("BU-07", "take another component's address", |to| {
        frame(&HostFrame::Loaded {
            component: &to.witness,
        })
    }),
    ("BU-08", "the address in other spellings", |to| {
        let host = to.witness.replace("victim.example", "VICTIM.example");
        let spellings = [
            host,
            to.witness.replace("hyperty:", "HYPERTY:"),
            format!("{}/", to.witness),
            format!("{}/.", to.witness),
            to.witness.replace("victim", "%76ictim"),
            to.witness.replace("victim.example", "victim.example.:443"),
        ];
        spellings
            .iter()
            .flat_map(|to_it| say(MessageKind::Read, &to.own, to_it, b"{}"))
            .collect()
    }),
    ("BU-12a", "a frame that is nothing", |_| vec![0; 64]),
    ("BU-12b", "a header of 65 535 bytes", |_| {
        prefix(0x06, u16::MAX, 0)
    }),
    ("BU-12c", "a body of 4 GiB", |_| prefix(0x06, 1, u32::MAX)),
    ("BU-12d", "text in place of a frame", |_| {
        b"/home/user/.ssh/id_ed25519\n".to_vec()
    }),
    ("BU-12e", "no header where one belongs", |_| {
        prefix(0x06, 0, 0)
    }),
    ("BU-14", "ask without end, and never read an answer", |to| {
        say(
            MessageKind::Read,
            &to.own,
            &format!("{}/registry", to.runtime),
            b"{}",
        )
    }),
    (
        "BU-15a",
        "a hundred thousand messages to whom it may not talk",
        |to| say(MessageKind::Read, &to.own, &to.witness, b"{}"),
    ),
    ("BU-15b", "a hundred thousand unknown destinations", |to| {
        say(
            MessageKind::Read,
            &to.own,
            "hyperty://nowhere.example/0",
            b"{}",
        )
    }),
    ("BU-16a", "a kind of message that does not exist", |_| {
        raw(0x06, &[1, 200, 1, b'a', 1, b'b', 0, 0, 0])
    }),
    ("BU-16b", "addresses that are not text", |_| {
        raw(0x06, &[1, 1, 2, 0xff, 0xfe, 2, 0xff, 0xfe, 0, 0, 0])
    }),
    ("BU-16c", "a text of 2^60 bytes", |_| {
        raw(0x06, &[1, 1, 253, 0, 0, 0, 0, 0, 0, 0, 16])
    }),
    ("BU-16d", "bytes behind the header", |to| {
        let whole = say(MessageKind::Read, &to.own, &to.witness, b"");
        let header = whole.get(8..).unwrap_or_default();
        raw(0x06, &[header, &[0; 8]].concat())
    }),
    ("BU-17a", "greet again, as the operator", |_| {
        frame(&HostFrame::Hello(Hello {
            version: version::PROTOCOL,
            nonce: [0; 16],
            role: Role::Operator,
            build: "",
        }))
    }),
    ("BU-17b", "say what only the core says", |_| {
        prefix(0x86, 1, 0)
    }),
    ("BU-17c", "claim another level", |_| {
        frame(&HostFrame::Confined(Confined {
            level: Level::L3,
            landlock_abi: 9,
            profile: "native",
            proofs: "",
        }))
    }),
    ("BU-21", "learn from the answers who exists", |to| {
        let nobody = to
            .witness
            .replace(|letter: char| letter.is_ascii_digit(), "0");
        [&to.witness, &nobody]
            .iter()
            .flat_map(|to_it| say(MessageKind::Read, &to.own, to_it, b"{}"))
            .collect()
    }),
    ("PO-01a", "add a policy", |to| {
        room(to, "pep", r#"{"method":"addPolicy","params":["any",{}]}"#)
    }),
    ("PO-01b", "read the policies", |to| {
        say(
            MessageKind::Read,
            &to.own,
            &format!("{}/pep", to.runtime),
            b"{}",
        )
    }),
    ("PO-01c", "deploy another component", |to| {
        let deploy = br#"{"component":"hyperty/Script","provider":"escape.example"}"#;
        say(
            MessageKind::Create,
            &to.own,
            &format!("{}/ua", to.runtime),
            deploy,
        )
    }),
    ("PO-01d", "stop another component", |to| {
        room(
            to,
            "ua",
            &json!({ "method": "stop", "resource": to.witness }).to_string(),
        )
    }),
    ("PO-01e", "watch the traffic", |to| {
        say(
            MessageKind::Subscribe,
            &to.own,
            &format!("{}/bus", to.runtime),
            b"{}",
        )
    }),
    ("PO-01f", "read everybody's logs", |to| {
        say(
            MessageKind::Subscribe,
            &to.own,
            &format!("{}/sandboxes", to.runtime),
            br#"{"follow":true}"#,
        )
    }),
    ("PO-01g", "stop the runtime", |to| {
        room(to, "ua", r#"{"method":"shutdown"}"#)
    }),
    ("PO-01h", "grant itself a host", |to| {
        let grant = json!({ "component": &to.own, "host": "127.0.0.1", "private": true });
        let room = format!("{}/connections", to.runtime);
        say(
            MessageKind::Create,
            &to.own,
            &room,
            grant.to_string().as_bytes(),
        )
    }),
    ("NW-10f", "dial in another component's name", |to| {
        dial(&to.witness, "127.0.0.1", Transport::Tcp)
    }),
    ("NW-10g", "say that the connector has connected", |_| {
        let peer = "127.0.0.1:1";
        frame(&HostFrame::Connected { job: 1, peer })
    }),
    (
        "NW-10h",
        "hosts that are none, and any port to be called at",
        |to| {
            let odd = [
                "", "0x7f.1", "127.1", "a b", "a\0b", "[::1]", "a/b", "::1%lo",
            ];
            let mut all: Vec<u8> = odd
                .iter()
                .flat_map(|host| dial(&to.own, host, Transport::Tcp))
                .collect();
            all.extend(dial(&to.own, "0.0.0.0", Transport::Listen));
            all.extend(dial(&to.own, "127.0.0.1", Transport::Udp));
            all
        },
    ),
    ("NW-15f", "hang up what others have open", |_| {
        (0..256)
            .flat_map(|socket| frame(&HostFrame::Hangup { socket }))
            .collect()
    }),
];

fn dial(component: &str, host: &str, transport: Transport) -> Vec<u8> {
    frame(&HostFrame::Dial(Dial {
        component,
        request: 1,
        host,
        port: 9,
        transport,
        wait_ms: 1000,
    }))
}

fn frame(frame: &HostFrame<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What is too large to be said is no attempt; the empty list shows in the report.
    let _ = frame.encode(&mut bytes);
    bytes
}

fn say(kind: MessageKind<'_>, from: &str, to: &str, body: &[u8]) -> Vec<u8> {
    let header = Header {
        id: 7,
        kind,
        from,
        to,
        code: Code::NONE,
        reply: Reply::Within(1000),
        members: "",
    };
    frame(&HostFrame::Send(Message { header, body }))
}

fn answer(id: u64, from: &str, to: &str) -> Vec<u8> {
    let header = Header {
        id,
        kind: MessageKind::Response,
        from: to,
        to: from,
        code: Code::OK,
        reply: Reply::Unwanted,
        members: "",
    };
    frame(&HostFrame::Send(Message {
        header,
        body: br#"{"code":200}"#,
    }))
}

fn room(to: &Parties, room: &str, body: &str) -> Vec<u8> {
    say(
        MessageKind::Execute,
        &to.own,
        &format!("{}/{room}", to.runtime),
        body.as_bytes(),
    )
}

fn listen(component: &str, address: &str) -> Vec<u8> {
    frame(&HostFrame::Listen { component, address })
}

fn prefix(tag: u8, header: u16, body: u32) -> Vec<u8> {
    let mut bytes = vec![MAGIC, tag];
    bytes.extend(header.to_le_bytes());
    bytes.extend(body.to_le_bytes());
    bytes.extend([0; 64]);
    bytes
}

fn raw(tag: u8, header: &[u8]) -> Vec<u8> {
    let length = u16::try_from(header.len()).unwrap_or(u16::MAX);
    let mut bytes = vec![MAGIC, tag];
    bytes.extend(length.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(header);
    bytes
}

//! What a greeted local process may say: any bytes, in any pieces.
//!
//! The first byte of the input tells how long the pieces are. After each piece
//! the core audits itself: no bytes of a peer may break an invariant.
use std::cell::RefCell;
use std::time::Duration;

use core_supervisor::core::{Core, Settings};
use core_supervisor::event::{Actions, Event, Now, Peer};
use core_supervisor::ids::LinkId;
use core_supervisor::rooms::policy::{compile, shipped};
use protocol::frame::{Hello, Level, Role};
use protocol::{CoreFrame, HostFrame, codec};

thread_local! {
    // The rules compile once; a core is made for each input.
    static RULES: RefCell<Option<core_supervisor::rooms::policy::PolicySet>> = const { RefCell::new(None) };
}

/// Reads the bytes.
pub fn read(input: &[u8]) {
    let Some((&piece, bytes)) = input.split_first() else {
        return;
    };
    let (mut core, link, mut actions) = greeted();
    let mut held: Vec<u8> = Vec::new();
    for (at, piece) in bytes.chunks(usize::from(piece) + 1).enumerate() {
        held.extend_from_slice(piece);
        actions.clear();
        let now = now(u64::try_from(at).unwrap_or_default());
        core.handle(Event::Received { link, bytes: &held }, now, &mut actions);
        held.drain(..actions.consumed);
        core.audit().expect("no bytes of a peer break an invariant");
    }
}

fn greeted() -> (Core, LinkId, Actions) {
    let rules = RULES.with_borrow_mut(|rules| {
        rules
            .get_or_insert_with(|| compile(&shipped()).expect("the shipped rules compile"))
            .clone()
    });
    let settings = Settings {
        runtime: "hyperty-runtime://fuzz.example/rt"
            .parse()
            .expect("an address"),
        user: "user://fuzz.example/ann".parse().expect("a user"),
        min_level: Level::L2,
        max_level: Level::L3,
        token: None,
        starts_max: 2,
        spare_scripts: 0,
        spare_natives: 0,
        slots_max: 64,
        homes: Vec::new(),
        nodes: Vec::new(),
        sockets_max: 64,
        ceiling: core_supervisor::quota::Ceiling::default(),
        seed: [1; 32],
    };
    let (mut core, link, mut actions) = (Core::new(settings, rules), LinkId(1), Actions::default());
    core.handle(
        Event::Connected {
            link,
            peer: Peer::Local { pid: 1 },
        },
        now(0),
        &mut actions,
    );
    let mut hello = Vec::new();
    let welcome = codec::split(&actions.bytes)
        .ok()
        .flatten()
        .map(CoreFrame::decode);
    if let Some(Ok(CoreFrame::Welcome { version, nonce })) = welcome {
        let frame = Hello {
            version,
            nonce,
            role: Role::Operator,
            build: "fuzz",
        };
        HostFrame::Hello(frame)
            .encode(&mut hello)
            .expect("a hello fits");
    }
    actions.clear();
    core.handle(
        Event::Received {
            link,
            bytes: &hello,
        },
        now(0),
        &mut actions,
    );
    (core, link, actions)
}

fn now(step: u64) -> Now {
    Now {
        mono: Duration::from_millis(1_000 + step),
        wall_us: 1_700_000_000_000_000 + step,
    }
}

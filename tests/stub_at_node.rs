//! The session of `stub-message-node` over real connections to a real node.
//!
//! `MESSAGE_NODE_URL=ws://…` meets another make of node by hand.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used)]

mod node;

use std::sync::mpsc as std_mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hyperty_tests::harness::WAIT_MAX;
use node::{Node, Store};
use protocol::message::{Message, MessageKind, Reply};
use sandbox_net::{Direct, Network};
use serde_json::{Value, json};
use stub_message_node::config::Config;
use stub_message_node::session::{Effect, Session};
use stub_message_node::talk::{Told, talk};
use tokio::sync::mpsc;

/// A message that the core would hand over.
struct Order {
    id: u64,
    kind: &'static str,
    from: String,
    to: String,
    body: Value,
}

/// A session in a thread of its own, as the stub runs it.
struct Stub {
    orders: Option<mpsc::UnboundedSender<Order>>,
    effects: std_mpsc::Receiver<Effect>,
    seen: Vec<Effect>,
    thread: Option<JoinHandle<()>>,
}

impl Stub {
    fn start(url: &str, name: &str) -> Self {
        let config = json!({ "url": url }).to_string();
        let runtime = format!("hyperty-runtime://example.org/{name}");
        let config = Config::read(&config, &runtime).unwrap();
        let (orders, queue) = mpsc::unbounded_channel();
        let (tell, effects) = std_mpsc::channel();
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_all().build().unwrap();
            runtime.block_on(carry(config, queue, tell));
        };
        Self {
            orders: Some(orders),
            effects,
            seen: Vec::new(),
            thread: Some(std::thread::spawn(run)),
        }
    }

    fn live(url: &str, name: &str) -> Self {
        let mut stub = Self::start(url, name);
        stub.wait_status("live");
        stub
    }

    fn send(&self, order: Order) {
        self.orders.as_ref().unwrap().send(order).unwrap();
    }

    fn ask(&mut self, id: u64, kind: &'static str, from: &str, to: &str, body: Value) -> Value {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.send(Order {
            id,
            kind,
            from,
            to,
            body,
        });
        self.wait(|effect| match effect {
            Effect::Deliver(inbound) if inbound.kind == "response" && inbound.id == id => {
                Some(serde_json::from_str(&inbound.body).unwrap())
            }
            Effect::Answer(refused) if refused.id == id => Some(json!({"code": refused.code.0})),
            _ => None,
        })
    }

    fn wait_status(&mut self, wanted: &str) {
        self.wait(|effect| match effect {
            Effect::Status(value, _) if *value == wanted => Some(()),
            _ => None,
        });
    }

    fn hear(&mut self) -> (String, Value) {
        self.wait(|effect| match effect {
            Effect::Deliver(inbound) if inbound.kind != "response" => Some((
                inbound.to.clone(),
                serde_json::from_str(&inbound.body).unwrap(),
            )),
            _ => None,
        })
    }

    fn wait<T>(&mut self, wanted: impl Fn(&Effect) -> Option<T>) -> T {
        let end = Instant::now() + WAIT_MAX;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.effects.recv_timeout(left) {
                Ok(effect) => {
                    let found = wanted(&effect);
                    self.seen.push(effect);
                    if let Some(found) = found {
                        return found;
                    }
                }
                Err(
                    std_mpsc::RecvTimeoutError::Timeout | std_mpsc::RecvTimeoutError::Disconnected,
                ) => panic!("it did not happen; what did: {:#?}", self.seen),
            }
        }
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.orders = None;
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            assert!(matches!(ended, Some(Ok(()))), "the session's thread failed");
        }
    }
}

async fn carry(
    config: Config,
    mut orders: mpsc::UnboundedReceiver<Order>,
    tell: std_mpsc::Sender<Effect>,
) {
    let network = Network::new(Direct::trusting(Vec::new()));
    let start = Instant::now();
    let now = || u64::try_from(start.elapsed().as_millis()).unwrap();
    let mut session = Session::new(config.clone(), 7, 0);
    let (mut texts, mut told) = (None::<mpsc::Sender<String>>, mpsc::channel::<Told>(1).1);
    loop {
        for effect in session.effects() {
            match effect {
                Effect::Connect(ref url) => {
                    let (text, queue) = mpsc::channel(1);
                    let (speak, listen) = mpsc::channel(32);
                    tokio::spawn(talk(
                        network.clone(),
                        config.clone(),
                        url.clone(),
                        queue,
                        speak,
                    ));
                    (texts, told) = (Some(text), listen);
                }
                Effect::Hangup => texts = None,
                _ => {}
            }
            let _ = tell.send(effect);
        }
        let due = session.wakes_at().min(now() + 60_000).saturating_sub(now());
        let has_text = session.has_text();
        let room = async {
            match texts.clone().filter(|_| has_text) {
                Some(texts) => texts.reserve_owned().await.ok(),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            order = orders.recv() => match order {
                Some(order) => {
                    let body = order.body.to_string();
                    let kind = MessageKind::parse(order.kind);
                    let message = Message::new(kind, &order.from, &order.to, body.as_bytes());
                    let reply = if kind.is_request() { Reply::Untimed } else { Reply::Unwanted };
                    let mut message = message.with_id(order.id).expecting(reply);
                    let code = order.body["code"].as_u64().and_then(|code| code.try_into().ok());
                    message.header.code = protocol::Code(code.unwrap_or(0));
                    session.send(&message, now());
                }
                None => return,
            },
            Some(happened) = told.recv() => match happened {
                Told::Opened => session.opened(now()),
                Told::Text(text) => session.text(&text, now()),
                Told::Ended(why) => {
                    texts = None;
                    session.lost(&why, now());
                }
            },
            Some(room) = room => {
                if let Some(text) = session.next_text() {
                    room.send(text);
                }
            },
            () = tokio::time::sleep(Duration::from_millis(due)) => session.tick(now()),
        }
    }
}

const SM: &str = "domain://msg-node.example.org/sm";
const ALICE: &str = "hyperty://example.org/alice";
const BOB: &str = "hyperty://example.org/bob";

fn exchange(url: &str) {
    let mut alice = Stub::live(url, "ra");
    let mut bob = Stub::live(url, "rb");
    let listen = |resources: Value| json!({ "resources": resources });
    let routed = [
        alice.ask(
            1,
            "subscribe",
            "hyperty-runtime://example.org/ra/subscriptions",
            SM,
            listen(json!([ALICE])),
        ),
        bob.ask(
            1,
            "subscribe",
            "hyperty-runtime://example.org/rb/subscriptions",
            SM,
            listen(json!([BOB])),
        ),
        bob.ask(
            2,
            "subscribe",
            "hyperty-runtime://example.org/rb/sm",
            SM,
            listen(json!(["comm://example.org/o/changes"])),
        ),
    ];

    alice.send(Order {
        id: 5,
        kind: "create",
        from: ALICE.into(),
        to: BOB.into(),
        body: json!({"x": 1}),
    });
    let (to, asked) = bob.hear();
    bob.send(Order {
        id: 5,
        kind: "response",
        from: BOB.into(),
        to: ALICE.into(),
        body: json!({"code": 200, "y": 2}),
    });
    let answered = alice.wait(|effect| match effect {
        Effect::Deliver(inbound) if inbound.id == 5 => Some(inbound.body.clone()),
        _ => None,
    });
    alice.send(Order {
        id: 6,
        kind: "update",
        from: "comm://example.org/o".into(),
        to: "comm://example.org/o/changes".into(),
        body: json!({"version": 2}),
    });
    let (channel, change) = bob.hear();

    assert!(
        routed.iter().all(|answer| answer["code"] == 200),
        "{routed:?}"
    );
    assert_eq!((to.as_str(), &asked["x"]), (BOB, &json!(1)));
    assert!(answered.contains(r#""y":2"#), "{answered}");
    assert_eq!(
        (channel.as_str(), &change["version"]),
        ("comm://example.org/o/changes", &json!(2))
    );
}

#[test]
fn two_stubs_exchange_through_a_node() {
    if let Ok(url) = std::env::var("MESSAGE_NODE_URL") {
        return exchange(&url);
    }
    let store = Store::new();
    let arguments = store.arguments();
    let node = Node::start(&arguments.iter().map(String::as_str).collect::<Vec<_>>());

    exchange(&node.url());
}

#[test]
fn a_node_that_is_killed_in_mid_traffic_costs_no_request_its_answer() {
    let store = Store::new();
    let arguments = store.arguments();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let mut node = Node::start(&arguments);
    let mut alice = Stub::live(&node.url(), "ra");
    let mut bob = Stub::live(&node.url(), "rb");
    bob.ask(
        1,
        "subscribe",
        "hyperty-runtime://example.org/rb/subscriptions",
        SM,
        json!({"resources": [BOB]}),
    );

    let mut ends = Vec::new();
    for round in 0..3 {
        for id in 0..20 {
            let id = 100 * (round + 1) + id;
            alice.send(Order {
                id,
                kind: "read",
                from: ALICE.into(),
                to: "domain://registry.example.org".into(),
                body: json!({"resource": BOB}),
            });
        }
        node = node.killed_and_started(&arguments);
        alice.wait_status("live");
        bob.wait_status("live");
        ends.push(alice.ask(
            round + 1,
            "read",
            ALICE,
            "domain://registry.example.org",
            json!({"resource": BOB}),
        ));
    }
    alice.send(Order {
        id: 7,
        kind: "create",
        from: ALICE.into(),
        to: BOB.into(),
        body: json!({}),
    });
    let (to, _) = bob.hear();

    assert!(ends.iter().all(|end| end["code"] == 404), "{ends:?}");
    assert_eq!(to, BOB, "routes were kept by the node");
    let mut ids: Vec<u64> = alice
        .seen
        .iter()
        .filter_map(|effect| match effect {
            Effect::Deliver(inbound) if inbound.kind == "response" => Some(inbound.id),
            Effect::Answer(refused) => Some(refused.id),
            _ => None,
        })
        .collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "no request was answered twice");
}

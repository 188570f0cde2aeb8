//! Two runtimes of one domain, with a node between them.

use serde_json::json;

use super::catalogue::Catalogue;
use super::node::{Kind, Node};
use super::place::TempDir;
use super::runtime::Runtime;
use super::wait::eventually;

/// Two runtimes that reach each other.
#[derive(Debug)]
pub struct Pair {
    /// The first.
    pub one: Runtime,
    /// The second.
    pub other: Runtime,
    /// What is between them.
    pub node: Node,
    fixture: &'static str,
}

impl Pair {
    /// Starts a node of this kind and two runtimes with the catalogue of a fixture, and
    /// waits until both are live; nothing where the node is not installed.
    ///
    /// # Panics
    ///
    /// When they do not get there.
    #[track_caller]
    pub fn start(kind: Kind, domain: &str, fixture: &'static str) -> Option<Self> {
        let node = Node::start(kind, domain)?;
        let one = runtime(&node, fixture, TempDir::new());
        let other = runtime(&node, fixture, TempDir::new());
        let pair = Self {
            one,
            other,
            node,
            fixture,
        };
        pair.is_live();
        Some(pair)
    }

    /// Waits until both are live in the domain.
    ///
    /// # Panics
    ///
    /// When they do not get there.
    #[track_caller]
    pub fn is_live(&self) {
        for (runtime, which) in [(&self.one, "one"), (&self.other, "other")] {
            eventually(&format!("the {which} runtime is live"), || {
                is_live(runtime, self.node.domain())
            });
        }
    }

    /// Kills the other runtime and starts it again with what it had kept.
    ///
    /// # Panics
    ///
    /// When it does not get live again.
    #[must_use]
    #[track_caller]
    pub fn with_other_killed(self) -> Self {
        let Self {
            one,
            other,
            node,
            fixture,
        } = self;
        let home = other.killed();
        let other = runtime(&node, fixture, home);
        let pair = Self {
            one,
            other,
            node,
            fixture,
        };
        pair.is_live();
        pair
    }

    /// Kills the process of a runtime's stub, and waits until it is live again.
    ///
    /// # Panics
    ///
    /// When it does not get live again.
    #[track_caller]
    pub fn kill_stub_of(runtime: &Runtime) {
        let components = runtime.components();
        let is_stub = |c: &&protocol::api::user_agent::Component| !c.session.is_empty();
        let stub = components.iter().find(is_stub).expect("a stub runs");
        let restarts = stub.restarts;
        runtime.process_of(stub).kill();
        eventually("the stub is started again", || {
            let now = runtime.component(&stub.address);
            now.restarts > restarts && now.session == "live"
        });
    }
}

/// Whether a runtime is live in a domain that it belongs to.
pub fn is_live(runtime: &Runtime, domain: &str) -> bool {
    let answer = runtime
        .operator()
        .ask_room("read", "registry", &json!({ "remote": true }));
    let domains = answer.value()["domains"].as_array().cloned();
    let mut its = domains.into_iter().flatten();
    its.any(|known| known["name"] == domain && known["session"] == "live")
}

fn runtime(node: &Node, fixture: &str, home: TempDir) -> Runtime {
    Runtime::with(Catalogue::fixture(fixture))
        .arguments(&["--domain", node.domain(), "--node", &node.url()])
        .home(home)
        .start()
}

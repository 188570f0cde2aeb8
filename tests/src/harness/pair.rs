//! Two runtimes of one domain, with a node between them.

use serde_json::json;

use super::catalogue::Catalogue;
use super::hosts::{Host, Hosts};
use super::node::{Kind, Node};
use super::place::TempDir;
use super::runtime::Runtime;
use super::wait::eventually;

/// What is between two runtimes.
#[derive(Debug, Clone, Copy)]
pub struct Between {
    /// The node.
    pub kind: Kind,
    /// Whether each of the three has a machine of its own.
    pub is_far: bool,
}

/// Two runtimes that reach each other.
#[derive(Debug)]
pub struct Pair {
    /// The first.
    pub one: Runtime,
    /// The second.
    pub other: Runtime,
    /// What is between them.
    pub node: Node,
    /// Where they are, when each is on a machine of its own.
    pub hosts: Option<Hosts>,
    catalogue: fn() -> Catalogue,
}

impl Pair {
    /// Starts a node of this kind and two runtimes with this catalogue, and waits until
    /// both are live; nothing where the node is not installed, or there can be no other
    /// machines.
    ///
    /// # Panics
    ///
    /// When they do not get there.
    #[track_caller]
    pub fn start(between: Between, domain: &str, catalogue: fn() -> Catalogue) -> Option<Self> {
        let hosts = if between.is_far {
            Some(Hosts::apart()?)
        } else {
            None
        };
        let places = hosts.as_ref().map(|it| [&it.one, &it.node, &it.other]);
        let [one, node, other] = places.map_or_else(here, |places| places.map(Host::clone));
        let node = Node::start_on(node, between.kind, domain)?;
        let [one, other] =
            [one, other].map(|host| runtime(&node, catalogue, &host, TempDir::new()));
        let pair = Self {
            one,
            other,
            node,
            hosts,
            catalogue,
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

    /// Kills the first runtime; does something meanwhile with the second one; starts it
    /// again with what it had kept.
    ///
    /// # Panics
    ///
    /// When it does not get live again.
    #[must_use]
    #[track_caller]
    pub fn with_one_killed(self, meanwhile: impl FnOnce(&Runtime)) -> Self {
        self.swapped().with_other_killed(meanwhile).swapped()
    }

    /// The same with the second runtime.
    ///
    /// # Panics
    ///
    /// When it does not get live again.
    #[must_use]
    #[track_caller]
    pub fn with_other_killed(self, meanwhile: impl FnOnce(&Runtime)) -> Self {
        let (host, home) = (self.other.host().clone(), self.other.killed());
        meanwhile(&self.one);
        let other = runtime(&self.node, self.catalogue, &host, home);
        let pair = Self { other, ..self };
        pair.is_live();
        pair
    }

    /// Kills the node, does something meanwhile, and starts the node again.
    ///
    /// # Panics
    ///
    /// When both runtimes do not get live again.
    #[track_caller]
    pub fn kill_node(&mut self, meanwhile: impl FnOnce(&Self)) {
        self.node.kill();
        for runtime in [&self.one, &self.other] {
            eventually("the runtime has noticed", || {
                !is_live(runtime, self.node.domain())
            });
        }
        meanwhile(self);
        self.node.start_again();
        self.is_live();
    }

    /// Kills the process of a runtime's stub, and waits until it is live again.
    ///
    /// # Panics
    ///
    /// When it does not get live again.
    #[track_caller]
    pub fn kill_stub_of(runtime: &Runtime) {
        let components = runtime.components();
        let mut stubs = components
            .iter()
            .filter(|component| !component.session.is_empty());
        let stub = stubs.next().expect("a stub runs");
        let restarts = stub.restarts;
        runtime.process_of(stub).kill();
        eventually("the stub is started again", || {
            let now = runtime.component(&stub.address);
            now.restarts > restarts && now.session == "live"
        });
    }

    fn swapped(self) -> Self {
        Self {
            one: self.other,
            other: self.one,
            ..self
        }
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

fn here() -> [Host; 3] {
    [Host::here(), Host::here(), Host::here()]
}

fn runtime(node: &Node, catalogue: fn() -> Catalogue, host: &Host, home: TempDir) -> Runtime {
    Runtime::with(catalogue())
        .on(host)
        .arguments(&["--domain", node.domain(), "--node", &node.url()])
        .home(home)
        .start()
}

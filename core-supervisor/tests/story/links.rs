//! Links of a story: how they come to be, and how their processes end.

use core_supervisor::event::{Event, Exit, Peer};
use core_supervisor::ids::{LinkId, SandboxId};
use protocol::HostFrame;
use protocol::frame::{Confined, Hello, Level, Role};

use super::{Heard, Side, Story};

impl Story {
    pub fn operator(&mut self) -> (LinkId, String) {
        if let Some(operator) = &self.operator {
            return operator.clone();
        }
        let operator = self.local(Role::Operator);
        self.operator = Some(operator.clone());
        operator
    }

    /// Connects a local process under a role.
    pub fn local(&mut self, role: Role<'_>) -> (LinkId, String) {
        let link = self.connect();
        self.greet(link, role);
        let start = self
            .heard_on(link)
            .into_iter()
            .find_map(|heard| match heard {
                Heard::Start { address } => Some(address),
                _ => None,
            });
        (link, start.expect("the core says who we are"))
    }

    pub fn connect(&mut self) -> LinkId {
        let link = self.new_link(None);
        self.happens(Event::Connected {
            link,
            peer: Peer::Local { pid: 1 },
        });
        link
    }

    pub fn greet(&mut self, link: LinkId, role: Role<'_>) {
        let nonce = self.sides[&link].nonce;
        let version = protocol::version::PROTOCOL;
        self.says(
            link,
            &HostFrame::Hello(Hello {
                version,
                nonce,
                role,
                build: "story",
            }),
        );
    }

    pub fn confine(&mut self, link: LinkId, level: Level) {
        let profile = self.sides[&link].profile.clone();
        let confined = Confined {
            level,
            landlock_abi: 7,
            profile: &profile,
            proofs: "open",
        };
        self.says(link, &HostFrame::Confined(confined));
    }

    /// Ends the process of a sandbox.
    pub fn crash(&mut self, name: &str, exit: Exit) {
        let link = self.link(name);
        let sandbox = self.sides[&link].sandbox.unwrap();
        self.killed.push(sandbox);
        self.launched.remove(&sandbox);
        self.is_cut(link);
        self.happens(Event::Exited { sandbox, exit });
    }

    pub fn crash_sandbox(&mut self, sandbox: SandboxId, exit: Exit) {
        self.killed.push(sandbox);
        if let Some(link) = self.launched.remove(&sandbox) {
            self.is_cut(link);
        }
        self.happens(Event::Exited { sandbox, exit });
    }

    // The process at the other end is gone.
    fn is_cut(&mut self, link: LinkId) {
        let side = self.sides.get_mut(&link);
        if side.is_some_and(|side| !std::mem::replace(&mut side.is_closed, true)) {
            self.happens(Event::Closed { link });
        }
    }

    pub(super) fn new_link(&mut self, sandbox: Option<SandboxId>) -> LinkId {
        let link = LinkId(self.next_link);
        self.next_link += 1;
        self.sides.insert(
            link,
            Side {
                sandbox,
                ..Side::default()
            },
        );
        link
    }
}

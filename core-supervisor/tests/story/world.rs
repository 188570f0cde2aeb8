//! The world of a story: sandboxes that greet, claim and load; packages out of a table.

use std::collections::{BTreeMap, BTreeSet};

use core_supervisor::event::{Action, Confinement, ConnectorRead, Event, Exit, Job, Peer, SlotEnd};
use core_supervisor::ids::{LinkId, ProgramId, SandboxId, Ticket};
use core_supervisor::quota::Quota;
use core_supervisor::rooms::catalogue::elsewhere::AskedFor;
use core_supervisor::rooms::catalogue::trust::Seal;
use core_supervisor::rooms::catalogue::{self, Descriptor, PackageFailure, PackageRead};
use protocol::api::connections::{Names, Pattern};
use protocol::dial::Transport;
use protocol::frame::{ComponentKind, Level, Role};
use protocol::nursery::Engine;
use protocol::{Code, CoreFrame, HostFrame, codec};

use super::{Heard, Side, Story};

/// The memory for large bodies.
#[derive(Debug, Default)]
pub struct Lender {
    /// Slots that are not sealed.
    pub slots: BTreeSet<u64>,
    /// Whether none can be made.
    pub fails: bool,
}

/// The sockets of the network that the shell of a story keeps.
#[derive(Debug, Default)]
pub struct Wires {
    /// Those that are kept and not shut.
    pub open: BTreeSet<u64>,
    /// How many came that nobody wanted.
    pub unwanted: usize,
    /// Whether the connector's frames come without a socket.
    pub fails: bool,
    /// Why the connector's program cannot be read.
    pub unreadable: Option<String>,
    /// What the machine's files say about names.
    pub names: Names,
}

impl Story {
    // One arm for each action: splitting the list would hide what is missing.
    #[allow(clippy::too_many_lines)]
    pub fn act(&mut self, action: Action, bytes: &[u8]) {
        match action {
            Action::Send { link, bytes: range }
            | Action::SendProgram {
                link, bytes: range, ..
            } => {
                self.hears(link, &bytes[range]);
            }
            Action::SendSlot {
                link,
                bytes: range,
                slot,
                end,
            } => {
                if self.lender.fails {
                    self.happens(Event::NotLent { slot });
                    return;
                }
                if end == SlotEnd::Reading {
                    self.lender.slots.insert(slot.0);
                }
                assert!(self.lender.slots.contains(&slot.0), "{slot} has no memory");
                self.hears(link, &bytes[range]);
            }
            Action::Seal { slot } => {
                self.lender.slots.remove(&slot.0);
            }
            Action::Audit { entry } => self.audited.push(*entry),
            Action::TakeSocket { socket: None, .. } => self.wires.unwanted += 1,
            Action::TakeSocket {
                socket: Some(socket),
                ..
            } => {
                if self.wires.fails {
                    let reason = "no socket came along";
                    self.happens(Event::NotTaken { socket, reason });
                } else {
                    self.wires.open.insert(socket.0);
                }
            }
            Action::SendSocket {
                link,
                bytes: range,
                socket,
            } => {
                if self.wires.open.contains(&socket.0) {
                    self.hears(link, &bytes[range]);
                }
            }
            Action::Shut { socket } => {
                self.wires.open.remove(&socket.0);
            }
            Action::Work(Job::ReadConnector { ticket }) => {
                let read = ConnectorRead {
                    program: ProgramId(900),
                    names: self.wires.names.clone(),
                };
                let result = self.wires.unreadable.clone().map_or(Ok(read), Err);
                self.happens(Event::ConnectorRead { ticket, result });
            }
            Action::Work(Job::ReadNames) => {
                let names = self.wires.names.clone();
                self.happens(Event::NamesRead { names });
            }
            Action::Work(Job::ReadRoots { ticket }) => {
                let result = Ok((ProgramId(901), 10));
                self.happens(Event::RootsRead { ticket, result });
            }
            Action::Close { link, .. } => {
                if let Some(side) = self.sides.get_mut(&link) {
                    side.is_closed = true;
                }
            }
            Action::Launch { sandbox, spec } => match self.fails_to_launch.clone() {
                None => self.launch(sandbox, spec.profile),
                Some(reason) => {
                    self.happens(Event::NotLaunched { sandbox, reason });
                }
            },
            Action::Pause { sandbox } => {
                self.paused.insert(sandbox);
                self.paused_last = Some(sandbox);
            }
            Action::Resume { sandbox } => {
                self.paused.remove(&sandbox);
            }
            Action::Kill { sandbox } => self.kill(sandbox),
            Action::Inspect { sandbox, .. } => {
                let seen = Confinement {
                    no_new_privs: true,
                    seccomp_filtered: true,
                    threads: 1,
                    own_namespaces: true,
                    no_capabilities: true,
                };
                let seen = self.inspects_as.unwrap_or(seen);
                self.happens(Event::Inspected {
                    sandbox,
                    seen: Ok(seen),
                });
            }
            Action::Work(Job::ReadPackage { ticket, wanted })
                if self.holds_packages && wanted.is_exact =>
            {
                self.held_packages.push_back((ticket, wanted));
            }
            Action::Work(Job::ReadPackage { ticket, wanted }) => self.read_package(ticket, &wanted),
            Action::Work(Job::ReadCatalogue { ticket, .. } | Job::CompilePolicy { ticket }) => {
                self.ticket = Some(ticket);
            }
            Action::Work(Job::ReadSchema { ticket, wanted, .. }) => {
                let result = Ok(self.schemas.get(&wanted.name).cloned());
                let elsewhere = None;
                self.happens(Event::SchemaRead {
                    ticket,
                    result,
                    elsewhere,
                });
            }
            Action::Work(Job::Keep { ticket, arrived }) => {
                self.arrived.push_back((ticket, *arrived));
            }
            Action::Persist { ticket, changes } => self.persist(ticket, changes),
            Action::Work(
                Job::Manage { .. } | Job::DropRelease { .. } | Job::KeepReleases { .. },
            )
            | Action::Forget { .. }
            | Action::Record { .. } => {}
            Action::Exit => self.is_over = true,
        }
    }

    fn launch(&mut self, sandbox: SandboxId, profile: String) {
        let link = self.new_link(Some(sandbox));
        self.sides.get_mut(&link).unwrap().profile = profile;
        self.launched.insert(sandbox, link);
        self.next_pid += 1;
        let pid = self.next_pid;
        self.happens(Event::Connected {
            link,
            peer: Peer::Sandbox(sandbox),
        });
        self.happens(Event::Launched { sandbox, pid });
        if self.greets {
            self.greet(link, Role::Sandbox);
            self.confine(link, Level::L3);
        }
    }

    fn kill(&mut self, sandbox: SandboxId) {
        if self.killed.contains(&sandbox) {
            return;
        }
        self.crash_sandbox(sandbox, Exit::Signal(9));
    }

    /// Lets the packages come that were held back.
    pub fn packages_come(&mut self) {
        self.holds_packages = false;
        while let Some((ticket, wanted)) = self.held_packages.pop_front() {
            self.read_package(ticket, &wanted);
        }
    }

    fn read_package(&mut self, ticket: Ticket, wanted: &catalogue::Wanted) {
        let name = if wanted.is_exact {
            let name = format!("{}@{}", wanted.component, wanted.provider);
            self.sought.push(name.clone());
            name
        } else {
            wanted.component.clone()
        };
        let elsewhere = self.elsewhere.clone().filter(|_| !wanted.is_here);
        let result = if let Some(mut elsewhere) = elsewhere.filter(|at| at.item.name == name) {
            elsewhere.asked = AskedFor::Package(wanted.clone());
            Err(PackageFailure {
                code: Code::NOT_FOUND,
                reason: format!("no catalogue has `{name}`"),
                elsewhere: Some(Box::new(elsewhere)),
            })
        } else if wanted.is_exact && !self.on_demand.contains(&name) {
            Err(PackageFailure {
                code: Code::NOT_FOUND,
                reason: format!("no catalogue has `{}`", wanted.component),
                elsewhere: None,
            })
        } else {
            package(&name).and_then(self.edit)
        };
        self.happens(Event::PackageRead {
            ticket,
            result: Box::new(result),
        });
    }

    fn hears(&mut self, link: LinkId, mut bytes: &[u8]) {
        let total = bytes.len();
        while let Some(raw) = codec::split(bytes).unwrap() {
            bytes = &bytes[raw.bytes.len()..];
            let heard = heard(
                CoreFrame::decode(raw).unwrap(),
                self.sides.get_mut(&link).unwrap(),
            );
            let load = match &heard {
                Heard::Load { component } | Heard::Exec { component } => Some(component.clone()),
                _ => None,
            };
            let Some(side) = self.sides.get_mut(&link) else {
                return;
            };
            side.heard.push_back(heard);
            if let Some(component) = &load {
                self.loaded_on.insert(component.parse().unwrap(), link);
            }
            if let Some(component) = load.filter(|_| self.loads) {
                self.says(
                    link,
                    &HostFrame::Loaded {
                        component: &component,
                    },
                );
            }
        }
        if self.deaf != Some(link) {
            self.happens(Event::Written { link, bytes: total });
        } else if let Some(side) = self.sides.get_mut(&link) {
            side.owed += total;
        }
    }

    /// Lets a link that was deaf take what waits for it.
    pub fn drains(&mut self, link: LinkId) {
        let bytes = std::mem::take(&mut self.sides.get_mut(&link).unwrap().owed);
        self.happens(Event::Written { link, bytes });
    }
}

fn heard(frame: CoreFrame<'_>, side: &mut Side) -> Heard {
    match frame {
        CoreFrame::Welcome { nonce, .. } => {
            side.nonce = nonce;
            Heard::Welcome
        }
        CoreFrame::Load(load, _) => Heard::Load {
            component: load.component.to_owned(),
        },
        CoreFrame::Exec(exec) => Heard::Exec {
            component: exec.component.to_owned(),
        },
        CoreFrame::Start(start) => Heard::Start {
            address: start.address.to_owned(),
        },
        CoreFrame::Unload { component } => Heard::Unload {
            component: component.to_owned(),
        },
        CoreFrame::Deliver(message) => Heard::Message {
            kind: message.header.kind.as_str().to_owned(),
            from: message.header.from.to_owned(),
            to: message.header.to.to_owned(),
            id: message.header.id,
            code: message.header.code,
            body: String::from_utf8_lossy(message.body).into_owned(),
        },
        CoreFrame::Listening { address, code, .. } => Heard::Listening {
            address: address.to_owned(),
            code,
        },
        CoreFrame::Ping { token } => Heard::Ping { token },
        CoreFrame::Stop { .. } => Heard::Stop,
        CoreFrame::Borrow { slot, .. } => Heard::Slot("borrow", slot),
        CoreFrame::Lend(lend) => Heard::Slot("lend", lend.slot),
        CoreFrame::DeliverBy(sent) => Heard::Slot("deliver", sent.slot),
        CoreFrame::Returned { slot } => Heard::Slot("returned", slot),
        CoreFrame::Unsent { slot } => Heard::Slot("unsent", slot),
        CoreFrame::Revoke { slot } => Heard::Slot("revoke", slot),
        CoreFrame::Seed { component, items } => Heard::Seed {
            component: component.to_owned(),
            items: String::from_utf8_lossy(items).into_owned(),
        },
        CoreFrame::Socket {
            request, socket, ..
        } => Heard::Network("socket", request, socket),
        CoreFrame::NotDialled(told) => {
            Heard::Network("not dialled", told.request, u64::from(told.code.0))
        }
        CoreFrame::Bound {
            request, socket, ..
        } => Heard::Network("bound", request, socket),
        CoreFrame::Accepted {
            listener, socket, ..
        } => Heard::Network("accepted", listener, socket),
        CoreFrame::Hungup { socket, .. } => Heard::Network("hungup", socket, 0),
        CoreFrame::Roots { bytes } => Heard::Network("roots", 0, u64::from(bytes)),
        CoreFrame::NoRoots { .. } => Heard::Network("no roots", 0, 0),
        CoreFrame::Connect(connect) => {
            Heard::Network("connect", connect.job, u64::from(connect.allow_private))
        }
        CoreFrame::Disconnect { job } => Heard::Network("disconnect", job, 0),
    }
}

/// `name@provider` is a script; `stub/…` a stub, `native/…` a program, `absent@…` is not there.
pub fn package(component: &str) -> Result<PackageRead, PackageFailure> {
    let (folder, rest) = component.split_once('/').unwrap_or(("hyperty", component));
    let (name, provider) = rest.split_once('@').unwrap_or((rest, "a.example"));
    if name == "absent" {
        return Err(PackageFailure {
            code: Code::NOT_FOUND,
            reason: "no such file".to_owned(),
            elsewhere: None,
        });
    }
    let is_native = folder == "native";
    let is_stub = matches!(folder, "stub" | "protocolstub");
    let code = if is_native {
        catalogue::Code::Program(ProgramId(1))
    } else {
        catalogue::Code::Script {
            file: format!("{name}.hy.js"),
            text: b"class X {}".to_vec(),
        }
    };
    let descriptor = Descriptor {
        name: name.to_owned(),
        kind: if is_stub {
            ComponentKind::ProtoStub
        } else if folder == "idp-proxy" {
            ComponentKind::IdpProxy
        } else {
            ComponentKind::Hyperty
        },
        engine: if is_native {
            Engine::Native
        } else {
            Engine::Script
        },
        provider: provider.to_owned(),
        configuration: serde_json::Map::new(),
        constraints: serde_json::Map::new(),
        hyperty_type: words(name, &["chat", "audio"]),
        data_objects: words(name, &["https://catalogue/dataschema/Communication"]),
        interworking: folder == "idp-proxy",
        network: network(name),
        limits: limits(name),
    };
    Ok(PackageRead {
        descriptor,
        code,
        digest: "sha256:00".to_owned(),
        source: format!("{name}.js"),
        seal: Seal::Unsigned { is_fetched: false },
    })
}

// What calls itself a browser asks for the network.
fn network(name: &str) -> Vec<Pattern> {
    let place = |host: &str, port, protocol, private, count| Pattern {
        host: host.to_owned(),
        port,
        protocol,
        private,
        count,
    };
    if !name.starts_with("browser") {
        return Vec::new();
    }
    vec![
        place("*.example.org", 443, Transport::Tcp, false, 0),
        place("few.example.net", 0, Transport::Udp, false, 2),
        place("nas.lan", 445, Transport::Tcp, true, 0),
        place("0.0.0.0", 8080, Transport::Listen, false, 0),
    ]
}

// What calls itself modest asks for little, and what calls itself greedy for much.
fn limits(name: &str) -> BTreeMap<Quota, u64> {
    let asked: &[(Quota, u64)] = if name.starts_with("modest") {
        &[
            (Quota::Messages, 3),
            (Quota::Pending, 2),
            (Quota::Listeners, 1),
            (Quota::LogLines, 2),
            (Quota::Memory, 16 << 20),
            (Quota::Storage, 1000),
            (Quota::Files, 1000),
            (Quota::Addresses, 2),
        ]
    } else if name.starts_with("greedy") {
        &[(Quota::Memory, 1 << 30)]
    } else {
        &[]
    };
    asked.iter().copied().collect()
}

// What calls itself a chat says in its descriptor that it is one.
fn words(name: &str, words: &[&str]) -> Vec<String> {
    let words = words.iter().filter(|_| name.starts_with("chat"));
    words.map(|word| (*word).to_owned()).collect()
}

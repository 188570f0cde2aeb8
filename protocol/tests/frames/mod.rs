//! Random frames of both directions, for the property tests.

use proptest::prelude::*;
use protocol::dial::{Connect, Dial, NotDialled, Transport};
use protocol::frame::{
    ComponentKind, Confined, Exec, Hello, Level, Load, LoadFailed, LoadStage, Log, LogLevel, Role,
    Start,
};
use protocol::limits::SLOT_BYTES;
use protocol::message::Header;
use protocol::slot::{InSlot, Lend};
use protocol::{Code, CoreFrame, HostFrame, Message, MessageKind, Reply};

/// What random frames are made of; the frames borrow from it.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) variant: usize,
    pub(crate) choice: usize,
    pub(crate) texts: [String; 4],
    pub(crate) id: u64,
    pub(crate) number: u32,
    pub(crate) code: u16,
    pub(crate) nonce: [u8; 16],
    pub(crate) body: Vec<u8>,
}

/// Random parts: short and long texts, numbers of every width.
pub(crate) fn parts() -> impl Strategy<Value = Parts> {
    // Short texts, and the same repeated: lengths on both sides of a longer encoding.
    let text = ("\\PC{0,12}", 0..100_usize).prop_map(|(text, times)| text.repeat(times));
    let number = prop_oneof![0_u64..300, any::<u16>().prop_map(u64::from), any::<u64>()];
    let sizes = (number, any::<u32>(), any::<u16>(), any::<[u8; 16]>());
    let body = proptest::collection::vec(any::<u8>(), 0..40);
    let texts = proptest::array::uniform4(text);
    (0..25_usize, 0..12_usize, texts, sizes, body).prop_map(
        |(variant, choice, texts, (id, number, code, nonce), body)| Parts {
            variant,
            choice,
            texts,
            id,
            number,
            code,
            nonce,
            body,
        },
    )
}

impl Parts {
    /// The frame of a host that these parts make.
    pub(crate) fn host(&self) -> HostFrame<'_> {
        let [a, b, c, d] = self.texts.each_ref().map(String::as_str);
        match self.variant {
            0 => HostFrame::Hello(Hello {
                version: self.code,
                nonce: self.nonce,
                role: self.role(),
                build: d,
            }),
            1 => HostFrame::Confined(Confined {
                level: pick(self.choice, &[Level::L0, Level::L1, Level::L2, Level::L3]),
                landlock_abi: self.code.to_le_bytes()[0],
                profile: a,
                proofs: b,
            }),
            2 => HostFrame::Loaded { component: a },
            3 => HostFrame::LoadFailed(LoadFailed {
                component: a,
                stage: pick(self.choice, &STAGES),
                reason: b,
                place: c,
                stack: d,
            }),
            4 => HostFrame::Unloaded { component: a },
            5 => HostFrame::Listen {
                component: a,
                address: b,
            },
            6 => HostFrame::Unlisten {
                component: a,
                address: b,
            },
            7 => {
                let level = pick(self.choice, &[LogLevel::Debug, LogLevel::Error]);
                let (component, place) = (a, b);
                let log = Log {
                    component,
                    level,
                    place,
                };
                HostFrame::Log(log, &self.body)
            }
            8 => HostFrame::Pong { token: self.id },
            9 => HostFrame::TakeSlots { most: self.code },
            10 => HostFrame::SendBy(self.in_slot()),
            11 => HostFrame::Return { slot: self.id },
            12 => HostFrame::Dial(Dial {
                component: a,
                request: self.id,
                host: b,
                port: self.code,
                transport: pick(self.choice, &TRANSPORTS),
                wait_ms: self.number,
            }),
            13 => HostFrame::Hangup { socket: self.id },
            14 => HostFrame::TakeRoots,
            15 => HostFrame::Connected {
                job: self.id,
                peer: a,
            },
            16 => HostFrame::Bound {
                job: self.id,
                local: a,
            },
            17 => HostFrame::Accepted {
                job: self.id,
                peer: a,
            },
            18 => HostFrame::NotConnected {
                job: self.id,
                code: Code(self.code),
                reason: a,
            },
            _ => HostFrame::Send(self.message()),
        }
    }

    /// The frame of the core that these parts make.
    pub(crate) fn core(&self) -> CoreFrame<'_> {
        let [a, b, c, d] = self.texts.each_ref().map(String::as_str);
        match self.variant {
            0 => CoreFrame::Welcome {
                version: self.code,
                nonce: self.nonce,
            },
            1 => {
                let load = Load {
                    component: a,
                    name: b,
                    kind: pick(self.choice, &KINDS),
                    config: c,
                    file: d,
                };
                CoreFrame::Load(load, &self.body)
            }
            2 => CoreFrame::Exec(Exec {
                component: a,
                name: b,
            }),
            3 => CoreFrame::Start(Start {
                address: a,
                runtime: b,
                config: c,
            }),
            4 => CoreFrame::Unload { component: a },
            5 => CoreFrame::Listening {
                address: a,
                code: Code(self.code),
                reason: b,
            },
            6 => CoreFrame::Ping { token: self.id },
            7 => CoreFrame::Stop {
                grace_ms: self.number,
            },
            8 => CoreFrame::Borrow {
                slot: self.id,
                bytes: self.number,
            },
            9 => CoreFrame::Lend(Lend {
                slot: self.id,
                bytes: self.number,
                to: a,
            }),
            10 => CoreFrame::DeliverBy(self.in_slot()),
            11 => CoreFrame::Returned { slot: self.id },
            12 => CoreFrame::Unsent { slot: self.id },
            13 => CoreFrame::Revoke { slot: self.id },
            14 => CoreFrame::Seed {
                component: a,
                items: &self.body,
            },
            15..=23 => self.of_sockets(),
            _ => CoreFrame::Deliver(self.message()),
        }
    }

    fn of_sockets(&self) -> CoreFrame<'_> {
        let [a, b, ..] = self.texts.each_ref().map(String::as_str);
        let socket = u64::from(self.number);
        match self.variant {
            15 => CoreFrame::Socket {
                request: self.id,
                socket,
                peer: a,
            },
            16 => CoreFrame::NotDialled(NotDialled {
                request: self.id,
                code: Code(self.code),
                reason: a,
                decision: b,
            }),
            17 => CoreFrame::Bound {
                request: self.id,
                socket,
                local: a,
            },
            18 => CoreFrame::Accepted {
                listener: self.id,
                socket,
                peer: a,
            },
            19 => CoreFrame::Hungup { socket, reason: a },
            20 => CoreFrame::Roots { bytes: self.number },
            21 => CoreFrame::NoRoots { reason: a },
            22 => CoreFrame::Disconnect { job: self.id },
            _ => CoreFrame::Connect(Connect {
                job: self.id,
                host: a,
                port: self.code,
                transport: pick(self.choice, &TRANSPORTS),
                allow_private: self.choice.is_multiple_of(2),
                wait_ms: self.number,
            }),
        }
    }

    /// The message that these parts make.
    pub(crate) fn message(&self) -> Message<'_> {
        let [a, b, c, _] = self.texts.each_ref().map(String::as_str);
        let reply = [Reply::Unwanted, Reply::Untimed, Reply::Within(self.number)];
        let header = Header {
            id: self.id,
            kind: pick(self.choice, &MESSAGE_KINDS),
            from: a,
            to: b,
            code: Code(self.code),
            reply: pick(self.choice, &reply),
            members: c,
        };
        let body = &self.body;
        Message { header, body }
    }

    /// The same message, its body in a slot.
    pub(crate) fn in_slot(&self) -> InSlot<'_> {
        InSlot {
            slot: self.id,
            bytes: self.number % (u32::try_from(SLOT_BYTES).unwrap() + 1),
            header: self.message().header,
        }
    }

    fn role(&self) -> Role<'_> {
        let [provider, name, token, _] = self.texts.each_ref().map(String::as_str);
        let application = Role::Application {
            provider,
            name,
            token,
        };
        pick(self.choice, &[Role::Sandbox, Role::Operator, application])
    }
}

const TRANSPORTS: [Transport; 3] = [Transport::Tcp, Transport::Udp, Transport::Listen];

const STAGES: [LoadStage; 4] = [
    LoadStage::Parse,
    LoadStage::Construct,
    LoadStage::Start,
    LoadStage::Exec,
];

const KINDS: [ComponentKind; 3] = [
    ComponentKind::Hyperty,
    ComponentKind::ProtoStub,
    ComponentKind::IdpProxy,
];

const MESSAGE_KINDS: [MessageKind<'_>; 12] = [
    MessageKind::Create,
    MessageKind::Read,
    MessageKind::Update,
    MessageKind::Delete,
    MessageKind::Subscribe,
    MessageKind::Unsubscribe,
    MessageKind::Response,
    MessageKind::Forward,
    MessageKind::Execute,
    MessageKind::Event,
    MessageKind::Other("READ"),
    MessageKind::Other("re-open"),
];

fn pick<T: Copy>(choice: usize, from: &[T]) -> T {
    from[choice % from.len()]
}

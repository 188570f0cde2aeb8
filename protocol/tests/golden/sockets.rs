//! Sockets: what is asked for, and what the connector makes of it.

use protocol::dial::{Connect, Dial, NotDialled, Transport};
use protocol::{Code, CoreFrame, HostFrame};

use crate::{core, host};

#[test]
fn what_a_component_says_about_sockets() {
    host(
        HostFrame::Dial(Dial {
            component: "a",
            request: 7,
            host: "h",
            port: 443,
            transport: Transport::Udp,
            wait_ms: 9,
        }),
        "b70e 0a00 00000000  0161 07 0168 fbbb01 01 09",
    );
    host(HostFrame::Hangup { socket: 3 }, "b70f 0100 00000000  03");
    host(HostFrame::TakeRoots, "b710 0000 00000000");
}

#[test]
fn what_the_connector_says() {
    host(
        HostFrame::Connected { job: 5, peer: "p" },
        "b711 0300 00000000  05 0170",
    );
    host(
        HostFrame::Bound { job: 5, local: "l" },
        "b712 0300 00000000  05 016c",
    );
    host(
        HostFrame::Accepted { job: 5, peer: "p" },
        "b713 0300 00000000  05 0170",
    );
    host(
        HostFrame::NotConnected {
            job: 5,
            code: Code::TIMEOUT,
            reason: "r",
        },
        "b714 0600 00000000  05 fb9801 0172",
    );
}

#[test]
fn what_becomes_of_a_dial() {
    core(
        CoreFrame::Socket {
            request: 7,
            socket: 3,
            peer: "p",
        },
        "b791 0400 00000000  07 03 0170",
    );
    core(
        CoreFrame::NotDialled(NotDialled {
            request: 7,
            code: Code::FORBIDDEN,
            reason: "r",
            decision: "d",
        }),
        "b792 0800 00000000  07 fb9301 0172 0164",
    );
    core(
        CoreFrame::Bound {
            request: 7,
            socket: 3,
            local: "l",
        },
        "b793 0400 00000000  07 03 016c",
    );
    core(
        CoreFrame::Accepted {
            listener: 3,
            socket: 4,
            peer: "p",
        },
        "b794 0400 00000000  03 04 0170",
    );
    core(
        CoreFrame::Hungup {
            socket: 3,
            reason: "r",
        },
        "b795 0300 00000000  03 0172",
    );
    core(
        CoreFrame::Roots { bytes: 70_000 },
        "b796 0500 00000000  fc70110100",
    );
    core(
        CoreFrame::NoRoots { reason: "r" },
        "b797 0200 00000000  0172",
    );
}

#[test]
fn what_the_connector_is_told() {
    core(
        CoreFrame::Connect(Connect {
            job: 5,
            host: "h",
            port: 80,
            transport: Transport::Listen,
            allow_private: true,
            wait_ms: 9,
        }),
        "b798 0700 00000000  05 0168 50 02 01 09",
    );
    core(CoreFrame::Disconnect { job: 5 }, "b799 0100 00000000  05");
}

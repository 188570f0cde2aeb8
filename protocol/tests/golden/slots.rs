//! Bodies in lent memory.

use protocol::slot::{InSlot, Lend};
use protocol::{CoreFrame, HostFrame, Message, MessageKind, Reply};

use crate::{core, host};

const fn in_slot() -> InSlot<'static> {
    let message = Message::new(MessageKind::Read, "a", "b", b"").with_id(5);
    InSlot {
        slot: 3,
        bytes: 70_000,
        header: message.expecting(Reply::Within(9)).header,
    }
}

#[test]
fn take_slots() {
    host(HostFrame::TakeSlots { most: 16 }, "b70b 0100 00000000  10");
}

#[test]
fn send_by_and_deliver_by() {
    let header = "03 fc70110100  05 01 0161 0162 00 02 09 00";
    host(
        HostFrame::SendBy(in_slot()),
        &format!("b70c 1000 00000000  {header}"),
    );
    core(
        CoreFrame::DeliverBy(in_slot()),
        &format!("b78c 1000 00000000  {header}"),
    );
}

#[test]
fn slots_given_and_given_back() {
    host(
        HostFrame::Return { slot: 251 },
        "b70d 0300 00000000  fbfb00",
    );
    core(
        CoreFrame::Borrow {
            slot: 3,
            bytes: 0x0010_0000,
        },
        "b78a 0600 00000000  03 fc00001000",
    );
    core(
        CoreFrame::Lend(Lend {
            slot: 3,
            bytes: 0x0010_0000,
            to: "b",
        }),
        "b78b 0800 00000000  03 fc00001000 0162",
    );
    core(CoreFrame::Returned { slot: 3 }, "b78d 0100 00000000  03");
    core(CoreFrame::Unsent { slot: 3 }, "b78e 0100 00000000  03");
    core(CoreFrame::Revoke { slot: 3 }, "b78f 0100 00000000  03");
}

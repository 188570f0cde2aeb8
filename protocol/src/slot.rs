//! Slots: memory through which large bodies go past the core.
//!
//! A slot is a memory file of [`SLOT_BYTES`](crate::limits::SLOT_BYTES) that the
//! core makes for one ordered pair of links. The one end may write it, the other
//! may read it; nothing that is meant for anybody else is ever in it. A message
//! whose body lies in a slot is judged and delivered like any other.
//!
//! ```text
//! sender                       core                        receiver
//!   ── TakeSlots ─────────────▶    ◀───────────── TakeSlots ──
//!   ── Send, a large one ─────▶    ── Deliver ───────────────▶
//!                                  ── Borrow + descriptor ───▶
//!   ◀── Lend + descriptor ─────    ◀──────── Return (ready) ──
//!   writes it
//!   ── SendBy ────────────────▶    ── DeliverBy ─────────────▶
//!                                                   copies it
//!   ◀── Returned ──────────────    ◀──────────────── Return ──
//! ```
//!
//! Each `SendBy` is followed by exactly one `Returned` or `Unsent`. After
//! `Unsent` nobody has seen the message, and it is to be sent by stream. Between
//! `SendBy` and that frame the slot is not the sender's to write. `Revoke` takes
//! a slot away; its descriptor is to be closed as soon as it is not under way.

use crate::message::Header;

/// A message whose body lies in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::BorrowDecode)]
pub struct InSlot<'a> {
    /// The slot.
    pub slot: u64,
    /// Bytes of the body, from the slot's first on.
    pub bytes: u32,
    /// Everything the core decides by.
    pub header: Header<'a>,
}

/// A slot that the peer may write; its descriptor comes along with the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::BorrowDecode)]
pub struct Lend<'a> {
    /// Its number, never used twice.
    pub slot: u64,
    /// How many bytes it holds.
    pub bytes: u32,
    /// Messages to this address, in the sender's own spelling, may go by it.
    pub to: &'a str,
}

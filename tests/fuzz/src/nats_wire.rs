//! What a hostile server says, at once and in two pieces (the first byte says where it
//! is cut): read the same, nothing
//! beyond the limits, and what is read can be said again.

use stub_nats::wire::{
    Delivery, HEADERS_BYTES_MAX, Headers, MESSAGE_BYTES_MAX, Op, Reader, publish,
};

/// Reads the bytes.
pub fn read(input: &[u8]) {
    let Some((&cut, bytes)) = input.split_first() else {
        return;
    };
    let cut = usize::from(cut) % (bytes.len() + 1);
    let (first, second) = bytes.split_at(cut);
    assert_eq!(heard(&[bytes]), heard(&[first, second]));
}

fn heard(pieces: &[&[u8]]) -> (Vec<String>, Option<String>) {
    let mut reader = Reader::default();
    let mut seen = Vec::new();
    for piece in pieces {
        reader.space().extend_from_slice(piece);
        loop {
            match reader.next() {
                Ok(Some(Op::Msg(delivery))) => {
                    check(&delivery);
                    seen.push(format!("{delivery:?}"));
                }
                Ok(Some(op)) => seen.push(format!("{op:?}")),
                Ok(None) => break,
                Err(bad) => return (seen, Some(bad.to_string())),
            }
        }
    }
    (seen, None)
}

fn check(delivery: &Delivery<'_>) {
    assert!(delivery.headers.len() <= HEADERS_BYTES_MAX);
    assert!(delivery.headers.len() + delivery.payload.len() <= MESSAGE_BYTES_MAX);
    let headers = Headers::of(delivery.headers);
    let _ = (
        headers.status(),
        headers.description(),
        headers.get("Nats-Msg-Id"),
    );
    let mut out = Vec::new();
    if publish(
        &mut out,
        delivery.subject,
        delivery.reply,
        &[],
        delivery.payload,
    )
    .is_ok()
    {
        assert!(out.ends_with(b"\r\n"));
    } else {
        assert!(out.is_empty());
    }
}

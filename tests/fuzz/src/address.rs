//! Text that may be an address: the canonical form is a fixed point, and its
//! parts do not overlap.

use protocol::Address;
use protocol::limits::ADDRESS_BYTES_MAX;

/// Reads the bytes.
pub fn read(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let Ok(address) = text.parse::<Address>() else {
        return;
    };
    assert!(address.as_str().len() <= ADDRESS_BYTES_MAX);
    assert_eq!(address.as_str().parse().as_ref(), Ok(&address));
    assert_eq!(address.published().parse().as_ref(), Ok(&address));
    assert!(address.is_within(&address));
    assert!(!address.domain().contains(['/', '@', ':']));
    let end = [address.domain(), address.path()].concat();
    assert!(address.as_str().ends_with(&end));
    if let Some(parent) = address.parent() {
        assert!(address.is_within(&parent) && !parent.is_within(&address));
        assert_eq!(parent.as_str().parse(), Ok(parent));
    }
    if let Ok(below) = address.join("x") {
        assert!(below.is_within(&address));
    }
}

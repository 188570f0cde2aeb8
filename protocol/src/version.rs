//! What two builds must agree on before they talk.

/// The version of the frames; raised by any change of their bytes.
pub const PROTOCOL: u16 = 1;

/// The oldest version that this build still understands.
pub const PROTOCOL_MIN: u16 = 1;

/// The build, as it is shown and compared by sidecar clients.
pub const BUILD: &str = env!("CARGO_PKG_VERSION");

/// Whether a peer that speaks `version` can be understood.
pub const fn is_spoken(version: u16) -> bool {
    version >= PROTOCOL_MIN && version <= PROTOCOL
}

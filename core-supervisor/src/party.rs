//! The kinds of parties that send and are sent to.

/// What a party is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartyKind {
    /// Service logic.
    Hyperty,
    /// A protocol stub.
    ProtoStub,
    /// An identity provider's proxy.
    IdpProxy,
    /// An application.
    Application,
    /// The operator's command line.
    Operator,
    /// A room of the core.
    Room,
    /// An address outside this runtime.
    Remote,
    /// A host of the network, by its port.
    Host,
}

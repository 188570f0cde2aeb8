//! The words of the frames: who, what, how far, how much.

/// Says what the peer of the core is, in its `Hello`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::BorrowDecode)]
pub enum Role<'a> {
    /// A sandbox that the core started itself; its socket is its identity.
    Sandbox,
    /// The operator's command line; peer credentials are its identity.
    Operator,
    /// An application of its own provider.
    Application {
        /// The provider's domain, e.g. `app.example`.
        provider: &'a str,
        /// The application's name, one word.
        name: &'a str,
        /// The launch token of a sidecar, or empty.
        token: &'a str,
    },
}

/// The kind of a component.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    bincode::Encode,
    bincode::Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum ComponentKind {
    /// Service logic.
    Hyperty,
    /// A bridge to a domain's protocol.
    ProtoStub,
    /// A bridge to an identity provider.
    IdpProxy,
}

/// The containment a sandbox has reached; each includes the ones before it.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    bincode::Encode,
    bincode::Decode,
    serde::Serialize,
    serde::Deserialize,
)]
pub enum Level {
    /// None; only with `--unsafe`.
    L0,
    /// Own process: no new privileges, clean descriptors, limits, dies with its parent.
    L1,
    /// Landlock and a seccomp allow-list.
    L2,
    /// Namespaces with an empty root.
    L3,
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, f)
    }
}

impl std::str::FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "L0" | "l0" => Ok(Self::L0),
            "L1" | "l1" => Ok(Self::L1),
            "L2" | "l2" => Ok(Self::L2),
            "L3" | "l3" => Ok(Self::L3),
            other => Err(format!(
                "`{other}` is not a sandbox level: say L0, L1, L2 or L3"
            )),
        }
    }
}

/// Where a component failed on its way to running.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    bincode::Encode,
    bincode::Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum LoadStage {
    /// The code does not parse, or is not an ELF file that can run here.
    Parse,
    /// The module exports no component, or its constructor threw.
    Construct,
    /// `_start` or `activate` threw.
    Start,
    /// The kernel refused to execute it.
    Exec,
}

/// How much a log line matters.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    bincode::Encode,
    bincode::Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// For the component's author.
    Debug,
    /// What `console.log` says.
    Info,
    /// Something is odd.
    Warn,
    /// Something failed.
    Error,
}

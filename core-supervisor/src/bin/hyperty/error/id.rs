//! The kinds of errors, and how the program ends for each.

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Ok = 0,
    /// It failed, or was denied.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// What was named does not exist.
    NotFound = 3,
    /// Somebody must consent or sign in first.
    Consent = 4,
    /// This machine cannot reach the sandbox level that is asked for.
    BelowFloor = 5,
    /// No supervisor could be reached.
    Unreachable = 6,
    /// No answer came in time.
    TimedOut = 7,
    /// Ctrl-C.
    Interrupted = 130,
}

/// The kinds of errors. A number is never given to another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Id {
    /// An argument that clap could not judge.
    Usage,
    /// Nobody listens at the endpoint.
    Unreachable,
    /// The link broke in the middle of a command.
    LinkLost,
    /// A supervisor could not be started.
    NotStarted,
    /// A supervisor runs there already.
    AlreadyUp,
    /// The sandbox level is below the floor.
    BelowFloor,
    /// A rule forbids it.
    Forbidden,
    /// No rule permits it.
    NotPermitted,
    /// A rule could not be evaluated.
    RuleFailed,
    /// Refused without a decision.
    Refused,
    /// Somebody must sign in or consent.
    Consent,
    /// Nothing of that name.
    NotFound,
    /// No answer in time.
    TimedOut,
    /// It failed.
    Failed,
    /// What was called threw an error.
    Thrown,
    /// Policy files do not compile.
    PolicyBad,
    /// A catalogue has entries that cannot be deployed.
    CatalogueBad,
    /// A package is not whole, or not signed by whom it should be.
    PackageBad,
    /// A step of the demonstration did not happen.
    DemoFailed,
    /// A project could not be built.
    BuildFailed,
    /// A component did not do what its tests say.
    TestFailed,
    /// A file or a stream of this machine.
    Local,
}

impl Id {
    /// Every kind, in the order of the help topic.
    pub(crate) const ALL: [Self; 22] = [
        Self::Usage,
        Self::Unreachable,
        Self::LinkLost,
        Self::NotStarted,
        Self::AlreadyUp,
        Self::BelowFloor,
        Self::Forbidden,
        Self::NotPermitted,
        Self::RuleFailed,
        Self::Refused,
        Self::Consent,
        Self::NotFound,
        Self::TimedOut,
        Self::Failed,
        Self::Thrown,
        Self::PolicyBad,
        Self::CatalogueBad,
        Self::PackageBad,
        Self::DemoFailed,
        Self::BuildFailed,
        Self::TestFailed,
        Self::Local,
    ];

    /// Its number, its exit status, and what it means.
    pub(crate) const fn entry(self) -> (&'static str, Exit, &'static str) {
        match self {
            Self::Usage => ("HY-U001", Exit::Usage, "an argument makes no sense"),
            Self::Unreachable => ("HY-C001", Exit::Unreachable, "no supervisor can be reached"),
            Self::LinkLost => (
                "HY-C002",
                Exit::Unreachable,
                "the supervisor ended meanwhile",
            ),
            Self::NotStarted => ("HY-C003", Exit::Failed, "a supervisor could not be started"),
            Self::AlreadyUp => ("HY-C004", Exit::Failed, "a supervisor runs there already"),
            Self::BelowFloor => ("HY-S001", Exit::BelowFloor, "sandbox level below the floor"),
            Self::Forbidden => ("HY-D001", Exit::Failed, "a rule forbids it"),
            Self::NotPermitted => ("HY-D002", Exit::Failed, "no rule permits it"),
            Self::RuleFailed => ("HY-D003", Exit::Failed, "a rule could not be evaluated"),
            Self::Refused => ("HY-D004", Exit::Failed, "refused before any rule was asked"),
            Self::Consent => (
                "HY-D005",
                Exit::Consent,
                "somebody must consent or sign in first",
            ),
            Self::NotFound => (
                "HY-N001",
                Exit::NotFound,
                "nothing has that name or address",
            ),
            Self::TimedOut => ("HY-T001", Exit::TimedOut, "no answer came in time"),
            Self::Failed => ("HY-F001", Exit::Failed, "it was tried and failed"),
            Self::Thrown => ("HY-F002", Exit::Failed, "what was called threw an error"),
            Self::PolicyBad => ("HY-P001", Exit::Failed, "policy files do not compile"),
            Self::CatalogueBad => ("HY-K001", Exit::Failed, "catalogue entries have problems"),
            Self::PackageBad => ("HY-K002", Exit::Failed, "a package does not hold"),
            Self::DemoFailed => ("HY-X001", Exit::Failed, "a step of the demo did not happen"),
            Self::BuildFailed => ("HY-B001", Exit::Failed, "a project could not be built"),
            Self::TestFailed => ("HY-Q001", Exit::Failed, "a component's tests failed"),
            Self::Local => ("HY-L001", Exit::Failed, "a file or program of this machine"),
        }
    }
}

//! Why a level cannot be reached: the primitive, the cause, the remedy.

/// A part of the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Primitive {
    /// Resource limits.
    Limits,
    /// Leaving root and its capabilities.
    Privileges,
    /// `PR_SET_NO_NEW_PRIVS`.
    NoNewPrivileges,
    /// Landlock.
    Landlock,
    /// Seccomp filters.
    Seccomp,
    /// User namespaces, and what they open.
    Namespaces,
    /// The nursery's watch.
    Watch,
    /// The self-test.
    Proof,
}

impl Primitive {
    /// Its name in messages and in the probe.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Limits => "limits",
            Self::Privileges => "privileges",
            Self::NoNewPrivileges => "no-new-privileges",
            Self::Landlock => "landlock",
            Self::Seccomp => "seccomp",
            Self::Namespaces => "user-namespaces",
            Self::Watch => "watch",
            Self::Proof => "self-test",
        }
    }
}

/// A part of the lock that cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {cause}{}{remedy}", primitive.name(), if remedy.is_empty() { "" } else { "; " })]
pub struct Missing {
    /// Which.
    pub primitive: Primitive,
    /// What was being done, and what the system said.
    pub cause: String,
    /// What the operator can do about it, or empty.
    pub remedy: &'static str,
}

impl Missing {
    /// Names what was being done and what the system answered.
    pub fn new(primitive: Primitive, doing: &str, said: impl std::fmt::Display) -> Self {
        Self {
            primitive,
            cause: format!("{doing}: {said}"),
            remedy: remedy(primitive),
        }
    }

    /// What `--pretend-without` leads to.
    pub fn pretended(primitive: Primitive) -> Self {
        Self {
            primitive,
            cause: "left out by --pretend-without".into(),
            remedy: remedy(primitive),
        }
    }
}

fn remedy(primitive: Primitive) -> &'static str {
    match primitive {
        Primitive::Landlock => {
            "start the kernel with `landlock` in its lsm= list (Linux 5.13 or later), or let the container's seccomp profile permit landlock_*"
        }
        Primitive::Seccomp => {
            "use a kernel with CONFIG_SECCOMP_FILTER, outside of emulators that lack it"
        }
        Primitive::Namespaces => {
            "permit user namespaces: sysctl kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu), kernel.unprivileged_userns_clone=1 (Debian), user.max_user_namespaces above 0, or a container whose seccomp profile permits unshare"
        }
        Primitive::Privileges => "start the supervisor as an ordinary user",
        Primitive::Limits | Primitive::NoNewPrivileges | Primitive::Watch | Primitive::Proof => "",
    }
}

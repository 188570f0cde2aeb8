//! Names in a catalogue: what may be one, and which file each leads to.

use protocol::frame::ComponentKind;
use protocol::nursery::Engine;
use protocol::{Address, Code};

use super::limits::NAME_BYTES_MAX;
use super::{PackageFailure, Wanted};

/// The kinds of descriptors that can be deployed.
pub const KINDS: [ComponentKind; 3] = [
    ComponentKind::Hyperty,
    ComponentKind::ProtoStub,
    ComponentKind::IdpProxy,
];

/// What stands before the digest of a release that is kept here.
pub const RELEASE: &str = "release:";

/// How the files of packages end.
pub const PACKAGE: &str = ".pkg";

/// Whether what was found there is a package in one file.
pub fn is_package(url: &str) -> bool {
    url.ends_with(PACKAGE)
}

/// The folder of a kind below `.well-known`.
pub const fn folder(kind: ComponentKind) -> &'static str {
    match kind {
        ComponentKind::Hyperty => "hyperty",
        ComponentKind::ProtoStub => "protocolstub",
        ComponentKind::IdpProxy => "idp-proxy",
    }
}

/// What stands between a name and the type of its file.
pub const fn infix(kind: ComponentKind) -> &'static str {
    match kind {
        ComponentKind::Hyperty => "hy",
        ComponentKind::ProtoStub => "ps",
        ComponentKind::IdpProxy => "idp",
    }
}

/// The descriptor's file, below the folder that holds `.well-known`.
pub fn descriptor_path(kind: ComponentKind, name: &str) -> String {
    format!(".well-known/{}/{name}.{}.json", folder(kind), infix(kind))
}

/// The file of the whole package, likewise.
pub fn package_path(kind: ComponentKind, name: &str) -> String {
    let (folder, infix) = (folder(kind), infix(kind));
    format!(".well-known/{folder}/{name}.{infix}{PACKAGE}")
}

/// The code's file, likewise.
pub fn code_path(kind: ComponentKind, name: &str, engine: Engine) -> String {
    let ending = match engine {
        Engine::Script => "js",
        Engine::Native => "elf",
    };
    format!(
        ".well-known/{}/{name}.{}.{ending}",
        folder(kind),
        infix(kind)
    )
}

/// The name whose descriptor has this file name.
pub fn name_of_file(kind: ComponentKind, file: &str) -> Option<&str> {
    file.strip_suffix(".json")?
        .strip_suffix(infix(kind))?
        .strip_suffix('.')
}

/// Checks that a name is one plain file name everywhere, and prints as it is.
pub fn check_name(name: &str) -> Result<(), String> {
    let shown: String = name
        .chars()
        .take(NAME_BYTES_MAX)
        .flat_map(char::escape_default)
        .collect();
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(format!(
            "the name `{shown}` has not 1 to {NAME_BYTES_MAX} characters"
        ));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.chars().all(plain) {
        return Err(format!(
            "the name `{shown}` has more than letters, digits, `-`, `_` and `.`"
        ));
    }
    if name.starts_with(['.', '-']) || name.ends_with('.') || name.contains("..") {
        return Err(format!(
            "the name `{shown}` begins or ends with `.`, or begins with `-`"
        ));
    }
    Ok(())
}

/// Whether a folder's name is a provider's domain: `example.org`, not `catalogue`.
pub fn is_domain(name: &str) -> bool {
    let canonical = name
        .parse::<Address>()
        .is_ok_and(|address| address.as_str() == name);
    canonical && name.contains('.') && !name.contains(['@', ':', '/'])
}

/// Which component is wanted: its kind and its name.
pub fn wanted(wanted: &Wanted) -> Result<(ComponentKind, &str), PackageFailure> {
    let bad = |reason: String| PackageFailure {
        code: Code::BAD_REQUEST,
        reason,
        elsewhere: None,
    };
    let (kind, name) = match wanted.component.split_once('/') {
        None => (ComponentKind::Hyperty, wanted.component.as_str()),
        Some((word, name)) => {
            let kind = KINDS.into_iter().find(|&kind| folder(kind) == word);
            let unknown = || {
                let word: String = word
                    .chars()
                    .take(32)
                    .flat_map(char::escape_default)
                    .collect();
                bad(format!(
                    "`{word}` is no kind of component: say hyperty, protocolstub or idp-proxy"
                ))
            };
            (kind.ok_or_else(unknown)?, name)
        }
    };
    check_name(name).map_err(bad)?;
    if !wanted.provider.is_empty() && !is_domain(&wanted.provider) {
        let provider: String = wanted
            .provider
            .chars()
            .take(64)
            .flat_map(char::escape_default)
            .collect();
        return Err(bad(format!(
            "the provider `{provider}` is not a domain such as `example.org`"
        )));
    }
    Ok((kind, name))
}

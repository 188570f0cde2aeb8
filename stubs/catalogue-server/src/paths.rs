//! What a path of the published layout, or of the older interface, names.
//!
//! ```text
//!  /.well-known/hyperty/Echo.hy.json     a file, as it stands there
//!  /.well-known/hyperty/Echo.json        the same, without what marks its kind
//!  /.well-known/hyperty/all.json         every name
//!  /.well-known/hyperty                  every name, as a list          ┐ the older
//!  /.well-known/hyperty/Echo[/version]   a descriptor, one member of it │ interface
//!  /.well-known/sourcepackage/Echo.hy    its code, in an envelope       ┘
//! ```

use crate::limits::NAME_BYTES_MAX;

/// A folder below `.well-known`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    /// Its name.
    pub(crate) folder: &'static str,
    /// What stands between a name and the ending of its files.
    pub(crate) infix: &'static str,
    /// The member of `all.json` that holds the names.
    pub(crate) plural: &'static str,
}

/// The folders that there are.
pub(crate) const KINDS: [Kind; 5] = [
    kind("hyperty", "hy", "hyperties"),
    kind("protocolstub", "ps", "protocolstubs"),
    kind("idp-proxy", "idp", "idps"),
    kind("dataschema", "ds", "dataschemas"),
    kind("runtime", "rt", "runtimes"),
];

const fn kind(folder: &'static str, infix: &'static str, plural: &'static str) -> Kind {
    Kind {
        folder,
        infix,
        plural,
    }
}

/// The endings of files that are served.
const ENDINGS: [&str; 6] = ["json", "js", "elf", "pkg", "map", "sig"];

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    /// The list of catalogues' kinds is no file: `/` and `/.well-known`.
    Kinds,
    /// Every name of a kind; `true` for the published form.
    Names(Kind, bool),
    /// Files, the first of which that is there is meant.
    File(Vec<String>),
    /// A descriptor in the older interface, or one member of it.
    Descriptor(Kind, String, Option<String>),
    /// Code in the older interface: the kind, the name, and whether only the text is asked for.
    Source(Kind, String, bool),
    /// Nothing that could be here; the reason is for whoever asked.
    Nothing(&'static str),
}

const UNKNOWN: &str = "a path here is /.well-known/KIND/NAME.json, .js or .elf, where KIND is \
                       hyperty, protocolstub, idp-proxy, dataschema or runtime";

/// Reads the path of a request.
pub(crate) fn named(path: &str) -> Named {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if parts.iter().skip(1).any(|part| !is_plain(part)) {
        return Named::Nothing("a name here has only letters, digits, `-`, `_` and `.`");
    }
    match parts.as_slice() {
        [] | [".well-known"] => Named::Kinds,
        [".well-known", "sourcepackage", rest @ ..] => source(rest),
        [".well-known", folder, rest @ ..] => {
            let Some(kind) = KINDS.into_iter().find(|kind| kind.folder == *folder) else {
                return Named::Nothing(UNKNOWN);
            };
            below(kind, rest)
        }
        _ => Named::Nothing(UNKNOWN),
    }
}

fn below(kind: Kind, rest: &[&str]) -> Named {
    match rest {
        [] => Named::Names(kind, false),
        ["all.json"] => Named::Names(kind, true),
        [name] => match name.rsplit_once('.') {
            Some((stem, ending)) if ENDINGS.contains(&ending) => {
                Named::File(files(kind, stem, ending))
            }
            _ => Named::Descriptor(kind, (*name).to_owned(), None),
        },
        [name, member] => Named::Descriptor(kind, (*name).to_owned(), Some((*member).to_owned())),
        _ => Named::Nothing(UNKNOWN),
    }
}

fn files(kind: Kind, stem: &str, ending: &str) -> Vec<String> {
    let Kind { folder, infix, .. } = kind;
    let exact = format!(".well-known/{folder}/{stem}.{ending}");
    // `Echo.json`, and `Echo.js.map` whose file is `Echo.hy.js.map`.
    let marked = match stem.rsplit_once('.') {
        Some((stem, inner)) if ENDINGS.contains(&inner) => {
            format!(".well-known/{folder}/{stem}.{infix}.{inner}.{ending}")
        }
        _ => format!(".well-known/{folder}/{stem}.{infix}.{ending}"),
    };
    vec![exact, marked]
}

fn source(rest: &[&str]) -> Named {
    let (class, only_text) = match rest {
        [class] => (class, false),
        [class, "sourceCode"] => (class, true),
        _ => return Named::Nothing("code is at /.well-known/sourcepackage/NAME"),
    };
    let marked = class.rsplit_once('.').and_then(|(name, infix)| {
        let kind = KINDS.into_iter().find(|kind| kind.infix == infix)?;
        Some((kind, name))
    });
    // Unmarked, as catalogues with one kind of components called them.
    let (kind, name) = marked.unwrap_or((KINDS[0], class));
    Named::Source(kind, name.to_owned(), only_text)
}

// A name leads to one file in one folder, and prints as it is.
fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.len() <= NAME_BYTES_MAX && name.chars().all(plain) && !name.starts_with('.')
}

/// The file of a descriptor.
pub(crate) fn descriptor_file(kind: Kind, name: &str) -> String {
    format!(".well-known/{}/{name}.{}.json", kind.folder, kind.infix)
}

/// The file of code in JavaScript.
pub(crate) fn script_file(kind: Kind, name: &str) -> String {
    format!(".well-known/{}/{name}.{}.js", kind.folder, kind.infix)
}

/// The name whose descriptor has this file name.
pub(crate) fn name_of(kind: Kind, file: &str) -> Option<&str> {
    let stem = file.strip_suffix(".json")?;
    stem.strip_suffix(kind.infix)?.strip_suffix('.')
}

/// The media type of a file.
pub(crate) fn media_type(file: &str) -> &'static str {
    match file.rsplit('.').next() {
        Some("json" | "map") => "application/json",
        Some("js") => "text/javascript; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_form_of_a_path_names_one_thing() {
        let hyperty = KINDS[0];
        let file = |names: &[&str]| {
            let full = |name: &&str| format!(".well-known/hyperty/{name}");
            Named::File(names.iter().map(full).collect())
        };
        let cases = [
            (
                "/.well-known/hyperty/Echo.hy.json",
                file(&["Echo.hy.json", "Echo.hy.hy.json"]),
            ),
            (
                "/.well-known/hyperty/Echo.js",
                file(&["Echo.js", "Echo.hy.js"]),
            ),
            (
                "/.well-known/hyperty/Echo.js.map",
                file(&["Echo.js.map", "Echo.hy.js.map"]),
            ),
            (
                "/.well-known/hyperty//all.json",
                Named::Names(hyperty, true),
            ),
            ("/.well-known/hyperty/", Named::Names(hyperty, false)),
            (
                "/.well-known/hyperty/Echo",
                Named::Descriptor(hyperty, "Echo".to_owned(), None),
            ),
            (
                "/.well-known/hyperty/Echo/version",
                Named::Descriptor(hyperty, "Echo".to_owned(), Some("version".to_owned())),
            ),
            (
                "/.well-known/sourcepackage/a.b.ps/sourceCode",
                Named::Source(KINDS[1], "a.b".to_owned(), true),
            ),
            ("/", Named::Kinds),
        ];
        for (path, expected) in cases {
            assert_eq!(named(path), expected, "{path}");
        }
    }

    #[test]
    fn a_path_that_leads_elsewhere_names_nothing() {
        let elsewhere = [
            "/.well-known/hyperty/../../secret.json",
            "/.well-known/hyperty/..",
            "/.well-known/hyperty/.hidden.json",
            "/.well-known/hyperty/%2e%2e%2fsecret.json",
            "/.well-known/hyperty/a\\b.json",
            "/.well-known/hyperty/a/b/c.json",
            "/.well-known/sorts/Echo.json",
            "/etc/passwd",
            "/.well-known/hyperty/Echo.hy.json\0",
        ];
        for path in elsewhere {
            assert!(matches!(named(path), Named::Nothing(_)), "{path}");
        }
    }
}

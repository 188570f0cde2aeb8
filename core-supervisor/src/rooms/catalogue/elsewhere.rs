//! What stands in the catalogue of another domain: its names, and where it is fetched.
//!
//! ```text
//!  https://<provider>/.well-known/<kind>/NAME.<infix>.pkg    a package: all of it, signed
//!                                        NAME.<infix>.json   as published
//!                                        NAME.json           without what marks the kind
//!                                        NAME                the older interface
//! ```

pub use protocol::api::catalogue::Item;
use protocol::frame::ComponentKind;
use protocol::nursery::Engine;
use protocol::{Address, Code};
use serde_json::Value;

use super::limits::{PROGRAM_BYTES_MAX, SCRIPT_BYTES_MAX};
use super::{PackageFailure, SchemaWanted, Wanted, names};

/// The folder of data schemas.
const SCHEMAS: &str = "dataschema";

/// The catalogue that a runtime brings along: its own stubs, beside its programs.
pub const SHIPPED: &str = "shipped:";

/// Whose components these are.
pub const SHIPPED_PROVIDER: &str = "shipped.hyperty";

/// What an earlier answer said about the file it brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags {
    /// Its entity tag.
    pub etag: String,
    /// Its date of change.
    pub modified: String,
}

/// Something that no catalogue here has, and another domain's may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// What it is.
    pub item: Item,
    /// What is said about its descriptor, when an old copy of it is here.
    pub held: Option<Tags>,
    /// What was to be read here.
    pub asked: AskedFor,
}

/// What was to be read when something was found to be elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskedFor {
    /// A package.
    Package(Wanted),
    /// A schema.
    Schema(SchemaWanted),
    /// Nothing: somebody wants it to be here.
    Nothing,
}

/// One file as it came: its bytes, or that it is still the one which is here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Piece {
    /// `None` when it has not changed.
    pub bytes: Option<Vec<u8>>,
    /// Where it was found.
    pub url: String,
    /// What was said about it.
    pub tags: Tags,
}

/// How what has come is to be treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Kept, unless it asks for more rights than the one before it.
    Take,
    /// Kept whatever it asks for.
    Accept,
    /// Compared only.
    Look,
}

/// What has come of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// What it is.
    pub item: Item,
    /// Its descriptor, or the schema.
    pub descriptor: Piece,
    /// Its code, once that is there; whether it stands in an envelope.
    pub code: Option<(Piece, bool)>,
    /// What is to be done with it.
    pub mode: Mode,
}

/// The code that a descriptor leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeWanted {
    /// Where it may be, in this order.
    pub urls: Vec<String>,
    /// What is said about the one that is here.
    pub tags: Tags,
    /// The most bytes that it may have.
    pub most: usize,
    /// Whether it comes in an envelope of the older interface.
    pub is_wrapped: bool,
}

/// What follows once something has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The code is to be fetched.
    Code(CodeWanted),
    /// It is kept, and says what it is; whether it differs from what was there.
    Kept(Box<protocol::api::catalogue::Fetched>, bool),
    /// It asks for more than the one before it, which stays.
    Grown(Vec<String>),
}

/// The item that a component is elsewhere; `None` when nobody can be asked for it.
pub fn item_of(wanted: &Wanted) -> Option<Result<Item, PackageFailure>> {
    let is_named = wanted.catalogue.contains("://");
    if !is_named && (!wanted.catalogue.is_empty() || is_reserved(&wanted.provider)) {
        return None;
    }
    let item = || {
        let (kind, name) = names::wanted(wanted)?;
        let base = if is_named {
            base(&wanted.catalogue).map_err(bad)?
        } else {
            format!("https://{}", wanted.provider)
        };
        let host = host_of(&base);
        let provider = Some(wanted.provider.as_str()).filter(|provider| !provider.is_empty());
        let provider = provider.unwrap_or(host);
        if !names::is_domain(provider) {
            let reason = format!(
                "`{base}` does not say whose catalogue it is: say `--provider example.org`"
            );
            return Err(bad(reason));
        }
        Ok(Item {
            provider: provider.to_owned(),
            base,
            kind: names::folder(kind).to_owned(),
            name: name.to_owned(),
        })
    };
    Some(item())
}

/// The item that a schema is elsewhere.
pub fn schema_of(wanted: &SchemaWanted) -> Option<Item> {
    let provider = wanted.providers.first()?;
    let is_fit = names::is_domain(provider) && !is_reserved(provider);
    is_fit.then(|| Item {
        base: format!("https://{provider}"),
        provider: provider.clone(),
        kind: SCHEMAS.to_owned(),
        name: wanted.name.clone(),
    })
}

/// Checks an item that somebody names.
pub fn checked(item: &Item) -> Result<Item, PackageFailure> {
    let base = base(&item.base).map_err(bad)?;
    let is_known = item.kind == SCHEMAS || kind_of(&item.kind).is_some();
    if !is_known {
        let reason = "the kind is none of hyperty, protocolstub, idp-proxy and dataschema";
        return Err(bad(reason.to_owned()));
    }
    names::check_name(&item.name).map_err(bad)?;
    if !names::is_domain(&item.provider) {
        let reason = "the provider is not a domain such as `example.org`";
        return Err(bad(reason.to_owned()));
    }
    Ok(Item {
        base,
        ..item.clone()
    })
}

/// The kind of component that a folder holds; `None` for schemas.
pub fn kind_of(folder: &str) -> Option<ComponentKind> {
    names::KINDS
        .into_iter()
        .find(|&kind| names::folder(kind) == folder)
}

/// What messages call it: rules about what may be fetched look at this address.
pub fn address_of(item: &Item) -> Option<Address> {
    let Item {
        provider,
        kind,
        name,
        ..
    } = item;
    let text = format!("hyperty-catalogue://{provider}/.well-known/{kind}/{name}");
    text.parse().ok()
}

/// Where its descriptor, or the schema, may be, in this order.
pub fn descriptor_urls(item: &Item) -> Vec<String> {
    let Item {
        base, kind, name, ..
    } = item;
    let infix = kind_of(kind).map_or("ds", names::infix);
    let folder = format!("{base}/.well-known/{kind}");
    vec![
        format!("{folder}/{name}.{infix}.json"),
        format!("{folder}/{name}.json"),
        format!("{folder}/{name}"),
    ]
}

/// Where its code is, by what its descriptor says.
pub fn code_wanted(
    item: &Item,
    engine: Engine,
    descriptor: &[u8],
    tags: Tags,
) -> Result<CodeWanted, PackageFailure> {
    let most = match engine {
        Engine::Script => SCRIPT_BYTES_MAX,
        Engine::Native => PROGRAM_BYTES_MAX,
    };
    let said = serde_json::from_slice::<Value>(descriptor).unwrap_or_default();
    let said = said.get("sourcePackageURL").and_then(Value::as_str);
    // `/sourcePackage` once meant that the code stands in the descriptor itself.
    let said = said.filter(|url| !matches!(*url, "" | "/sourcePackage"));
    if let Some(url) = said.filter(|_| engine == Engine::Script) {
        return Ok(CodeWanted {
            urls: vec![mapped(item, url)?],
            // As text in JSON, with line feeds and quotes written out.
            most: most.saturating_mul(2),
            is_wrapped: true,
            tags,
        });
    }
    let Item {
        base, kind, name, ..
    } = item;
    let infix = kind_of(kind).map_or("ds", names::infix);
    let ending = match engine {
        Engine::Script => "js",
        Engine::Native => "elf",
    };
    let folder = format!("{base}/.well-known/{kind}");
    Ok(CodeWanted {
        urls: vec![
            format!("{folder}/{name}.{infix}.{ending}"),
            format!("{folder}/{name}.{ending}"),
        ],
        tags,
        most,
        is_wrapped: false,
    })
}

// Older descriptors name their code by a scheme of their own, or by a path. A
// descriptor speaks for its own domain only, so its code comes from there too.
fn mapped(item: &Item, url: &str) -> Result<String, PackageFailure> {
    let path = match url.split_once("://") {
        None if url.starts_with('/') => return Ok(format!("{}/.well-known{url}", item.base)),
        Some(("hyperty-catalogue" | "https" | "http" | "localhost" | "undefined", rest)) => rest,
        _ => return Err(bad(format!("`sourcePackageURL` is `{}`", shown(url)))),
    };
    let (authority, path) = path.split_once('/').unwrap_or((path, ""));
    let own = item.base.trim_start_matches("https://");
    let host = authority.split(':').next().unwrap_or_default();
    let is_own = authority == own || host == host_of(&item.base) || host == item.provider;
    if !is_own || path.contains("..") {
        let reason = format!(
            "`sourcePackageURL` leads to `{}`, and code is fetched from the provider's own host only",
            shown(authority),
        );
        return Err(bad(reason));
    }
    Ok(format!("{}/{path}", item.base))
}

/// Checks where a catalogue elsewhere is: `https://host` or `https://host:port`.
pub fn base(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    let Some(authority) = text.strip_prefix("https://") else {
        return Err(format!(
            "`{}` is no catalogue elsewhere: only https is fetched",
            shown(text)
        ));
    };
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let is_plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.');
    let is_host = !host.is_empty() && host.len() <= 253 && host.bytes().all(is_plain);
    if !is_host || port.parse::<u16>().is_err() {
        return Err(format!("`{}` is not `https://host:port`", shown(text)));
    }
    Ok(format!("https://{}", authority.to_ascii_lowercase()))
}

/// The host and the port of a base.
pub fn authority(base: &str) -> (&str, u16) {
    let authority = base.trim_start_matches("https://");
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    (host, port.parse().unwrap_or(443))
}

fn host_of(base: &str) -> &str {
    authority(base).0
}

/// Whether nobody on the internet can have this domain (RFC 6761, RFC 6762).
///
/// Asking for such a name tells strangers what runs here, and finds nothing.
fn is_reserved(domain: &str) -> bool {
    let last = domain.rsplit('.').next().unwrap_or_default();
    matches!(
        last,
        "" | "example" | "invalid" | "test" | "localhost" | "local" | "hyperty" | "internal"
    )
}

fn bad(reason: String) -> PackageFailure {
    PackageFailure {
        code: Code::BAD_REQUEST,
        reason,
        elsewhere: None,
    }
}

fn shown(text: &str) -> String {
    text.chars()
        .take(128)
        .flat_map(char::escape_default)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(catalogue: &str, provider: &str) -> Wanted {
        Wanted {
            catalogue: catalogue.to_owned(),
            component: "hyperty/Echo".to_owned(),
            provider: provider.to_owned(),
            is_exact: false,
            is_here: false,
        }
    }

    #[test]
    fn a_component_is_looked_for_where_its_provider_or_the_asker_says() {
        let base = |catalogue: &str, provider: &str| {
            let item = item_of(&wanted(catalogue, provider))?;
            Some(item.map(|item| (item.base, item.provider)).ok())
        };
        let at = |base: &str, provider: &str| Some(Some((base.to_owned(), provider.to_owned())));

        assert_eq!(base("", "alice.org"), at("https://alice.org", "alice.org"));
        assert_eq!(
            base("https://localhost:8443/", "alice.example"),
            at("https://localhost:8443", "alice.example")
        );
        assert_eq!(
            base("https://alice.org", ""),
            at("https://alice.org", "alice.org")
        );
        // Nobody is asked for what nobody can have, nor instead of a directory.
        assert_eq!(base("", "alice.example"), None);
        assert_eq!(base("", ""), None);
        assert_eq!(base("/shop", "alice.org"), None);
        assert_eq!(base("http://alice.org", "alice.org"), Some(None));
        assert_eq!(base("https://localhost:8443", ""), Some(None));
        assert_eq!(base("https://u:p@alice.org", "alice.org"), Some(None));
    }

    #[test]
    fn code_is_fetched_from_the_providers_own_host_only() {
        let item = item_of(&wanted("https://localhost:8443", "alice.example"));
        let item = item.unwrap().unwrap();
        let urls = |source: &str| {
            let text = format!("{{\"sourcePackageURL\":\"{source}\"}}");
            let code = code_wanted(&item, Engine::Script, text.as_bytes(), Tags::default());
            code.map(|code| code.urls.join(" ")).ok()
        };

        let envelope = "https://localhost:8443/.well-known/sourcepackage/Echo";
        for source in [
            "hyperty-catalogue://localhost:8443/.well-known/sourcepackage/Echo",
            "hyperty-catalogue://alice.example/.well-known/sourcepackage/Echo",
            "/sourcepackage/Echo",
        ] {
            assert_eq!(urls(source).as_deref(), Some(envelope), "{source}");
        }
        let plain = "https://localhost:8443/.well-known/hyperty/Echo.hy.js \
                     https://localhost:8443/.well-known/hyperty/Echo.js";
        assert_eq!(urls("").as_deref(), Some(plain));
        assert_eq!(urls("/sourcePackage").as_deref(), Some(plain));
        assert_eq!(urls("https://evil.example/x.js"), None);
        assert_eq!(urls("ftp://alice.example/x.js"), None);
    }
}

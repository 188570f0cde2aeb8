//! Things of other domains, as people name them.
//!
//! ```text
//!  https://alice.example/.well-known/hyperty/Echo     where it is
//!  alice.example/hyperty/Echo                         whose it is
//!  Echo, of --catalogue https://localhost:8443        who has a copy of it
//! ```

use std::path::Path;

use protocol::api::catalogue::Item;

use crate::cmd::deploy::absolute;
use crate::error::{Failure, Id};

/// The catalogue to ask, a directory or a URL, and the component in it.
///
/// A component that is a URL says both.
pub(crate) fn wanted(
    catalogue: Option<&Path>,
    component: &str,
) -> Result<(String, String), Failure> {
    if component.contains("://") {
        let (base, component) = split(component)?;
        if catalogue.is_some() {
            let what = format!("`{component}` is at {base}, and --catalogue says another place");
            return Err(
                Failure::new(Id::Usage, what).fix("to say it once", "leave --catalogue out")
            );
        }
        return Ok((base, component));
    }
    let catalogue = match catalogue.and_then(Path::to_str) {
        Some(url) if url.contains("://") => url.trim_end_matches('/').to_owned(),
        _ => catalogue.map(absolute).transpose()?.unwrap_or_default(),
    };
    Ok((catalogue, component.to_owned()))
}

/// An item, named by one of these forms.
pub(super) fn item(
    component: &str,
    catalogue: Option<&str>,
    provider: Option<&str>,
) -> Result<Item, Failure> {
    let catalogue = catalogue.map(Path::new);
    let (base, component) = wanted(catalogue, component)?;
    let mut parts: Vec<&str> = component.split('/').collect();
    let said = (parts.len() == 3).then(|| parts.remove(0));
    let provider = provider.or(said).map(str::to_owned);
    let (kind, name) = match parts.as_slice() {
        [name] => ("hyperty", *name),
        [kind, name] => (*kind, *name),
        _ => return Err(usage(&component)),
    };
    let host = base.trim_start_matches("https://").split(':').next();
    let host = host.filter(|host| !host.is_empty()).map(str::to_owned);
    let provider = provider.or(host).ok_or_else(|| {
        let what = format!("`{component}` does not say whose it is");
        let named = format!("DOMAIN/{kind}/{name}");
        Failure::new(Id::Usage, what).fix("to say it", named)
    })?;
    let base = if base.is_empty() {
        format!("https://{provider}")
    } else {
        base
    };
    Ok(Item {
        base,
        provider,
        kind: kind.to_owned(),
        name: name.to_owned(),
    })
}

// `https://host:port/.well-known/KIND/NAME`, with or without the endings of its files.
fn split(url: &str) -> Result<(String, String), Failure> {
    let rest = url.strip_prefix("https://").ok_or_else(|| {
        let what = format!("`{url}` is not fetched: only https is");
        Failure::new(Id::Usage, what)
    })?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = path
        .strip_prefix(".well-known/")
        .ok_or_else(|| usage(url))?;
    let (kind, file) = path.split_once('/').ok_or_else(|| usage(url))?;
    let infix = match kind {
        "hyperty" => "hy",
        "protocolstub" => "ps",
        "idp-proxy" => "idp",
        "dataschema" => "ds",
        _ => return Err(usage(url)),
    };
    let ending = [".json", ".js", ".elf"].into_iter();
    let name = ending.fold(file, |name, ending| {
        name.strip_suffix(ending).unwrap_or(name)
    });
    let name = name
        .strip_suffix(infix)
        .and_then(|name| name.strip_suffix('.'))
        .unwrap_or(name);
    if name.is_empty() || name.contains('/') {
        return Err(usage(url));
    }
    Ok((format!("https://{authority}"), format!("{kind}/{name}")))
}

fn usage(named: &str) -> Failure {
    let what = format!("`{named}` names nothing of another domain");
    Failure::new(Id::Usage, what)
        .fact(
            "forms",
            "https://DOMAIN/.well-known/KIND/NAME, DOMAIN/KIND/NAME",
        )
        .fact("kinds", "hyperty, protocolstub, idp-proxy, dataschema")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_leads_to_the_same_thing() {
        let wanted = |component: &str| wanted(None, component).ok();
        let echo = |base: &str| Some((base.to_owned(), "hyperty/Echo".to_owned()));

        for url in ["Echo", "Echo.hy.json", "Echo.hy.js", "Echo.json"] {
            let url = format!("https://alice.example:8443/.well-known/hyperty/{url}");
            assert_eq!(wanted(&url), echo("https://alice.example:8443"), "{url}");
        }
        assert_eq!(wanted("hyperty/Echo"), echo(""));
        assert_eq!(
            wanted("http://alice.example/.well-known/hyperty/Echo"),
            None
        );
        assert_eq!(wanted("https://alice.example/hyperty/Echo"), None);
        assert_eq!(wanted("https://alice.example/.well-known/hyperty/"), None);
    }

    #[test]
    fn an_item_is_of_the_domain_that_is_named_first() {
        let of = |component: &str, catalogue: Option<&str>, provider: Option<&str>| {
            let item = item(component, catalogue, provider).ok()?;
            Some(format!(
                "{} {} {}/{}",
                item.base, item.provider, item.kind, item.name
            ))
        };
        let is = |text: &str| Some(text.to_owned());

        assert_eq!(
            of("alice.org/hyperty/Echo", None, None),
            is("https://alice.org alice.org hyperty/Echo")
        );
        assert_eq!(
            of("https://alice.org/.well-known/dataschema/Chat", None, None),
            is("https://alice.org alice.org dataschema/Chat")
        );
        assert_eq!(
            of("Echo", Some("https://localhost:8443"), Some("alice.org")),
            is("https://localhost:8443 alice.org hyperty/Echo")
        );
        assert_eq!(of("Echo", None, None), None);
        assert_eq!(of("a/b/c/d", None, Some("alice.org")), None);
    }
}

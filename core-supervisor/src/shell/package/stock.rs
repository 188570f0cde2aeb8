//! Which provider offers what in a catalogue directory.

use std::path::{Path, PathBuf};

use protocol::Code as Number;
use protocol::frame::ComponentKind;

use super::{failure, unread};
use crate::rooms::catalogue::limits::PROVIDERS_MAX;
use crate::rooms::catalogue::{PackageFailure, names};
use crate::shell::beneath::Place;

/// One provider's part of a catalogue.
pub(super) struct Stock {
    pub(super) place: Place,
    pub(super) path: PathBuf,
    pub(super) provider: String,
    /// Whether its folder is called after the provider.
    pub(super) is_named: bool,
    /// Whether its folder is called after nobody.
    pub(super) is_nameless: bool,
}

/// The providers' parts of a catalogue; with `provider`, only that one's.
pub(super) fn stocks(directory: &Path, provider: &str) -> Result<Vec<Stock>, PackageFailure> {
    let place = Place::open(directory).map_err(|e| unread(directory, &e, "the catalogue"))?;
    let listed = place.names(PROVIDERS_MAX);
    let listed = listed.map_err(|e| unread(directory, &e, "the catalogue"))?;
    let mut stocks = Vec::new();
    for domain in listed.iter().filter(|name| names::is_domain(name)) {
        let is_wanted = provider.is_empty() || provider == domain;
        // A file, a link or an unreadable folder of such a name is no provider's.
        if let Some(place) = place.below(domain).ok().filter(|_| is_wanted) {
            stocks.push(Stock {
                place,
                path: directory.join(domain),
                provider: domain.clone(),
                is_named: true,
                is_nameless: false,
            });
        }
    }
    if listed.iter().any(|name| name == ".well-known") {
        stocks.extend(own_stock(place, directory, provider)?);
    }
    Ok(stocks)
}

// A catalogue of one provider: its folder is called after the domain, or the
// asker says whose it is.
fn own_stock(
    place: Place,
    directory: &Path,
    provider: &str,
) -> Result<Option<Stock>, PackageFailure> {
    let full = std::fs::canonicalize(directory).unwrap_or_else(|_| directory.to_path_buf());
    let called = full
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let provider = match (provider, names::is_domain(called)) {
        ("", true) => called,
        ("", false) => {
            let reason = format!(
                "`{}` does not say whose catalogue it is: name the folder after the domain, or say \
                 `--provider example.org`",
                directory.display(),
            );
            return Err(failure(Number::BAD_REQUEST, reason));
        }
        (asked, _) => asked,
    };
    Ok(Some(Stock {
        place,
        path: directory.to_path_buf(),
        provider: provider.to_owned(),
        is_named: called == provider,
        is_nameless: !names::is_domain(called),
    }))
}

/// The stocks of a catalogue that have this package, or its descriptor.
pub(super) fn offers(
    directory: &Path,
    kind: ComponentKind,
    name: &str,
    provider: &str,
) -> Result<Vec<Stock>, PackageFailure> {
    let files = [
        names::package_path(kind, name),
        names::descriptor_path(kind, name),
    ];
    let mut stocks = stocks(directory, provider)?;
    // What is there but cannot be read is an offer too, and fails with its own reason.
    stocks.retain(|stock| {
        files.iter().any(|path| match stock.place.file(path) {
            Ok(_) => true,
            Err(e) => !e.is_absent(),
        })
    });
    Ok(stocks)
}

pub(super) fn the_one(
    mut offers: Vec<Stock>,
    kind: ComponentKind,
    name: &str,
) -> Result<Option<Stock>, PackageFailure> {
    if offers.len() <= 1 {
        return Ok(offers.pop());
    }
    let providers: Vec<&str> = offers.iter().map(|stock| stock.provider.as_str()).collect();
    let reason = format!(
        "several providers offer `{}/{name}`: say `--provider` with one of {}",
        names::folder(kind),
        providers.join(", "),
    );
    Err(failure(Number::BAD_REQUEST, reason))
}

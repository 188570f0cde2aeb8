//! Packages in one file that were fetched.

use std::path::Path;

use protocol::Code as Number;
use protocol::api::catalogue::Item;

use super::super::signed::{Expected, is_expected, opened};
use super::super::{Catalogues, Package, failure};
use super::Record;
use crate::rooms::catalogue::PackageFailure;
use crate::rooms::catalogue::elsewhere::kind_of;
use crate::rooms::catalogue::names::{PACKAGE, is_package};

impl Catalogues {
    /// Whether nobody has to have signed what is fetched.
    pub(super) fn may_be_unsigned(&self, item: &Item) -> Result<(), PackageFailure> {
        if self.may_be_unsigned {
            return Ok(());
        }
        let Item {
            base, kind, name, ..
        } = item;
        let reason = format!(
            "{base} has no signed package of `{kind}/{name}` (`{name}.…{PACKAGE}`): what is fetched must be \
             signed. To take it anyway: `hyperty up --unsigned`"
        );
        Err(failure(Number::FORBIDDEN, reason))
    }

    /// Whether a package that came is whole, signed, and not older than the one here.
    pub(super) fn is_next(
        &self,
        item: &Item,
        bytes: &[u8],
        url: &str,
        older: Option<&Record>,
    ) -> Result<(), PackageFailure> {
        let source = Path::new(url);
        let archive = opened(bytes, source)?;
        is_expected(&archive, source, expected(item)?)?;
        let signed = archive.verify().map_err(|e| {
            let reason = format!("`{url}` is not to be trusted: {e}");
            failure(Number::FORBIDDEN, reason)
        })?;
        if signed.is_none() {
            self.may_be_unsigned(item)?;
        }
        let Some(older) = older.filter(|older| is_package(&older.descriptor.url)) else {
            return Ok(());
        };
        let before = self.cache()?.content(&older.descriptor);
        let before = before
            .as_deref()
            .and_then(|bytes| hyperty_package::read(bytes).ok());
        let before = before.map(|package| package.manifest.version);
        let version = archive.manifest.version;
        match before {
            Some(before) if version < before => {
                let reason = format!(
                    "`{url}` is version {version}, and {before} is here already: its catalogue went back, or \
                     somebody keeps the newer one from you"
                );
                Err(failure(Number::CONFLICT, reason))
            }
            _ => Ok(()),
        }
    }

    /// A package that was fetched before.
    pub(super) fn fetched_package(
        &self,
        item: &Item,
        bytes: &[u8],
        url: &str,
    ) -> Result<Package, PackageFailure> {
        self.unpack(bytes, Path::new(url), expected(item)?)
    }
}

fn expected(item: &Item) -> Result<Expected<'_>, PackageFailure> {
    let schema = || failure(Number::BAD_REQUEST, "a schema is not deployed");
    Ok(Expected {
        provider: &item.provider,
        kind: kind_of(&item.kind).ok_or_else(schema)?,
        name: &item.name,
        is_fetched: true,
    })
}

//! Packages in one file: verified before anything of them is kept, or run.
//!
//! The bytes are read once, into memory; what is hashed and verified there is what is
//! kept and what runs. The file may become another at any time, and changes nothing.

use std::path::Path;

use hyperty_package::limits::PACKAGE_BYTES_MAX;
use hyperty_package::{Kind, Package as Archive, Unread as Bad, rights};
use protocol::Code as Number;
use protocol::frame::ComponentKind;
use protocol::nursery::Engine;

use super::stock::Stock;
use super::{Catalogues, Content, Package, failure, now, programs, script_text, unread, unsealed};
use crate::rooms::catalogue::names::RELEASE;
use crate::rooms::catalogue::trust::{Seal, Signed};
use crate::rooms::catalogue::{Found, PackageFailure, Parsed, Wanted, names, parse};

/// What a package must be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    pub(super) provider: &'a str,
    pub(super) kind: ComponentKind,
    pub(super) name: &'a str,
    /// Whether it was fetched from another domain.
    pub(super) is_fetched: bool,
}

impl Catalogues {
    /// The package of a stock, when it has one; a descriptor beside it does not count.
    pub(super) fn of_stock(
        &self,
        stock: &Stock,
        kind: ComponentKind,
        name: &str,
    ) -> Option<Result<Package, PackageFailure>> {
        let path = names::package_path(kind, name);
        let source = stock.path.join(&path);
        let bytes = match stock.place.file(&path) {
            Err(e) if e.is_absent() => return None,
            opened => opened.and_then(|opened| opened.read(PACKAGE_BYTES_MAX)),
        };
        let expected = Expected {
            provider: &stock.provider,
            kind,
            name,
            is_fetched: false,
        };
        let package = bytes
            .map_err(|e| unread(&source, &e, "a package"))
            .and_then(|bytes| self.unpack(&bytes, &source, expected));
        Some(package)
    }

    /// The package that is meant by `release:<digest>`.
    pub(super) fn release(&self, wanted: &Wanted) -> Option<Result<Package, PackageFailure>> {
        let digest = wanted.catalogue.strip_prefix(RELEASE)?;
        Some(self.kept_release(wanted, digest))
    }

    fn kept_release(&self, wanted: &Wanted, digest: &str) -> Result<Package, PackageFailure> {
        let (kind, name) = names::wanted(wanted)?;
        let none = || failure(Number::NOT_FOUND, "this runtime keeps no releases");
        let releases = self.releases.as_ref().ok_or_else(none)?;
        let source = releases.path(digest);
        let bytes = releases.get(digest);
        let bytes = bytes.map_err(|e| unread(&source, &e, "the release in use"))?;
        let expected = Expected {
            provider: &wanted.provider,
            kind,
            name,
            is_fetched: false,
        };
        let package = self.unpack(&bytes, &source, expected)?;
        match &package.seal {
            Seal::Signed(signed) if signed.digest == digest => Ok(package),
            _ => {
                let reason = format!(
                    "`{}` is not the release {digest} any more",
                    source.display()
                );
                Err(failure(Number::UNPROCESSABLE, reason))
            }
        }
    }

    /// Verifies a package, and keeps it as a release when it is signed.
    pub(super) fn unpack(
        &self,
        bytes: &[u8],
        source: &Path,
        expected: Expected<'_>,
    ) -> Result<Package, PackageFailure> {
        let archive = opened(bytes, source)?;
        is_expected(&archive, source, expected)?;
        let seal = seal(&archive, source, expected.is_fetched)?;
        let shown = format!("{}!{}", source.display(), archive.manifest.descriptor());
        let found = Found {
            file: &shown,
            name: expected.name,
            kind: expected.kind,
            provider: expected.provider,
            domain: &self.domain,
        };
        let parsed = parse(archive.descriptor(), found)?;
        let (content, digest) = self.content(&archive, &parsed, source, expected)?;
        if let Some(said) = parsed.digest.as_ref().filter(|said| **said != digest) {
            let reason = format!(
                "`{}`: its code has the digest {digest}, and its descriptor says {said}",
                source.display()
            );
            return Err(failure(Number::UNPROCESSABLE, reason));
        }
        if let (Seal::Signed(signed), Some(releases)) = (&seal, &self.releases) {
            releases.put(&signed.digest, bytes).map_err(|e| {
                let reason = format!("cannot keep `{}` as a release: {e}", source.display());
                failure(Number::FAILED, reason)
            })?;
        }
        Ok(Package {
            parsed,
            content,
            digest,
            source: source.to_owned(),
            seal,
        })
    }

    fn content(
        &self,
        archive: &Archive<'_>,
        parsed: &Parsed,
        source: &Path,
        Expected { kind, name, .. }: Expected<'_>,
    ) -> Result<(Content, String), PackageFailure> {
        let engine = parsed.descriptor.engine;
        let path = names::code_path(kind, name, engine);
        let file = path.rsplit('/').next().unwrap_or_default();
        let code = parsed.embedded.as_deref().or_else(|| archive.file(file));
        let missing = || {
            let reason = format!("`{}` has no `{file}`", source.display());
            failure(Number::BAD_REQUEST, reason)
        };
        let code = code.ok_or_else(missing)?;
        match engine {
            Engine::Script => script_text(code.to_vec(), source),
            Engine::Native => {
                let sealed = programs::seal(file, code).map_err(|e| unsealed(source, &e))?;
                let sealed = self.programs.share(sealed, None);
                let digest = sealed.digest.clone();
                Ok((Content::Program(sealed), digest))
            }
        }
    }

    /// Throws a release away.
    pub fn drop_release(&self, digest: &str) {
        if let Some(releases) = &self.releases {
            releases.drop(digest);
        }
    }

    /// Throws every release away but these.
    pub fn keep_releases(&self, digests: &[String]) {
        if let Some(releases) = &self.releases {
            releases.sweep(digests);
        }
    }
}

/// The archive in bytes.
pub(super) fn opened<'a>(bytes: &'a [u8], source: &Path) -> Result<Archive<'a>, PackageFailure> {
    hyperty_package::read(bytes).map_err(|e| {
        let code = match e {
            Bad::TooLong => Number::TOO_LARGE,
            _ => Number::UNPROCESSABLE,
        };
        failure(
            code,
            format!("`{}` is no package that can be used: {e}", source.display()),
        )
    })
}

// Else one provider could bring another's, or one component stand for another.
pub(super) fn is_expected(
    archive: &Archive<'_>,
    source: &Path,
    expected: Expected<'_>,
) -> Result<(), PackageFailure> {
    let manifest = &archive.manifest;
    let kind = match manifest.kind {
        Kind::Hyperty => ComponentKind::Hyperty,
        Kind::ProtocolStub => ComponentKind::ProtoStub,
        Kind::IdpProxy => ComponentKind::IdpProxy,
    };
    let Expected { provider, name, .. } = expected;
    if manifest.provider == provider && kind == expected.kind && manifest.name == name {
        return Ok(());
    }
    let reason = format!(
        "`{}` is {}/{}/{}, and {provider}/{}/{name} was asked for",
        source.display(),
        manifest.provider,
        manifest.kind.folder(),
        manifest.name,
        names::folder(expected.kind),
    );
    Err(failure(Number::UNPROCESSABLE, reason))
}

fn seal(archive: &Archive<'_>, source: &Path, is_fetched: bool) -> Result<Seal, PackageFailure> {
    let verified = archive.verify().map_err(|e| {
        let reason = format!("`{}` is not to be trusted: {e}", source.display());
        failure(Number::FORBIDDEN, reason)
    })?;
    let Some(signed) = verified else {
        return Ok(Seal::Unsigned { is_fetched });
    };
    let manifest = &archive.manifest;
    let today = crate::utc::day(now().as_secs());
    // Days in this form are in the order of their letters.
    let expired = manifest.expires.clone().filter(|day| **day < *today);
    Ok(Seal::Signed(Box::new(Signed {
        item: format!(
            "{}/{}/{}",
            manifest.provider,
            manifest.kind.folder(),
            manifest.name
        ),
        key_id: signed.key.id(),
        key: signed.key.to_string(),
        version: manifest.version,
        digest: archive.digest.clone(),
        rights: rights::asked(archive.descriptor()),
        expired,
    })))
}

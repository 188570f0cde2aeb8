//! Reads packages from catalogue directories.
//!
//! ```text
//!  DIR/.well-known/<kind>/NAME.<hy|ps|idp>.json   one provider: DIR's name, or as asked
//!  DIR/<domain>/.well-known/<kind>/…              several
//! ```
//!
//! A catalogue may be written to by others while it is read: every file is
//! opened below the directory without following links, and hashed from the very
//! bytes that are used.

mod cache;
mod listing;
mod own;
mod programs;
mod releases;
mod schemas;
mod shipped;
mod signed;
mod stock;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::Code as Number;
use protocol::frame::ComponentKind;
use protocol::nursery::Engine;
use sha2::{Digest, Sha256};

use crate::rooms::catalogue::elsewhere::{AskedFor, SHIPPED, item_of};
use crate::rooms::catalogue::limits::{DESCRIPTOR_BYTES_MAX, SCRIPT_BYTES_MAX};
use crate::rooms::catalogue::trust::Seal;
use crate::rooms::catalogue::{
    Code, Found, PackageFailure, PackageRead, Parsed, Wanted, names, parse,
};
use crate::shell::beneath::{Opened, Unread};

use cache::Cache;
pub use programs::{Programs, Sealed};
use releases::Releases;
pub use shipped::Nodes;
use stock::{Stock, offers, the_one};

/// The catalogues of this runtime. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Catalogues {
    directories: Vec<PathBuf>,
    domain: String,
    programs: Programs,
    nodes: Nodes,
    // What was fetched; none where nothing is.
    cache: Option<Cache>,
    // Signed packages that are in use, or were.
    releases: Option<Releases>,
    // Whether what is fetched may be unsigned.
    may_be_unsigned: bool,
    // Whether what is not here may be fetched.
    may_fetch: bool,
    // Where the programs of this runtime are.
    own_programs: Option<PathBuf>,
}

/// Code, read and verified, but not in use yet.
enum Content {
    Script(Vec<u8>),
    Program(Arc<Sealed>),
}

/// A package, read and verified, but not in use yet.
struct Package {
    parsed: Parsed,
    content: Content,
    digest: String,
    source: PathBuf,
    seal: Seal,
}

impl Catalogues {
    /// The configured directories, in order; `domain` is the runtime's.
    pub fn new(directories: Vec<PathBuf>, domain: String, programs: Programs) -> Self {
        Self {
            directories,
            domain,
            programs,
            nodes: Nodes::default(),
            cache: None,
            releases: None,
            may_be_unsigned: false,
            may_fetch: false,
            own_programs: None,
        }
    }

    /// The same, which keep what was fetched in a data directory; if it may be
    /// fetched at all. The stub that does is a program of the other directory.
    #[must_use]
    pub fn fetching(self, data: &Path, may_fetch: bool, own_programs: Option<&Path>) -> Self {
        Self {
            cache: Some(Cache::new(data)),
            releases: Some(Releases::new(data)),
            may_fetch,
            own_programs: own_programs.map(Path::to_path_buf),
            ..self
        }
    }

    /// The same, which take what is not signed from other domains as well.
    #[must_use]
    pub fn unsigned(self, may_be_unsigned: bool) -> Self {
        Self {
            may_be_unsigned,
            ..self
        }
    }

    /// The same with the stubs of these message nodes in front.
    #[must_use]
    pub fn with_nodes(mut self, nodes: Nodes) -> Self {
        self.nodes = nodes;
        self
    }

    /// Reads, checks and, for a program, seals one package.
    pub fn read(&self, wanted: &Wanted) -> Result<PackageRead, PackageFailure> {
        let (kind, name) = names::wanted(wanted)?;
        if let Some(package) = self.shipped(wanted) {
            return Ok(self.take_into_use(name, package?));
        }
        if wanted.catalogue == SHIPPED {
            let package = self.stub(kind, name)?;
            return Ok(self.take_into_use(name, package));
        }
        if let Some(package) = self.release(wanted) {
            return Ok(self.take_into_use(name, package?));
        }
        let item = item_of(wanted)
            .filter(|_| self.cache.is_some())
            .transpose()?;
        for directory in self.directories(&wanted.catalogue, item.is_some())? {
            let mut offers = offers(&directory, kind, name, &wanted.provider)?;
            // Else any catalogue of one provider would be every domain's.
            let is_own = wanted.provider == self.domain;
            offers.retain(|s| !wanted.is_exact || s.is_named || (s.is_nameless && is_own));
            if let Some(stock) = the_one(offers, kind, name)? {
                let package = self.package(&stock, kind, name)?;
                return Ok(self.take_into_use(name, package));
            }
        }
        if let Some(item) = item {
            let asked = (AskedFor::Package(wanted.clone()), wanted.is_here);
            let package = self.fetched(item, asked)?;
            return Ok(self.take_into_use(name, package));
        }
        let reason = format!("no catalogue has `{}/{name}`", names::folder(kind));
        Err(failure(Number::NOT_FOUND, reason))
    }

    fn directories(&self, asked: &str, is_elsewhere: bool) -> Result<Vec<PathBuf>, PackageFailure> {
        if is_elsewhere && asked.contains("://") {
            return Ok(Vec::new());
        }
        if !asked.is_empty() {
            return Ok(vec![PathBuf::from(asked)]);
        }
        if self.directories.is_empty() && !is_elsewhere {
            let reason = "no catalogue is configured: name one with `--catalogue DIR`";
            return Err(failure(Number::NOT_FOUND, reason));
        }
        Ok(self.directories.clone())
    }

    fn package(
        &self,
        stock: &Stock,
        kind: ComponentKind,
        name: &str,
    ) -> Result<Package, PackageFailure> {
        if let Some(package) = self.of_stock(stock, kind, name) {
            return package;
        }
        let parsed = self.descriptor(stock, kind, name)?;
        let engine = parsed.descriptor.engine;
        let path = names::code_path(kind, name, engine);
        let mut source = stock.path.join(&path);
        let embedded = parsed.embedded.as_deref();
        if embedded.is_some() {
            source = stock.path.join(names::descriptor_path(kind, name));
        }
        let (content, digest) = match engine {
            Engine::Script => script(stock, &path, &source, embedded)?,
            Engine::Native => self.program(stock, &path, &source, embedded)?,
        };
        if let Some(expected) = parsed
            .digest
            .as_ref()
            .filter(|expected| **expected != digest)
        {
            let reason = format!(
                "`{}` has the digest {digest}, and its descriptor says {expected}: one of them was \
                 changed without the other",
                source.display(),
            );
            return Err(failure(Number::BAD_REQUEST, reason));
        }
        Ok(Package {
            parsed,
            content,
            digest,
            source,
            seal: Seal::Unsigned { is_fetched: false },
        })
    }

    fn descriptor(
        &self,
        stock: &Stock,
        kind: ComponentKind,
        name: &str,
    ) -> Result<Parsed, PackageFailure> {
        let path = names::descriptor_path(kind, name);
        let file = stock.path.join(&path);
        let text = stock
            .place
            .file(&path)
            .and_then(|opened| opened.read(DESCRIPTOR_BYTES_MAX));
        let text = text.map_err(|e| unread(&file, &e, "a descriptor"))?;
        let found = Found {
            file: &file.to_string_lossy(),
            name,
            kind,
            provider: &stock.provider,
            domain: &self.domain,
        };
        parse(&text, found)
    }

    fn program(
        &self,
        stock: &Stock,
        path: &str,
        source: &Path,
        embedded: Option<&[u8]>,
    ) -> Result<(Content, String), PackageFailure> {
        let sealed = if let Some(bytes) = embedded {
            let sealed = programs::seal("embedded", bytes).map_err(|e| unsealed(source, &e))?;
            self.programs.share(sealed, None)
        } else {
            let opened = stock
                .place
                .file(path)
                .map_err(|e| unread(source, &e, "the code"))?;
            self.sealed(opened, path)
                .map_err(|e| unsealed(source, &e))?
        };
        let digest = sealed.digest.clone();
        Ok((Content::Program(sealed), digest))
    }

    fn sealed(&self, opened: Opened, path: &str) -> Result<Arc<Sealed>, programs::NotSealed> {
        let fingerprint = programs::Fingerprint::of(&opened.stat, now());
        if let Some(sealed) = self.programs.known(fingerprint) {
            return Ok(sealed);
        }
        let sealed = programs::seal(path, opened.file)?;
        Ok(self.programs.share(sealed, fingerprint))
    }

    fn take_into_use(&self, name: &str, package: Package) -> PackageRead {
        let descriptor = package.parsed.descriptor;
        let code = match package.content {
            Content::Program(sealed) => Code::Program(self.programs.insert(sealed)),
            Content::Script(text) => Code::Script {
                file: format!("{name}.{}.js", names::infix(descriptor.kind)),
                text,
            },
        };
        PackageRead {
            descriptor,
            code,
            digest: package.digest,
            source: package.source.display().to_string(),
            seal: package.seal,
        }
    }
}

impl Content {
    fn bytes(&self) -> u64 {
        match self {
            Self::Script(text) => u64::try_from(text.len()).unwrap_or(u64::MAX),
            Self::Program(sealed) => sealed.bytes,
        }
    }
}

fn script(
    stock: &Stock,
    path: &str,
    source: &Path,
    embedded: Option<&[u8]>,
) -> Result<(Content, String), PackageFailure> {
    let text = match embedded {
        Some(text) if text.len() > SCRIPT_BYTES_MAX => Err(Unread::TooLong(SCRIPT_BYTES_MAX)),
        Some(text) => Ok(text.to_vec()),
        None => stock
            .place
            .file(path)
            .and_then(|opened| opened.read(SCRIPT_BYTES_MAX)),
    };
    let text = text.map_err(|e| unread(source, &e, "the code"))?;
    script_text(text, source)
}

fn script_text(text: Vec<u8>, source: &Path) -> Result<(Content, String), PackageFailure> {
    if let Err(e) = std::str::from_utf8(&text) {
        let before = text.iter().take(e.valid_up_to());
        let line = before.filter(|&&byte| byte == b'\n').count() + 1;
        let reason = format!(
            "`{}:{line}` is not UTF-8: save it as UTF-8",
            source.display()
        );
        return Err(failure(Number::BAD_REQUEST, reason));
    }
    let digest = digest_text(&Sha256::digest(&text));
    Ok((Content::Script(text), digest))
}

fn digest_text(digest: &[u8]) -> String {
    let hex: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{}", hex.concat())
}

// Since 1970. A clock that stands before it finds no file old enough.
fn now() -> Duration {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default()
}

fn failure(code: Number, reason: impl Into<String>) -> PackageFailure {
    PackageFailure {
        code,
        reason: reason.into(),
        elsewhere: None,
    }
}

fn unread(path: &Path, e: &Unread, what: &str) -> PackageFailure {
    let shown = path.display();
    match e {
        _ if e.is_absent() => failure(
            Number::NOT_FOUND,
            format!("`{shown}` is missing: {what} belongs there"),
        ),
        Unread::System(_) => failure(Number::FAILED, format!("cannot read `{shown}`: {e}")),
        Unread::NotAFile | Unread::TooLong(_) | Unread::Changed => {
            failure(Number::BAD_REQUEST, format!("`{shown}` {e}"))
        }
    }
}

fn unsealed(path: &Path, e: &programs::NotSealed) -> PackageFailure {
    let code = match e {
        programs::NotSealed::TooLong | programs::NotSealed::NotRunnable(_) => Number::BAD_REQUEST,
        programs::NotSealed::Read(_) | programs::NotSealed::Copy(_) => Number::FAILED,
    };
    failure(code, format!("`{}` {e}", path.display()))
}

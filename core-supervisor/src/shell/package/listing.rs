//! What catalogues hold, for `hyperty catalogue ls` and `check`.

use std::path::Path;

use protocol::api::catalogue::{Entry, Fetched, Listing};
use protocol::frame::ComponentKind;
use protocol::nursery::Engine;

use super::cache::{Cache, now_s};
use super::stock::{Stock, stocks};
use super::{Catalogues, unread};
use crate::rooms::catalogue::limits::ENTRIES_MAX;
use crate::rooms::catalogue::{PackageFailure, constraints, names};
use crate::shell::beneath::Place;

impl Catalogues {
    /// Lists a catalogue, or the configured ones; with `check` the code is verified as well.
    ///
    /// What is wrong stands at the entry; what keeps a whole directory from being
    /// read is an entry of its own, without a name.
    pub fn list(&self, catalogue: &str, check: bool) -> Listing {
        let mut listing = Listing::default();
        if catalogue.is_empty() {
            listing.fetched = self.all_fetched();
        }
        let is_enough = !listing.fetched.is_empty();
        let directories = match self.directories(catalogue, is_enough) {
            Ok(directories) => directories,
            Err(e) => {
                listing.entries.push(broken(Path::new(""), "", &e));
                return listing;
            }
        };
        for directory in directories {
            match stocks(&directory, "") {
                Ok(stocks) => {
                    for stock in &stocks {
                        self.list_stock(stock, check, &mut listing);
                    }
                }
                Err(e) => listing.entries.push(broken(&directory, "", &e)),
            }
        }
        listing
    }

    fn all_fetched(&self) -> Vec<Fetched> {
        let records = self.cache.as_ref().map(Cache::records).unwrap_or_default();
        let now_s = now_s();
        records.iter().map(|record| record.view(now_s)).collect()
    }

    fn list_stock(&self, stock: &Stock, check: bool, listing: &mut Listing) {
        for kind in names::KINDS {
            let folder = format!(".well-known/{}", names::folder(kind));
            let files = stock
                .place
                .below(&folder)
                .and_then(|place: Place| place.names(ENTRIES_MAX));
            let files = match files {
                Ok(files) => files,
                Err(e) if e.is_absent() => continue,
                Err(e) => {
                    let path = stock.path.join(&folder);
                    let failure = unread(&path, &e, "the folder");
                    listing
                        .entries
                        .push(broken(&path, &stock.provider, &failure));
                    continue;
                }
            };
            for name in files
                .iter()
                .filter_map(|file| names::name_of_file(kind, file))
            {
                if listing.entries.len() >= ENTRIES_MAX {
                    return;
                }
                listing.entries.push(self.entry(stock, kind, name, check));
            }
        }
    }

    fn entry(&self, stock: &Stock, kind: ComponentKind, name: &str, check: bool) -> Entry {
        let mut entry = Entry {
            name: name.escape_default().to_string(),
            kind,
            engine: Engine::Script,
            provider: stock.provider.clone(),
            descriptor: stock
                .path
                .join(names::descriptor_path(kind, name))
                .display()
                .to_string(),
            code: String::new(),
            bytes: 0,
            digest: String::new(),
            problems: Vec::new(),
        };
        if let Err(reason) = names::check_name(name) {
            entry.problems.push(reason);
            return entry;
        }
        let problem = if check {
            self.check_entry(stock, kind, name, &mut entry)
        } else {
            self.glance_entry(stock, kind, name, &mut entry)
        };
        entry
            .problems
            .extend(problem.err().map(|failure| failure.reason));
        entry
    }

    fn check_entry(
        &self,
        stock: &Stock,
        kind: ComponentKind,
        name: &str,
        entry: &mut Entry,
    ) -> Result<(), PackageFailure> {
        self.glance_entry(stock, kind, name, entry)?;
        let package = self.package(stock, kind, name)?;
        entry.bytes = package.content.bytes();
        entry.digest = package.digest;
        Ok(())
    }

    fn glance_entry(
        &self,
        stock: &Stock,
        kind: ComponentKind,
        name: &str,
        entry: &mut Entry,
    ) -> Result<(), PackageFailure> {
        let parsed = self.descriptor(stock, kind, name)?;
        let unmet = constraints::met(&parsed.descriptor.constraints).err();
        entry.problems.extend(unmet);
        entry.name = parsed.descriptor.name;
        entry.engine = parsed.descriptor.engine;
        if let Some(embedded) = parsed.embedded {
            entry.code.clone_from(&entry.descriptor);
            entry.bytes = u64::try_from(embedded.len()).unwrap_or(u64::MAX);
            return Ok(());
        }
        let path = names::code_path(kind, name, entry.engine);
        let source = stock.path.join(&path);
        entry.code = source.display().to_string();
        let opened = stock
            .place
            .file(&path)
            .map_err(|e| unread(&source, &e, "the code"))?;
        entry.bytes = u64::try_from(opened.stat.st_size).unwrap_or(0);
        Ok(())
    }
}

fn broken(path: &Path, provider: &str, failure: &PackageFailure) -> Entry {
    Entry {
        name: String::new(),
        kind: ComponentKind::Hyperty,
        engine: Engine::Script,
        provider: provider.to_owned(),
        descriptor: path.display().to_string(),
        code: String::new(),
        bytes: 0,
        digest: String::new(),
        problems: vec![failure.reason.clone()],
    }
}

//! What came is verified, and kept when it is whole; what is kept is read again.

use std::path::Path;

use hyperty_package::rights;
use protocol::Code as Number;
use protocol::api::catalogue::Item;
use protocol::nursery::Engine;
use serde_json::Value;

use super::super::{Catalogues, Content, Package, failure, programs, script_text, unsealed};
use super::{Cache, NotKept, Record, Stored, now_s};
use crate::rooms::catalogue::elsewhere::{
    Arrived, AskedFor, Elsewhere, Mode, Next, Piece, code_wanted, kind_of,
};
use crate::rooms::catalogue::limits::{DESCRIPTOR_BYTES_MAX, FRESH_FOR, SCRIPT_BYTES_MAX};
use crate::rooms::catalogue::names::is_package;
use crate::rooms::catalogue::trust::Seal;
use crate::rooms::catalogue::{Found, Managed, PackageFailure, Parsed, decoded, parse};
use crate::rooms::sync::shape::SCHEMA_BYTES_MAX;

impl Catalogues {
    /// Verifies what came, and keeps it when nothing is missing.
    pub fn keep(&self, arrived: Arrived) -> Result<Next, PackageFailure> {
        let cache = self.cache()?;
        let older = cache.record(&arrived.item);
        if older.as_ref().is_some_and(|older| older.pinned) && arrived.mode != Mode::Look {
            let what = shown(&arrived.item);
            let reason = format!("{what} is pinned: `hyperty catalogue unpin` lets it change");
            return Err(failure(Number::CONFLICT, reason));
        }
        let held = older.as_ref().map(|older| &older.descriptor);
        let (descriptor, text) = piece(cache, arrived.descriptor, held)?;
        if is_package(&descriptor.url) {
            self.is_next(&arrived.item, &text, &descriptor.url, older.as_ref())?;
            let code = None;
            let fresh = Fresh {
                descriptor,
                text,
                code,
            };
            return self.enter(arrived.item, arrived.mode, fresh, older);
        }
        if text.len() > DESCRIPTOR_BYTES_MAX {
            let reason = format!(
                "`{}` is longer than {DESCRIPTOR_BYTES_MAX} bytes",
                descriptor.url
            );
            return Err(failure(Number::TOO_LARGE, reason));
        }
        if kind_of(&arrived.item.kind).is_none() {
            is_schema(&arrived.item, &text, &descriptor.url)?;
            let fresh = Fresh {
                descriptor,
                text,
                code: None,
            };
            return self.enter(arrived.item, arrived.mode, fresh, older);
        }
        self.may_be_unsigned(&arrived.item)?;
        let parsed = self.parsed(&arrived.item, &text, &descriptor.url)?;
        let engine = parsed.descriptor.engine;
        let Some((code, is_wrapped)) = arrived.code else {
            if parsed.embedded.is_none() {
                let tags = older.as_ref().and_then(|older| older.code.as_ref());
                let tags = tags.map(Stored::tags).unwrap_or_default();
                return Ok(Next::Code(code_wanted(&arrived.item, engine, &text, tags)?));
            }
            let fresh = Fresh {
                descriptor,
                text,
                code: None,
            };
            self.verified(parsed, None, Path::new(&fresh.descriptor.url))?;
            return self.enter(arrived.item, arrived.mode, fresh, older);
        };
        let held = older.as_ref().and_then(|older| older.code.as_ref());
        let code = unwrapped(code, is_wrapped)?;
        let (code, bytes) = piece(cache, code, held)?;
        self.verified(parsed, Some(&bytes), Path::new(&code.url))?;
        let fresh = Fresh {
            descriptor,
            text,
            code: Some((code, bytes)),
        };
        self.enter(arrived.item, arrived.mode, fresh, older)
    }

    /// Pins or unpins something that is kept.
    pub fn manage(&self, managed: &Managed) -> Result<Next, PackageFailure> {
        let cache = self.cache()?;
        let (item, digest, pinned) = match managed {
            Managed::Pin(item, digest) => (item, digest.as_str(), true),
            Managed::Unpin(item) => (item, "", false),
        };
        let Some(mut record) = cache.record(item) else {
            let reason = format!(
                "{} was never fetched: `hyperty catalogue fetch` does that",
                shown(item)
            );
            return Err(failure(Number::NOT_FOUND, reason));
        };
        let view = record.view(now_s());
        if !digest.is_empty() && digest != view.digest {
            let reason = format!(
                "{} has the digest {}, not {digest}",
                shown(item),
                view.digest
            );
            return Err(failure(Number::CONFLICT, reason));
        }
        record.pinned = pinned;
        cache.save(&record).map_err(|e| not_kept(&e))?;
        Ok(Next::Kept(Box::new(record.view(now_s())), false))
    }

    /// A package that was fetched; where to fetch it, when that is due.
    pub(in super::super) fn fetched(
        &self,
        item: Item,
        (asked, is_here): (AskedFor, bool),
    ) -> Result<Package, PackageFailure> {
        let record = self.due(item, asked, is_here)?;
        let cache = self.cache()?;
        let item = &record.item;
        let lost = || {
            let reason = format!("{} is not here whole any more: fetch it again", shown(item));
            failure(Number::NOT_FOUND, reason)
        };
        let text = cache.content(&record.descriptor).ok_or_else(lost)?;
        let code = record
            .code
            .as_ref()
            .map(|code| cache.content(code).ok_or_else(lost));
        let code = code.transpose()?;
        if is_package(&record.descriptor.url) {
            return self.fetched_package(item, &text, &record.descriptor.url);
        }
        let parsed = self.parsed(item, &text, &record.descriptor.url)?;
        let at = record.code.as_ref().unwrap_or(&record.descriptor);
        let source = format!("{} ({} old)", at.url, age(record.view(now_s()).age_s));
        self.verified(parsed, code.as_deref(), Path::new(&source))
    }

    /// A schema that was fetched, likewise.
    pub(in super::super) fn fetched_schema(
        &self,
        item: Item,
        (asked, is_here): (AskedFor, bool),
    ) -> Result<Vec<u8>, PackageFailure> {
        let record = self.due(item, asked, is_here)?;
        let text = self.cache()?.content(&record.descriptor);
        text.ok_or_else(|| failure(Number::NOT_FOUND, "it is not here whole any more"))
    }

    // The record of an item that may be used without asking; else where to ask.
    fn due(&self, item: Item, asked: AskedFor, is_here: bool) -> Result<Record, PackageFailure> {
        let cache = self.cache()?;
        let record = cache.record(&item).filter(|record| is_whole(cache, record));
        let now_s = now_s();
        let may_use = |record: &Record| {
            let age = now_s.saturating_sub(record.checked_s);
            is_here || record.pinned || !self.may_fetch || age < FRESH_FOR.as_secs()
        };
        match record {
            Some(mut record) if may_use(&record) => {
                record.used_s = now_s;
                // When it was used decides only what goes first.
                let _ = cache.save(&record);
                Ok(record)
            }
            record => {
                let what = shown(&item);
                let mut absent = failure(Number::NOT_FOUND, format!("no catalogue has {what}"));
                let held = record.map(|record| record.descriptor.tags());
                let elsewhere = Elsewhere { item, held, asked };
                absent.elsewhere = (self.may_fetch && !is_here).then(|| Box::new(elsewhere));
                Err(absent)
            }
        }
    }

    fn enter(
        &self,
        item: Item,
        mode: Mode,
        fresh: Fresh,
        older: Option<Record>,
    ) -> Result<Next, PackageFailure> {
        let cache = self.cache()?;
        let Fresh {
            descriptor,
            text,
            code,
        } = fresh;
        // What a signed package asks for beyond the one in use is looked at when it is
        // to run (flows/trust.rs): that is remembered when this is thrown away.
        let described = older
            .as_ref()
            .filter(|older| !is_package(&descriptor.url) && !is_package(&older.descriptor.url));
        let grown = described.and_then(|older| {
            let before = cache.content(&older.descriptor)?;
            let [before, text] = [&before, &text].map(|text| rights::asked(text));
            Some(rights::grown(&before, &text))
        });
        let grown = grown.unwrap_or_default();
        if !grown.is_empty() && mode != Mode::Accept {
            if let Some(mut older) = older.filter(|_| mode == Mode::Take) {
                older.grown.clone_from(&grown);
                older.checked_s = now_s();
                cache.save(&older).map_err(|e| not_kept(&e))?;
            }
            return Ok(Next::Grown(grown));
        }
        let record = Record {
            pinned: older.as_ref().is_some_and(|older| older.pinned),
            code: code.as_ref().map(|(stored, _)| stored.clone()),
            item,
            descriptor,
            checked_s: now_s(),
            used_s: now_s(),
            grown: Vec::new(),
        };
        let is_new = older.is_none_or(|older| {
            let digest = |stored: &Stored| stored.digest.clone();
            digest(&older.descriptor) != digest(&record.descriptor)
                || older.code.as_ref().map(digest) != record.code.as_ref().map(digest)
        });
        let view = Box::new(record.view(now_s()));
        if mode == Mode::Look {
            return Ok(Next::Kept(view, is_new));
        }
        let kept = cache
            .put(&text)
            .and_then(|()| code.map_or(Ok(()), |(_, bytes)| cache.put(&bytes)))
            .and_then(|()| cache.enter(&record));
        kept.map_err(|e| not_kept(&e))?;
        Ok(Next::Kept(view, is_new))
    }

    fn parsed(&self, item: &Item, text: &[u8], url: &str) -> Result<Parsed, PackageFailure> {
        let kind = kind_of(&item.kind);
        let kind = kind.ok_or_else(|| failure(Number::BAD_REQUEST, "a schema is not deployed"))?;
        let found = Found {
            file: url,
            name: &item.name,
            kind,
            provider: &item.provider,
            domain: &self.domain,
        };
        parse(text, found)
    }

    // The same checks as for a package of a directory.
    fn verified(
        &self,
        parsed: Parsed,
        code: Option<&[u8]>,
        source: &Path,
    ) -> Result<Package, PackageFailure> {
        let bytes = code.or(parsed.embedded.as_deref());
        let bytes = bytes.ok_or_else(|| failure(Number::BAD_REQUEST, "its code is missing"))?;
        let (content, found) = match parsed.descriptor.engine {
            Engine::Script => {
                if bytes.len() > SCRIPT_BYTES_MAX {
                    let reason = format!(
                        "`{}` is longer than {SCRIPT_BYTES_MAX} bytes",
                        source.display()
                    );
                    return Err(failure(Number::BAD_REQUEST, reason));
                }
                script_text(bytes.to_vec(), source)?
            }
            Engine::Native => {
                let sealed = programs::seal("fetched", bytes).map_err(|e| unsealed(source, &e))?;
                let sealed = self.programs.share(sealed, None);
                let digest = sealed.digest.clone();
                (Content::Program(sealed), digest)
            }
        };
        if let Some(expected) = parsed.digest.as_ref().filter(|digest| **digest != found) {
            let reason = format!(
                "`{}` has the digest {found}, and its descriptor says {expected}: it was changed \
                 on its way, or its provider changed one without the other",
                source.display(),
            );
            return Err(failure(Number::UNPROCESSABLE, reason));
        }
        Ok(Package {
            parsed,
            content,
            digest: found,
            source: source.to_owned(),
            seal: Seal::Unsigned { is_fetched: true },
        })
    }

    pub(super) fn cache(&self) -> Result<&Cache, PackageFailure> {
        let none = || {
            failure(
                Number::NOT_FOUND,
                "this runtime keeps nothing of other domains",
            )
        };
        self.cache.as_ref().ok_or_else(none)
    }
}

/// Verified, and not kept yet.
struct Fresh {
    descriptor: Stored,
    text: Vec<u8>,
    code: Option<(Stored, Vec<u8>)>,
}

// The bytes of a file: those that came, or those that are here and have not changed.
fn piece(
    cache: &Cache,
    mut piece: Piece,
    held: Option<&Stored>,
) -> Result<(Stored, Vec<u8>), PackageFailure> {
    if let Some(bytes) = piece.bytes.take() {
        return Ok((Stored::of(&piece, &bytes), bytes));
    }
    let kept = held.and_then(|held| Some((held.clone(), cache.content(held)?)));
    kept.ok_or_else(|| {
        let reason = format!(
            "`{}` has not changed, it says, and what it was is not here",
            piece.url
        );
        failure(Number::FAILED, reason)
    })
}

// Code in an envelope of the older interface.
fn unwrapped(piece: Piece, is_wrapped: bool) -> Result<Piece, PackageFailure> {
    let Some(bytes) = piece.bytes.as_ref().filter(|_| is_wrapped) else {
        return Ok(piece);
    };
    let wrong = |why: &str| failure(Number::BAD_REQUEST, format!("`{}`: {why}", piece.url));
    let package: Value = serde_json::from_slice(bytes).map_err(|e| wrong(&e.to_string()))?;
    let text = package.get("sourceCode").and_then(Value::as_str);
    let text = text.ok_or_else(|| wrong("the envelope holds no `sourceCode`"))?;
    let code = match package.get("encoding").and_then(Value::as_str) {
        Some("base64") => decoded(text).map_err(|why| wrong(&why))?,
        None | Some("") => text.as_bytes().to_vec(),
        Some(_) => return Err(wrong("its `encoding` is none but base64")),
    };
    Ok(Piece {
        bytes: Some(code),
        ..piece
    })
}

fn is_schema(item: &Item, text: &[u8], url: &str) -> Result<(), PackageFailure> {
    if text.len() > SCHEMA_BYTES_MAX {
        let reason = format!("`{url}` is longer than {SCHEMA_BYTES_MAX} bytes");
        return Err(failure(Number::TOO_LARGE, reason));
    }
    let parsed = serde_json::from_slice::<serde_json::Map<String, Value>>(text);
    parsed.map(|_| ()).map_err(|e| {
        let reason = format!("{}: `{url}` is no schema: {e}", shown(item));
        failure(Number::BAD_REQUEST, reason)
    })
}

fn is_whole(cache: &Cache, record: &Record) -> bool {
    let has = |stored: &Stored| cache.content(stored).is_some();
    has(&record.descriptor) && record.code.as_ref().is_none_or(has)
}

fn not_kept(e: &NotKept) -> PackageFailure {
    let code = match e {
        NotKept::Write(..) => Number::FAILED,
        NotKept::Full => Number::TOO_LARGE,
    };
    failure(code, e.to_string())
}

fn shown(item: &Item) -> String {
    format!("`{}/{}` of {}", item.kind, item.name, item.provider)
}

fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

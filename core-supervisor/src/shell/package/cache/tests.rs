use protocol::Code as Number;
use protocol::api::catalogue::Fetched;

use super::*;
use crate::rooms::catalogue::elsewhere::{Arrived, AskedFor, Mode, Next, Piece, Tags};
use crate::rooms::catalogue::{Code, Managed, PackageFailure, PackageRead, Wanted};
use crate::shell::package::{Catalogues, Programs};
use crate::shell::testing::{Directory, directory};

const SCRIPT: &str = r#"{"language":"javascript"}"#;

struct Kept {
    data: Directory,
    catalogues: Catalogues,
}

impl Kept {
    fn new() -> Self {
        let data = directory("cache");
        let none = Catalogues::new(Vec::new(), "here.org".to_owned(), Programs::default());
        let catalogues = none.fetching(data.path(), true, None).unsigned(true);
        Self { data, catalogues }
    }

    fn comes(&self, descriptor: &str, code: &str, mode: Mode) -> Result<Next, PackageFailure> {
        self.catalogues.keep(arrived(descriptor, Some(code), mode))
    }

    fn read(&self, is_here: bool) -> Result<PackageRead, PackageFailure> {
        self.catalogues.read(&wanted(is_here))
    }

    /// The code that would be deployed now.
    fn code(&self) -> Option<String> {
        match self.read(true).ok()?.code {
            Code::Script { text, .. } => String::from_utf8(text).ok(),
            Code::Program(_) => None,
        }
    }

    fn fetched(&self) -> Vec<Fetched> {
        self.catalogues.list("", false).fetched
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.data.path().join("catalogue/content")).unwrap();
        entries.flatten().map(|entry| entry.path()).collect()
    }

    fn cache(&self) -> Cache {
        Cache::new(self.data.path())
    }
}

fn item() -> Item {
    Item {
        base: "https://alice.org".to_owned(),
        provider: "alice.org".to_owned(),
        kind: "hyperty".to_owned(),
        name: "Echo".to_owned(),
    }
}

fn wanted(is_here: bool) -> Wanted {
    Wanted {
        catalogue: String::new(),
        component: "hyperty/Echo".to_owned(),
        provider: "alice.org".to_owned(),
        is_exact: false,
        is_here,
    }
}

fn piece(text: &str) -> Piece {
    Piece {
        bytes: Some(text.as_bytes().to_vec()),
        url: "https://alice.org/x".to_owned(),
        tags: Tags {
            etag: "\"1\"".to_owned(),
            modified: String::new(),
        },
    }
}

fn arrived(descriptor: &str, code: Option<&str>, mode: Mode) -> Arrived {
    Arrived {
        item: item(),
        descriptor: piece(descriptor),
        code: code.map(|code| (piece(code), false)),
        mode,
    }
}

fn code_of(result: Result<Next, PackageFailure>) -> Number {
    result.unwrap_err().code
}

#[test]
fn a_descriptor_leads_to_its_code_and_both_are_read_again_by_their_digests() {
    let kept = Kept::new();

    let first = kept.catalogues.keep(arrived(SCRIPT, None, Mode::Take));
    let before = kept.fetched().len();
    let second = kept.comes(SCRIPT, "1 + 1", Mode::Take).unwrap();
    let package = kept.read(false).unwrap();

    assert!(matches!(first, Ok(Next::Code(code)) if code.urls.len() == 2));
    assert_eq!(before, 0, "half of it is nothing");
    assert!(matches!(second, Next::Kept(_, true)));
    assert_eq!(package.digest, digest(b"1 + 1"));
    assert!(package.source.contains("https://alice.org/x"));
}

#[test]
fn what_has_another_digest_than_its_descriptor_says_is_never_kept() {
    let kept = Kept::new();
    let says = |digest: &str| format!(r#"{{"language":"javascript","digest":"{digest}"}}"#);

    let right = kept.comes(&says(&digest(b"1")), "1", Mode::Take);
    let wrong = kept.comes(&says(&digest(b"2")), "3", Mode::Take);

    assert!(right.is_ok());
    assert_eq!(code_of(wrong), Number::UNPROCESSABLE);
    assert_eq!(kept.code().as_deref(), Some("1"));
}

#[test]
fn what_is_no_descriptor_and_no_code_is_refused() {
    let kept = Kept::new();
    let mut binary = arrived(SCRIPT, Some(""), Mode::Take);
    binary.code = Some((
        Piece {
            bytes: Some(vec![0xff]),
            ..piece("")
        },
        false,
    ));

    assert_eq!(
        code_of(kept.comes("<html>", "1", Mode::Take)),
        Number::BAD_REQUEST
    );
    assert_eq!(
        code_of(kept.comes("[]", "1", Mode::Take)),
        Number::BAD_REQUEST
    );
    assert_eq!(code_of(kept.catalogues.keep(binary)), Number::BAD_REQUEST);
    let native = r#"{"language":"native"}"#;
    assert_eq!(
        code_of(kept.comes(native, "no program", Mode::Take)),
        Number::BAD_REQUEST
    );
}

#[test]
fn content_that_was_altered_is_thrown_away_and_asked_for_again() {
    let kept = Kept::new();
    kept.comes(SCRIPT, "1 + 1", Mode::Take).unwrap();
    for file in kept.files() {
        let altered = fs::read_to_string(&file).unwrap().replace('1', "2");
        fs::write(file, altered).unwrap();
    }

    let failure = kept.read(false).unwrap_err();

    assert_eq!(failure.code, Number::NOT_FOUND);
    assert_eq!(failure.elsewhere.unwrap().held, None);
    assert_eq!(kept.code(), None);
}

#[test]
fn what_nobody_has_asked_about_for_a_while_is_asked_about_but_serves_in_need() {
    let kept = Kept::new();
    kept.comes(SCRIPT, "1", Mode::Take).unwrap();
    let mut record = kept.cache().record(&item()).unwrap();
    record.checked_s -= 3600;
    kept.cache().save(&record).unwrap();

    let due = kept.read(false).unwrap_err().elsewhere.unwrap();

    let tags = piece("").tags;
    assert_eq!(due.held, Some(tags));
    assert_eq!(due.asked, AskedFor::Package(wanted(false)));
    assert!(kept.read(true).unwrap().source.contains("1 h old"));
}

#[test]
fn what_has_not_changed_is_fresh_again_without_its_bytes() {
    let kept = Kept::new();
    kept.comes(SCRIPT, "1", Mode::Take).unwrap();
    let same = Piece {
        bytes: None,
        ..piece("")
    };
    let again = Arrived {
        descriptor: same.clone(),
        code: Some((same, false)),
        ..arrived("", None, Mode::Take)
    };

    let result = kept.catalogues.keep(again.clone()).unwrap();

    assert!(matches!(result, Next::Kept(_, false)));
    assert_eq!(kept.code().as_deref(), Some("1"));
    // Who says so of what was never here is not believed.
    assert_eq!(code_of(Kept::new().catalogues.keep(again)), Number::FAILED);
}

#[test]
fn what_is_pinned_stays_until_it_is_unpinned() {
    let kept = Kept::new();
    kept.comes(SCRIPT, "1", Mode::Take).unwrap();
    let pin = |digest: &str| {
        kept.catalogues
            .manage(&Managed::Pin(item(), digest.to_owned()))
    };

    let other = pin(&digest(b"2"));
    let pinned = pin(&digest(b"1"));
    let refused = kept.comes(SCRIPT, "2", Mode::Take);
    let looked = kept.comes(SCRIPT, "2", Mode::Look);
    let while_pinned = kept.code();
    kept.catalogues.manage(&Managed::Unpin(item())).unwrap();
    let after = kept.comes(SCRIPT, "2", Mode::Take);

    assert_eq!(code_of(other), Number::CONFLICT);
    assert!(matches!(pinned, Ok(Next::Kept(fetched, _)) if fetched.pinned));
    assert_eq!(code_of(refused), Number::CONFLICT);
    assert!(matches!(looked, Ok(Next::Kept(_, true))));
    assert_eq!(while_pinned.as_deref(), Some("1"));
    assert!(after.is_ok());
    assert_eq!(kept.code().as_deref(), Some("2"));
}

#[test]
fn a_version_that_asks_for_more_waits_until_it_is_accepted() {
    let kept = Kept::new();
    let greedy = r#"{"language":"javascript","network":[{"host":"*","port":25}]}"#;
    kept.comes(SCRIPT, "1", Mode::Take).unwrap();

    let waits = kept.comes(greedy, "2", Mode::Take).unwrap();
    let before = (kept.code(), kept.fetched()[0].grown.len());
    let accepted = kept.comes(greedy, "2", Mode::Accept).unwrap();

    assert!(matches!(waits, Next::Grown(rights) if rights[0].contains("port 25")));
    assert_eq!(before, (Some("1".to_owned()), 1));
    assert!(matches!(accepted, Next::Kept(_, true)));
    assert_eq!(kept.code().as_deref(), Some("2"));
}

#[test]
fn code_in_an_envelope_is_unwrapped() {
    let kept = Kept::new();
    let wrapped = |text: &str| Arrived {
        code: Some((piece(text), true)),
        ..arrived(SCRIPT, None, Mode::Take)
    };

    kept.catalogues
        .keep(wrapped(r#"{"sourceCode":"1"}"#))
        .unwrap();
    let plain = kept.code();
    kept.catalogues
        .keep(wrapped(r#"{"encoding":"base64","sourceCode":"Mg=="}"#))
        .unwrap();

    assert_eq!(plain.as_deref(), Some("1"));
    assert_eq!(kept.code().as_deref(), Some("2"));
    for bad in ["1", "{}", r#"{"encoding":"rot13","sourceCode":"1"}"#] {
        assert_eq!(
            code_of(kept.catalogues.keep(wrapped(bad))),
            Number::BAD_REQUEST,
            "{bad}"
        );
    }
}

#[test]
fn what_no_record_names_and_what_a_crash_left_behind_is_swept() {
    let kept = Kept::new();
    kept.comes(SCRIPT, "1", Mode::Take).unwrap();
    let half = kept.data.path().join("catalogue/content/x.new");
    fs::write(&half, "half").unwrap();

    kept.comes(SCRIPT, "2", Mode::Take).unwrap();

    assert!(!half.exists());
    let digests: Vec<_> = kept
        .files()
        .iter()
        .map(|file| digest(&fs::read(file).unwrap()))
        .collect();
    assert_eq!(digests.len(), 2, "a descriptor and its code");
    assert!(!digests.contains(&digest(b"1")));
}

#[test]
fn what_was_used_longest_ago_makes_room_and_what_is_pinned_does_not() {
    let kept = Kept::new();
    let record = |name: &str, bytes, used_s, pinned| Record {
        item: Item {
            name: name.to_owned(),
            ..item()
        },
        descriptor: Stored {
            digest: digest(name.as_bytes()),
            bytes,
            url: String::new(),
            etag: String::new(),
            modified: String::new(),
        },
        code: None,
        checked_s: 0,
        used_s,
        pinned,
        grown: Vec::new(),
    };
    let half = CACHE_BYTES_MAX / 2;
    let cache = kept.cache();

    cache.enter(&record("old-pinned", half, 1, true)).unwrap();
    cache.enter(&record("old", half, 2, false)).unwrap();
    cache.enter(&record("new", half, 3, false)).unwrap();
    let names: Vec<_> = cache
        .records()
        .into_iter()
        .map(|record| record.item.name)
        .collect();
    let too_much = cache.enter(&record("huge", CACHE_BYTES_MAX, 4, false));

    assert_eq!(names, ["new", "old-pinned"]);
    assert!(matches!(too_much, Err(NotKept::Full)));
}

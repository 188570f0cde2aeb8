//! Packages as authors make them, and as attackers would.

use std::collections::BTreeMap;

use minisign::SecretKey;
use tar::EntryType;

use super::*;
use crate::archive::header_of;

fn contents(version: &str) -> Contents {
    let file = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
    Contents {
        provider: "acme.example".to_owned(),
        kind: Kind::Hyperty,
        name: "Echo".to_owned(),
        version: version.parse().unwrap(),
        expires: None,
        files: BTreeMap::from([
            file("Echo.hy.json", r#"{"name":"Echo"}"#),
            file("Echo.hy.js", "// echo"),
            file("assets/logo.svg", "<svg/>"),
        ]),
    }
}

fn key() -> (Key, SecretKey) {
    let (key, text) = generate(Password::None).unwrap();
    (key, secret_key(&text, Password::None).unwrap())
}

fn signed() -> (Vec<u8>, Key) {
    let (_, secret) = key();
    sign(&pack(&contents("1.0.0")).unwrap(), &secret).unwrap()
}

/// Whether bytes are a package that somebody signed.
fn holds(bytes: &[u8]) -> bool {
    read(bytes).is_ok_and(|package| matches!(package.verify(), Ok(Some(_))))
}

fn entry(name: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = header_of("x", content.len() as u64).unwrap();
    let field = &mut bytes.as_mut_bytes()[..100];
    field.fill(0);
    field[..name.len()].copy_from_slice(name.as_bytes());
    bytes.set_cksum();
    let mut bytes = bytes.as_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn refusal(parts: &[Vec<u8>]) -> String {
    let mut bytes = parts.concat();
    bytes.resize(bytes.len() + 1024, 0);
    read(&bytes).unwrap_err().to_string()
}

#[test]
fn what_is_packed_is_read_again() {
    let (bytes, key) = signed();

    let package = read(&bytes).unwrap();

    assert_eq!(package.manifest.version, Version(1, 0, 0));
    assert_eq!(package.descriptor(), br#"{"name":"Echo"}"#);
    assert_eq!(package.file("assets/logo.svg"), Some(b"<svg/>".as_slice()));
    assert_eq!(package.verify().unwrap().unwrap().key, key);
}

#[test]
fn the_same_files_make_the_same_bytes() {
    let bytes = pack(&contents("1.0.0")).unwrap();

    assert_eq!(bytes, pack(&contents("1.0.0")).unwrap());
    // What older builds packed is still read: this changes only with the form's number.
    assert_eq!(
        digest_of(&bytes),
        "blake3:249b99a4a7424e3d361ae98b4d59170403ddb62e6694899ed33526899b980a11"
    );
}

#[test]
fn no_bit_of_a_signed_package_may_be_another() {
    let (bytes, _) = signed();
    assert!(holds(&bytes));

    let mut altered = bytes.clone();
    let passed: Vec<usize> = (0..bytes.len() * 8)
        .filter(|bit| {
            altered[bit / 8] ^= 1 << (bit % 8);
            let holds = holds(&altered);
            altered[bit / 8] ^= 1 << (bit % 8);
            holds
        })
        .collect();

    assert_eq!(passed, [0_usize; 0]);
}

#[test]
fn no_part_of_a_package_is_one() {
    let (bytes, _) = signed();

    let passed: Vec<usize> = (0..bytes.len())
        .filter(|end| read(&bytes[..*end]).is_ok())
        .collect();

    assert_eq!(passed, [0_usize; 0]);
    assert_eq!(read(&bytes[..2048]).unwrap_err(), Unread::CutOff(2048));
}

#[test]
fn nothing_stands_behind_a_package() {
    let (mut bytes, _) = signed();
    bytes.push(0);

    assert_eq!(read(&bytes).unwrap_err(), Unread::Behind(1));
}

#[test]
fn a_signature_is_of_this_package_only() {
    let (_, secret) = key();
    let of = |version: &str| sign(&pack(&contents(version)).unwrap(), &secret).unwrap().0;
    let (one, other) = (of("1.0.0"), of("2.0.0"));
    let [one, other] = [read(&one).unwrap(), read(&other).unwrap()];
    let with = |signature: Option<(&str, &str)>| {
        let bytes = pack::archive(&one.manifest, signature, one.files()).unwrap();
        read(&bytes).unwrap().verify()
    };
    let (own_signature, own_key) = one.signature.unwrap();
    let foreign = key().0.file();

    assert_eq!(with(None), Ok(None));
    assert!(matches!(with(Some((own_signature, own_key))), Ok(Some(_))));
    assert!(with(Some(other.signature.unwrap())).is_err());
    assert!(with(Some(("", own_key))).is_err());
    assert!(with(Some((own_signature, ""))).is_err());
    assert!(with(Some((own_signature, &foreign))).is_err());
}

#[test]
fn new_descriptors_do_not_go_with_old_code() {
    let mut newer = contents("2.0.0");
    newer
        .files
        .insert("Echo.hy.js".to_owned(), b"// newer".to_vec());
    let (older, newer) = (pack(&contents("1.0.0")).unwrap(), pack(&newer).unwrap());
    let (older, newer) = (read(&older).unwrap(), read(&newer).unwrap());
    let mixed: Vec<_> = newer
        .files()
        .map(|(name, content)| {
            (
                name,
                older
                    .file(name)
                    .filter(|_| name == "Echo.hy.js")
                    .unwrap_or(content),
            )
        })
        .collect();

    let bytes = pack::archive(&newer.manifest, None, mixed.into_iter()).unwrap();

    assert_eq!(
        read(&bytes).unwrap_err(),
        Unread::Changed("Echo.hy.js".to_owned())
    );
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in [
        "../../etc/passwd",
        "/etc/passwd",
        "a/../../b",
        "a\\..\\b",
        "\u{1b}[2J",
        ".ssh/x",
    ] {
        assert!(
            refusal(&[entry(name, b"x")]).contains("not a plain path"),
            "{name}"
        );
    }
}

#[test]
fn what_is_no_plain_file_is_refused_by_its_name() {
    let of = |kind: EntryType| {
        let mut header = header_of("passwd", 0).unwrap();
        header.set_entry_type(kind);
        header.set_cksum();
        refusal(&[header.as_bytes().to_vec()])
    };

    for (kind, word) in [
        (EntryType::Symlink, "symbolic link"),
        (EntryType::Link, "hard link"),
        (EntryType::Char, "device node"),
        (EntryType::Block, "device node"),
        (EntryType::Fifo, "named pipe"),
        (EntryType::Directory, "directory"),
        (EntryType::GNUSparse, "sparse"),
        (EntryType::GNULongName, "long name"),
        (EntryType::XHeader, "extended header"),
        (EntryType::new(b'9'), "no known type"),
    ] {
        let said = of(kind);
        assert!(said.contains(word), "{word}: {said}");
    }
}

#[test]
fn bombs_are_refused_before_they_go_off() {
    let mut huge = header_of("manifest.json", u64::MAX / 4).unwrap();
    huge.set_cksum();

    let said = refusal(&[huge.as_bytes().to_vec()]);
    assert!(
        said.contains("cut off") || said.contains("longer"),
        "{said}"
    );
    for packed in [
        b"\x1f\x8b\x08".as_slice(),
        b"PK\x03\x04",
        b"\x28\xb5\x2f\xfd",
    ] {
        assert!(matches!(read(packed), Err(Unread::Compressed(_))));
    }
}

#[test]
fn a_million_entries_are_refused_at_the_second() {
    let one = entry("a", b"");
    let mut bytes = one.repeat(200_000);
    bytes.resize(bytes.len() + 1024, 0);

    assert!(matches!(read(&bytes), Err(Unread::Entry { at: 512, .. })));
}

#[test]
fn too_many_files_twins_and_foreign_names_are_not_packed_either() {
    let with = |names: &[String]| {
        let mut contents = contents("1.0.0");
        contents
            .files
            .extend(names.iter().map(|name| (name.clone(), Vec::new())));
        pack(&contents).map(|_| ()).map_err(|e| e.to_string())
    };
    let many: Vec<String> = (0..limits::FILES_MAX).map(|n| format!("a/{n}")).collect();

    assert!(with(&many).unwrap_err().contains("more than"));
    assert!(with(&many[..limits::FILES_MAX - 3]).is_ok());
    assert!(
        with(&["echo.hy.JS".to_owned()])
            .unwrap_err()
            .contains("twice")
    );
    assert!(with(&["assets".to_owned()]).unwrap_err().contains("twice"));
    assert!(
        with(&["../x".to_owned()])
            .unwrap_err()
            .contains("plain path")
    );
    assert!(with(&["manifest.json".to_owned()]).is_err());
}

#[test]
fn a_secret_key_is_opened_by_what_it_was_closed_with() {
    let (_, text) = generate(Password::None).unwrap();

    assert!(secret_key(&text, Password::None).is_ok());
    assert!(secret_key("nothing", Password::None).is_err());
    assert!(secret_key(&text, Password::Given("guess".to_owned())).is_err());
}

use std::os::unix::fs::symlink;

use protocol::Code as Number;

use super::*;
use crate::rooms::catalogue::elf::tests_program;
use crate::shell::testing::{Directory, directory};

const SCRIPT: &str = r#"{"language": "javascript", "configuration": {}}"#;
const NATIVE: &str = r#"{"language": "native", "configuration": {}}"#;
const HYPERTY: &str = "alice.example/.well-known/hyperty";

/// A catalogue of several providers; alice has a script `A` and a program `N`.
fn catalogue() -> Directory {
    let directory = directory("catalogue");
    directory.write(&format!("{HYPERTY}/A.hy.json"), SCRIPT);
    directory.write(&format!("{HYPERTY}/A.hy.js"), "1 + 1");
    directory.write(&format!("{HYPERTY}/N.hy.json"), NATIVE);
    directory.write(&format!("{HYPERTY}/N.hy.elf"), tests_program(&[1]));
    directory
}

fn catalogues(directory: &Directory) -> Catalogues {
    let directories = vec![directory.path().to_path_buf()];
    Catalogues::new(directories, "here.example".to_owned(), Programs::default())
}

fn wanted(component: &str, provider: &str) -> Wanted {
    Wanted {
        catalogue: String::new(),
        component: component.to_owned(),
        provider: provider.to_owned(),
        is_exact: false,
        is_here: false,
    }
}

fn read(directory: &Directory, component: &str) -> Result<PackageRead, PackageFailure> {
    catalogues(directory).read(&wanted(component, ""))
}

fn refused(directory: &Directory, component: &str) -> (Number, String) {
    let failure = read(directory, component).unwrap_err();
    (failure.code, failure.reason)
}

#[test]
fn a_script_is_read_with_its_digest() {
    let package = read(&catalogue(), "hyperty/A").unwrap();

    let expected = digest_text(&Sha256::digest(b"1 + 1"));
    assert_eq!(package.digest, expected);
    assert_eq!(package.descriptor.provider, "alice.example");
    let file = "A.hy.js".to_owned();
    let text = b"1 + 1".to_vec();
    assert_eq!(package.code, Code::Script { file, text });
    assert!(
        package
            .source
            .ends_with("alice.example/.well-known/hyperty/A.hy.js")
    );
}

#[test]
fn a_program_is_a_sealed_copy_that_the_file_cannot_change() {
    let directory = catalogue();
    let catalogues = catalogues(&directory);

    let package = catalogues.read(&wanted("N", "")).unwrap();
    directory.write(&format!("{HYPERTY}/N.hy.elf"), "other bytes");

    let Code::Program(id) = package.code else {
        panic!("not a program")
    };
    let sealed = catalogues.programs.get(id).unwrap();
    let mut copy = std::fs::File::from(sealed.try_clone().unwrap());
    let mut bytes = Vec::new();
    std::io::Seek::rewind(&mut copy).unwrap();
    std::io::Read::read_to_end(&mut copy, &mut bytes).unwrap();
    assert_eq!(bytes, tests_program(&[1]));
    assert!(std::io::Write::write_all(&mut copy, b"x").is_err());
    assert!(copy.set_len(0).is_err());

    catalogues.programs.forget(id);
    assert!(catalogues.programs.get(id).is_none());
}

#[test]
fn a_program_that_was_used_lately_is_not_sealed_again() {
    let directory = catalogue();
    let catalogues = catalogues(&directory);
    let read = || match catalogues.read(&wanted("N", "")).unwrap().code {
        Code::Program(id) => (id, catalogues.programs.get(id).unwrap()),
        Code::Script { .. } => panic!("not a program"),
    };

    let (id, first) = read();
    catalogues.programs.forget(id);
    let (_, second) = read();

    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!(catalogues.programs.descriptors(), 1);
}

#[test]
fn a_program_may_be_executed_and_not_read() {
    let directory = catalogue();
    let catalogues = catalogues(&directory);

    let Code::Program(id) = catalogues.read(&wanted("N", "")).unwrap().code else {
        panic!("not a program")
    };

    let sealed = catalogues.programs.get(id).unwrap();
    let mode = rustix::fs::fstat(&*sealed).unwrap().st_mode;
    assert_eq!(mode & 0o777, 0o111);
}

#[test]
fn equal_programs_share_their_memory_and_are_forgotten_one_by_one() {
    let directory = catalogue();
    let catalogues = catalogues(&directory);

    let first = catalogues.read(&wanted("N", "")).unwrap().code;
    let second = catalogues.read(&wanted("N", "")).unwrap().code;

    let (Code::Program(first), Code::Program(second)) = (first, second) else {
        panic!("not programs")
    };
    assert_ne!(first, second);
    assert_eq!(catalogues.programs.descriptors(), 1);
    catalogues.programs.forget(first);
    assert!(catalogues.programs.get(second).is_some());
}

#[test]
fn a_wrong_digest_is_refused() {
    let directory = catalogue();
    let right = digest_text(&Sha256::digest(b"1 + 1"));
    let wrong = digest_text(&Sha256::digest(b"1 + 2"));

    let with = |digest: &str| format!(r#"{{"language": "javascript", "digest": "{digest}"}}"#);
    directory.write(&format!("{HYPERTY}/A.hy.json"), with(&right));
    assert!(read(&directory, "A").is_ok());
    directory.write(&format!("{HYPERTY}/A.hy.json"), with(&wrong));

    let (code, reason) = refused(&directory, "A");
    assert_eq!(code, Number::BAD_REQUEST);
    assert!(
        reason.contains(&right) && reason.contains(&wrong),
        "{reason}"
    );
}

#[test]
fn what_is_missing_is_named() {
    let directory = catalogue();
    std::fs::remove_file(directory.path().join(HYPERTY).join("A.hy.js")).unwrap();

    let (code, reason) = refused(&directory, "hyperty/Absent");
    assert_eq!(
        (code, reason.as_str()),
        (Number::NOT_FOUND, "no catalogue has `hyperty/Absent`")
    );
    let (code, reason) = refused(&directory, "A");
    assert_eq!(code, Number::NOT_FOUND);
    assert!(reason.contains("A.hy.js` is missing"), "{reason}");
    std::fs::remove_dir_all(directory.path()).unwrap();
    let (code, reason) = refused(&directory, "A");
    assert_eq!(code, Number::NOT_FOUND);
    assert!(reason.contains("the catalogue belongs there"), "{reason}");
}

#[test]
fn links_lead_nowhere() {
    let directory = catalogue();
    let folder = directory.path().join(HYPERTY);
    directory.write("secret.js", "secret");
    directory.write(&format!("{HYPERTY}/L.hy.json"), SCRIPT);
    symlink("../../../secret.js", folder.join("L.hy.js")).unwrap();
    symlink("A.hy.json", folder.join("M.hy.json")).unwrap();
    symlink("alice.example", directory.path().join("bob.example")).unwrap();

    let (code, reason) = refused(&directory, "L");
    assert_eq!(code, Number::FAILED);
    assert!(reason.contains("links are not followed"), "{reason}");
    assert_eq!(refused(&directory, "M").0, Number::FAILED);
    let failure = catalogues(&directory)
        .read(&wanted("A", "bob.example"))
        .unwrap_err();
    assert_eq!(failure.code, Number::NOT_FOUND);
}

#[test]
fn only_regular_files_are_code() {
    let directory = catalogue();
    let folder = directory.path().join(HYPERTY);
    directory.write(&format!("{HYPERTY}/D.hy.json"), SCRIPT);
    std::fs::create_dir(folder.join("D.hy.js")).unwrap();
    directory.write(&format!("{HYPERTY}/P.hy.json"), NATIVE);
    let pipe = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(
        rustix::fs::CWD,
        folder.join("P.hy.elf"),
        pipe,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();

    assert!(refused(&directory, "D").1.contains("is no regular file"));
    assert!(refused(&directory, "P").1.contains("is no regular file"));
}

#[test]
fn bad_code_is_refused_before_it_goes_anywhere() {
    let directory = catalogue();
    directory.write(&format!("{HYPERTY}/N.hy.elf"), "#!/bin/sh\n");
    assert!(refused(&directory, "N").1.contains("is not an ELF program"));

    directory.write(&format!("{HYPERTY}/N.hy.elf"), tests_program(&[3]));
    assert!(refused(&directory, "N").1.contains("link it statically"));

    directory.write(&format!("{HYPERTY}/A.hy.js"), b"1;\n\xff");
    assert!(
        refused(&directory, "A")
            .1
            .contains("A.hy.js:2` is not UTF-8")
    );

    directory.write(&format!("{HYPERTY}/A.hy.js"), vec![b' '; SCRIPT_BYTES_MAX]);
    assert!(read(&directory, "A").is_ok());
    directory.write(
        &format!("{HYPERTY}/A.hy.js"),
        vec![b' '; SCRIPT_BYTES_MAX + 1],
    );
    assert!(refused(&directory, "A").1.contains("is longer than"));
}

#[test]
fn a_name_offered_twice_needs_a_provider() {
    let directory = catalogue();
    directory.write("bob.example/.well-known/hyperty/A.hy.json", SCRIPT);
    directory.write("bob.example/.well-known/hyperty/A.hy.js", "2");

    let (code, reason) = refused(&directory, "A");
    assert_eq!(code, Number::BAD_REQUEST);
    assert!(
        reason.ends_with("one of alice.example, bob.example"),
        "{reason}"
    );
    let package = catalogues(&directory)
        .read(&wanted("A", "bob.example"))
        .unwrap();
    assert_eq!(package.descriptor.provider, "bob.example");
}

#[test]
fn a_catalogue_of_one_provider_is_called_after_it() {
    let directory = directory("single");
    for place in ["carol.example", "plain"] {
        directory.write(&format!("{place}/.well-known/idp-proxy/I.idp.json"), SCRIPT);
        directory.write(&format!("{place}/.well-known/idp-proxy/I.idp.js"), "");
    }
    let read = |place: &str, provider: &str| {
        let catalogues = Catalogues::new(Vec::new(), String::new(), Programs::default());
        let catalogue = directory.path().join(place).display().to_string();
        let wanted = Wanted {
            catalogue,
            ..wanted("idp-proxy/I", provider)
        };
        catalogues
            .read(&wanted)
            .map(|package| package.descriptor.provider)
    };

    assert_eq!(read("carol.example", ""), Ok("carol.example".to_owned()));
    assert_eq!(read("plain", "dave.example"), Ok("dave.example".to_owned()));
    assert!(read("plain", "").unwrap_err().reason.contains("--provider"));
}

#[test]
fn a_listing_shows_what_is_wrong_with_each_entry() {
    let directory = catalogue();
    directory.write(&format!("{HYPERTY}/B.hy.json"), "{");
    directory.write(&format!("{HYPERTY}/C.hy.json"), SCRIPT);
    directory.write(&format!("{HYPERTY}/not one.hy.json"), SCRIPT);
    let catalogues = catalogues(&directory);

    let listed = catalogues.list("", false).entries;
    let checked = catalogues.list("", true).entries;

    let names: Vec<&str> = listed.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["A", "B", "C", "N", "not one"]);
    let wrong: Vec<bool> = listed
        .iter()
        .map(|entry| !entry.problems.is_empty())
        .collect();
    assert_eq!(wrong, [false, true, true, false, true]);
    assert_eq!(listed[0].bytes, 5);
    assert_eq!(listed[0].digest, "");
    assert!(checked[0].digest.starts_with("sha256:"));
    assert_eq!(checked[3].engine, Engine::Native);
    assert!(checked[3].digest.starts_with("sha256:"));
    assert_eq!(catalogues.programs.descriptors(), 0);
}

#[test]
fn a_catalogue_that_is_gone_is_an_entry_with_a_problem() {
    let catalogues = Catalogues::new(Vec::new(), String::new(), Programs::default());

    let gone = catalogues.list("/nowhere/at/all", false).entries;
    let none = catalogues.list("", false).entries;

    assert!(gone[0].problems[0].contains("`/nowhere/at/all` is missing"));
    assert!(none[0].problems[0].contains("no catalogue is configured"));
}

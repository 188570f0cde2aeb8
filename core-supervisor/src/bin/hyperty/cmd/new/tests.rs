//! What a project consists of; that it builds and runs is for `tests/author.rs`.

use super::*;
use crate::scratch::Scratch;

fn project(kind: Kind, language: Language) -> Vec<(String, String)> {
    let project = template::Project {
        kind,
        language,
        name: "my-echo",
        provider: "echo.example",
        protocol: "path = \"/src/protocol\"",
    };
    project.files()
}

#[test]
fn a_project_has_its_catalogue_its_test_and_what_it_is_built_from() {
    let names = |files: Vec<(String, String)>| -> Vec<String> {
        files.into_iter().map(|(path, _)| path).collect()
    };

    insta::assert_debug_snapshot!("files_js", names(project(Kind::Hyperty, Language::Js)));
    insta::assert_debug_snapshot!("files_ts", names(project(Kind::Protostub, Language::Ts)));
    insta::assert_debug_snapshot!("files_rust", names(project(Kind::IdpProxy, Language::Rust)));
}

#[test]
fn no_word_of_a_template_is_left_open() {
    for kind in [Kind::Hyperty, Kind::Protostub, Kind::IdpProxy] {
        for language in [Language::Js, Language::Ts, Language::Rust] {
            for (path, text) in project(kind, language) {
                assert!(!text.contains("{{"), "{path}: {text}");
            }
        }
    }
}

#[test]
fn names_and_providers_that_a_catalogue_would_refuse_are_refused_here() {
    for bad in ["", "1st", "a b", "../x", "a.b", &"x".repeat(65)] {
        assert_eq!(
            check_name(bad).unwrap_err().exit(),
            crate::error::Exit::Usage,
            "{bad}"
        );
    }
    for bad in [
        "",
        "example",
        "a..b",
        "A.example",
        "-a.example",
        "a.example/",
    ] {
        assert_eq!(
            check_provider(bad).unwrap_err().exit(),
            crate::error::Exit::Usage,
            "{bad}"
        );
    }
    assert!(check_name("My_Echo-2").is_ok() && check_provider("my-echo.example").is_ok());
}

#[test]
fn a_folder_that_holds_something_is_not_written_to() {
    let scratch = Scratch::new("test").unwrap();
    fs::write(scratch.path().join("mine"), "precious").unwrap();

    let failure = check_empty(scratch.path()).unwrap_err();

    assert!(
        failure.what().contains("nothing was written"),
        "{}",
        failure.what()
    );
}

#[test]
fn the_source_of_the_client_is_a_copy_a_tree_an_address_or_an_honest_refusal() {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let path = source::of_protocol(Some(&tree.display().to_string())).unwrap();
    let git = source::of_protocol(Some("https://git.example/runtime")).unwrap();
    let none = source::of_protocol(Some("/nowhere")).unwrap_err();

    let own = source::of_protocol(None).unwrap();

    let path = path.table;
    assert!(
        path.starts_with("path = ") && path.ends_with("/protocol\""),
        "{path}"
    );
    assert_eq!(git.table, "git = \"https://git.example/runtime\"");
    assert_eq!(own.table, "path = \"protocol\"");
    assert!(git.files.is_empty() && own.files.len() > 40);
    assert!(none.what().contains("no checkout"), "{}", none.what());
}

use protocol::frame::ComponentKind;
use protocol::nursery::Engine;
use serde_json::json;

use super::*;

fn read(text: &str) -> Result<Parsed, String> {
    let found = Found {
        file: "X.hy.json",
        name: "X",
        kind: ComponentKind::Hyperty,
        provider: "alice.example",
        domain: "here.example",
    };
    parse(text.as_bytes(), found).map_err(|failure| {
        assert_eq!(failure.code, protocol::Code::BAD_REQUEST);
        failure.reason
    })
}

fn descriptor(text: &str) -> Descriptor {
    read(text).unwrap().descriptor
}

fn reason(text: &str) -> String {
    read(text).unwrap_err()
}

#[test]
fn a_published_descriptor_is_read() {
    let text = r#"{
        "name": "HelloWorldReporter", "language": "javascript", "signature": "",
        "description": "…", "configuration": {}, "constraints": { "browser": true },
        "hypertyType": ["hello"], "unknown": [1, {}],
        "dataObjects": ["https://catalogue.%domain%/.well-known/dataschema/HelloWorld"]
    }"#;

    let read = descriptor(text);

    assert_eq!(read.name, "HelloWorldReporter");
    assert_eq!(read.engine, Engine::Script);
    assert_eq!(read.provider, "alice.example");
    assert_eq!(read.hyperty_type, ["hello"]);
    assert_eq!(read.constraints["browser"], json!(true));
    assert_eq!(
        read.data_objects,
        ["https://catalogue.here.example/.well-known/dataschema/HelloWorld"]
    );
}

#[test]
fn a_descriptor_from_a_broker_may_hold_json_text() {
    let text = r#"{
        "objectName": "Chat", "language": "javascript",
        "configuration": "{\"url\": \"wss://x\"}", "constraints": "",
        "hypertyType": "[\"chat\", \"voice\"]", "dataObjects": "one"
    }"#;

    let read = descriptor(text);

    assert_eq!(read.name, "Chat");
    assert_eq!(read.configuration["url"], json!("wss://x"));
    assert!(read.constraints.is_empty());
    assert_eq!(read.hyperty_type, ["chat", "voice"]);
    assert_eq!(read.data_objects, ["one"]);
}

#[test]
fn code_may_be_embedded() {
    let plain = r#"{"sourcePackage": {"sourceCode": "1+1"}}"#;
    let base64 = r#"{"language": "javascript",
        "sourcePackage": "{\"encoding\": \"base64\", \"sourceCode\": \"MSsx\"}"}"#;
    let none = r#"{"language": "javascript", "sourcePackage": {}}"#;

    assert_eq!(read(plain).unwrap().embedded.unwrap(), b"1+1");
    assert_eq!(read(base64).unwrap().embedded.unwrap(), b"1+1");
    assert_eq!(read(none).unwrap().embedded, None);
}

#[test]
fn without_a_name_the_file_names_it() {
    assert_eq!(
        descriptor(r#"{"language": "native", "configuration": {}}"#).name,
        "X"
    );
    assert_eq!(
        descriptor(r#"{"language": "native", "configuration": {}, "name": " "}"#).name,
        "X"
    );
    assert_eq!(
        descriptor(r#"{"language": "Native", "configuration": {}, "name": "My One"}"#).name,
        "My One"
    );
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let digits = "0".repeat(63);
    let long = "x".repeat(limits::CONFIGURATION_BYTES_MAX);

    assert_eq!(
        reason("{\n  \"name\": \"a\",\n}"),
        "X.hy.json:3:1: trailing comma"
    );
    assert!(reason("[1 2]").starts_with("X.hy.json:1:4: expected `,`"));
    assert!(reason("").contains("EOF"));
    assert!(reason("[{}]").contains("X.hy.json:1: the descriptor is not a JSON object"));
    assert!(reason("\"a\"").contains("not a JSON object"));
    assert!(reason("{\"name\":\n\n 7}").starts_with("X.hy.json:3:2: invalid type"));
    assert!(
        reason(r#"{"language": "python", "configuration": {}}"#).contains("`language` is `python`")
    );
    assert!(reason(r#"{"name": "a", "name": "b"}"#).contains("duplicate field"));
    assert_eq!(
        reason("{\"language\": \"native\",\n \"configuration\": [1]}"),
        "X.hy.json:2: `configuration` is neither an object nor JSON text of one"
    );
    assert!(
        reason(r#"{"language": "native", "configuration": "{oops"}"#).contains("`configuration`")
    );
    assert!(
        reason(&format!(
            r#"{{"language": "native", "configuration": {{"a": "{long}"}}}}"#
        ))
        .contains("longer than")
    );
    assert!(
        reason(&format!(
            r#"{{"language": "native", "configuration": {{}}, "digest": "sha256:{digits}"}}"#
        ))
        .contains("64 hex digits")
    );
    assert!(
        reason(r#"{"language": "native", "configuration": {}, "name": "a\u202eb"}"#)
            .contains("the name")
    );
    assert!(
        reason(r#"{"language": "native", "configuration": {}, "name": "../a"}"#)
            .contains("the name")
    );
    assert!(
        reason(r#"{"language": "native", "configuration": {}, "hypertyType": [7]}"#)
            .contains("hypertyType")
    );
    assert!(
        reason(
            r#"{"language": "javascript", "sourcePackage": {"sourceCode": "a", "encoding": "x"}}"#
        )
        .contains("only base64")
    );
}

#[test]
fn a_deep_descriptor_is_refused_not_followed() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let text = format!(r#"{{"language": "native", "configuration": {deep}}}"#);

    assert!(reason(&text).contains("recursion limit"));
}

#[test]
fn a_name_is_one_plain_file_name() {
    for name in ["a", "Hello-World_1.2", &"x".repeat(64)] {
        assert_eq!(names::check_name(name), Ok(()), "{name}");
    }
    let bad = [
        "",
        ".",
        "..",
        ".a",
        "-a",
        "a.",
        "a..b",
        "a/b",
        "a\\b",
        "a b",
        "a\n",
        "a\0",
        "é",
        "a\u{202e}",
        &"x".repeat(65),
    ];
    for name in bad {
        assert!(names::check_name(name).is_err(), "{name:?}");
    }
}

#[test]
fn a_provider_is_a_domain() {
    for domain in ["example.org", "a-b.example"] {
        assert!(names::is_domain(domain), "{domain}");
    }
    for other in [
        "catalogue",
        ".well-known",
        "Example.org",
        "a@b.c",
        "x:y.z",
        "",
        "a..b",
    ] {
        assert!(!names::is_domain(other), "{other}");
    }
}

#[test]
fn what_is_wanted_is_a_kind_and_a_name() {
    let wanted = |component: &str, provider: &str| {
        let wanted = Wanted {
            catalogue: String::new(),
            component: component.to_owned(),
            provider: provider.to_owned(),
            is_exact: false,
            is_here: false,
        };
        let found = names::wanted(&wanted).map(|(kind, name)| (kind, name.to_owned()));
        found.map_err(|failure| failure.code)
    };

    assert_eq!(
        wanted("A", ""),
        Ok((ComponentKind::Hyperty, "A".to_owned()))
    );
    assert_eq!(
        wanted("protocolstub/A", "a.b"),
        Ok((ComponentKind::ProtoStub, "A".to_owned()))
    );
    assert_eq!(
        wanted("idp-proxy/A", ""),
        Ok((ComponentKind::IdpProxy, "A".to_owned()))
    );
    for bad in ["runtime/A", "hyperty/../A", "hyperty/A/B", "", "hyperty/"] {
        assert_eq!(wanted(bad, ""), Err(protocol::Code::BAD_REQUEST), "{bad}");
    }
    assert_eq!(wanted("A", "../a.b"), Err(protocol::Code::BAD_REQUEST));
}

#[test]
fn only_a_static_program_for_this_machine_can_run() {
    let program = elf::tests_program(&[1]);
    let dynamic = elf::tests_program(&[1, 3]);
    let mut foreign = program.clone();
    foreign[18] = 0xff;
    let mut object = program.clone();
    object[16] = 1;
    let mut out_of_reach = program.clone();
    out_of_reach[32..40].copy_from_slice(&u64::MAX.to_le_bytes());

    assert_eq!(elf::check(&program), Ok(()));
    assert_eq!(elf::check(&dynamic), Err(elf::NotRunnable::Dynamic));
    assert_eq!(elf::check(&foreign), Err(elf::NotRunnable::OtherMachine));
    assert_eq!(elf::check(&object), Err(elf::NotRunnable::NotProgram));
    assert_eq!(elf::check(&out_of_reach), Err(elf::NotRunnable::Broken));
    assert_eq!(elf::check(&program[..80]), Err(elf::NotRunnable::Broken));
    assert_eq!(elf::check(b"#!/bin/sh\n"), Err(elf::NotRunnable::NotElf));
    assert_eq!(elf::check(b""), Err(elf::NotRunnable::NotElf));
}

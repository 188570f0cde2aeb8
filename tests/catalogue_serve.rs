//! `hyperty catalogue serve`: the published layout and the older interface over real TLS.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod https;
mod served;

use std::fs;
use std::sync::Arc;

use https::{Trust, get, send};
use hyperty_tests::harness::{Catalogue, TempDir, hyperty};
use serde_json::{Value, json};
use served::Served;

fn echo() -> Catalogue {
    let descriptor = json!({
        "name": "Echo", "version": "1.4", "language": "javascript",
        "constraints": { "browser": true },
    });
    Catalogue::new()
        .file(
            "echo.example/.well-known/hyperty/Echo.hy.json",
            &descriptor.to_string(),
        )
        .file(
            "echo.example/.well-known/hyperty/Echo.hy.js",
            "System.register([])",
        )
}

#[test]
fn a_file_is_sent_once_and_then_only_when_it_changed() {
    let served = Served::start(echo(), &[]);
    let path = "/.well-known/hyperty/Echo.hy.js";

    let first = served.get(path, &[]);
    let tag = first.header("etag").unwrap();
    let again = served.get(path, &[("if-none-match", tag)]);
    let date = first.header("last-modified").unwrap();
    let since = served.get(path, &[("if-modified-since", date)]);
    let code = served
        .catalogue
        .path()
        .join("echo.example")
        .join(&path[1..]);
    fs::write(code, "System.register([], f)").unwrap();
    let changed = served.get(path, &[("if-none-match", tag)]);

    assert_eq!(
        (first.status, first.text().as_str()),
        (200, "System.register([])")
    );
    assert_eq!((again.status, again.text().as_str()), (304, ""));
    assert_eq!(since.status, 304);
    assert_eq!(changed.text(), "System.register([], f)");
}

#[test]
fn every_form_of_the_published_layout_is_answered() {
    let served = Served::start(echo(), &[]);
    let value = |path: &str| serde_json::from_str::<Value>(&served.text(path)).unwrap();

    let short = served.text("/.well-known/hyperty/Echo.json");

    assert_eq!(short, served.text("/.well-known/hyperty/Echo.hy.json"));
    assert_eq!(
        value("/.well-known/hyperty/all.json"),
        json!({ "hyperties": ["Echo"] })
    );
    assert_eq!(
        value("/.well-known/idp-proxy//all.json"),
        json!({ "idps": [] })
    );
}

#[test]
fn the_older_interface_gives_descriptors_their_members_and_code() {
    let served = Served::start(echo(), &[]);
    let value = |path: &str| serde_json::from_str::<Value>(&served.text(path)).unwrap();
    let ask = |constraints: Value| {
        let body = json!({ "constraints": constraints }).to_string();
        let path = "/.well-known/hyperty/Echo";
        send(
            "POST",
            served.address(),
            ("localhost", path),
            &body,
            &served.trust(),
        )
        .unwrap()
    };

    let descriptor = value("/.well-known/hyperty/Echo");
    let url = format!(
        "hyperty-catalogue://{}/.well-known/sourcepackage/Echo.hy",
        "localhost"
    );

    assert_eq!(value("/.well-known/hyperty"), json!(["Echo"]));
    assert_eq!(descriptor["sourcePackageURL"], url);
    assert_eq!(descriptor["cguid"].as_str().unwrap().len(), 32);
    assert_eq!(served.text("/.well-known/hyperty/Echo/version"), "1.4");
    assert_eq!(
        value("/.well-known/sourcepackage/Echo.hy"),
        json!({ "sourceCodeClassname": "Echo.hy", "sourceCode": "System.register([])" })
    );
    assert_eq!(ask(json!({ "browser": true })).status, 200);
    assert_eq!(ask(json!({ "browser": false })).status, 404);
}

#[test]
fn nothing_outside_the_catalogue_is_served() {
    let catalogue = echo().file("secret.json", "{}");
    let folder = catalogue.path().join("echo.example/.well-known/hyperty");
    std::os::unix::fs::symlink("/etc/passwd", folder.join("Link.hy.json")).unwrap();
    std::os::unix::fs::symlink("../../..", folder.join("up.json")).unwrap();
    nix::unistd::mkfifo(&folder.join("Pipe.hy.json"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let served = Served::start(catalogue, &[]);
    let paths = [
        "/.well-known/hyperty/Link.hy.json",
        "/.well-known/hyperty/up.json",
        "/.well-known/hyperty/Pipe.hy.json",
        "/.well-known/hyperty/../../../secret.json",
        "/.well-known/hyperty/..%2f..%2f..%2fsecret.json",
        "/secret.json",
        "/.well-known/hyperty/Link",
    ];

    let statuses = paths.map(|path| served.get(path, &[]).status);

    assert_eq!(statuses, [404; 7]);
}

#[test]
fn a_file_that_no_runtime_would_take_is_refused() {
    let catalogue = echo();
    let folder = catalogue.path().join("echo.example/.well-known/hyperty");
    let huge = fs::File::create(folder.join("Huge.hy.elf")).unwrap();
    huge.set_len(64 * 1024 * 1024 + 1).unwrap();
    let served = Served::start(catalogue, &[]);

    let reply = served.get("/.well-known/hyperty/Huge.hy.elf", &[]);

    assert_eq!(reply.status, 500);
    assert!(reply.text().contains("longer than"), "{}", reply.text());
}

#[test]
fn the_host_name_tells_whose_catalogue_is_meant() {
    let shop = || {
        echo().file(
            "other.example/.well-known/hyperty/Other.hy.json",
            r#"{"name":"Other"}"#,
        )
    };
    let served = Served::start(shop(), &["--name", "other.example"]);
    let of = |host: &str| {
        let path = "/.well-known/hyperty";
        get(served.address(), host, path, &[], &served.trust()).unwrap()
    };
    let fixed = Served::start(shop(), &["--provider", "other.example"]);

    assert_eq!(of("other.example").text(), r#"["Other"]"#);
    assert_eq!(of("localhost").status, 421);
    assert_eq!(fixed.text("/.well-known/hyperty"), r#"["Other"]"#);
}

#[test]
fn the_development_certificate_is_made_once_and_only_its_owner_reads_the_key() {
    use std::os::unix::fs::PermissionsExt;
    let state = Arc::new(TempDir::new());

    let first = Served::start_in(&state, echo(), &[]);
    let second = Served::start_in(&state, echo(), &[]);
    let key = fs::metadata(state.path().join("key.pem")).unwrap();

    assert_eq!(first.said["fingerprint"], second.said["fingerprint"]);
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
    let own = Trust::pem(&fs::read(state.path().join("certificate.pem")).unwrap());
    let path = "/.well-known/hyperty";
    assert_eq!(
        get(second.address(), "localhost", path, &[], &own)
            .unwrap()
            .status,
        200
    );
    // Anybody else's name is not in it, and nobody trusts it unasked.
    assert!(get(second.address(), "bank.example", path, &[], &own).is_err());
    assert!(get(second.address(), "localhost", path, &[], &Trust::nobody()).is_err());
}

#[test]
fn each_request_is_a_line() {
    let mut served = Served::start(echo(), &[]);

    served.get("/.well-known/hyperty/No%1b%5b2J.json", &[]);
    let told = served.told();

    assert_eq!(told["schema"], "hyperty.request/1");
    assert_eq!(
        (&told["status"], &told["method"]),
        (&json!(404), &json!("GET"))
    );
    assert_eq!(told["path"], "/.well-known/hyperty/No%1b%5b2J.json");
}

#[test]
fn a_directory_that_is_no_catalogue_is_refused_with_the_way_out() {
    let empty = TempDir::new();
    let path = empty.path().display().to_string();
    let none: [(&str, &str); 0] = [];

    let outcome = hyperty(&["catalogue", "serve", &path], none).failed_with(1);

    assert!(outcome.stderr.contains("hyperty help files"), "{outcome:?}");
}

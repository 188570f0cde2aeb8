//! `hyperty package`: what authors and the wary do with files.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::shop::{Shop, tool};

#[test]
fn the_same_files_make_the_same_package() {
    let (shop, _catalogue) = Shop::open();
    shop.publish_unsigned("1.0.0");
    let first = fs::read(shop.package()).unwrap();

    shop.publish_unsigned("1.0.0");

    assert_eq!(fs::read(shop.package()).unwrap(), first);
}

#[test]
fn verify_says_whose_it_is() {
    let (shop, _catalogue) = Shop::open();
    let other = shop.key("other");
    shop.publish_unsigned("1.0.0");
    let package = shop.package().display().to_string();

    let unsigned = tool(&["package", "verify", &package]).failed_with(1);
    assert!(unsigned.stdout.contains("UNSIGNED"), "{}", unsigned.stdout);
    let key = shop.file("own.key");
    let _ = tool(&["package", "sign", &package, "--key", &key, "--no-password"]).succeeded();
    let told = tool(&[
        "package",
        "verify",
        &package,
        "--key",
        &shop.file("own.pub"),
        "--json",
    ]);
    let told = told.succeeded().json();
    assert_eq!(told["provider"], "acme.example");
    assert_eq!(told["version"], "1.0.0");
    let other = other.lines().nth(1).unwrap().to_owned();
    let _ = tool(&["package", "verify", &package, "--key", &other]).failed_with(1);
}

#[test]
fn diff_says_what_the_newer_one_asks_for() {
    let (shop, _catalogue) = Shop::open();
    shop.publish("1.0.0");
    let old = shop.file("old.pkg");
    fs::copy(shop.package(), &old).unwrap();
    let asks = json!({ "network": [{ "host": "a.example", "port": 443 }], "language": "native" });
    fs::write(shop.file("Echo.hy.elf"), "x").unwrap();
    shop.publish_with("2.0.0", &asks, &[]);

    let package = shop.package().display().to_string();
    let told = tool(&["package", "diff", &old, &package, "--json"])
        .succeeded()
        .json();

    assert_eq!(
        told["wider"],
        json!([
            "the network: a.example port 443 tcp",
            "the sandbox profile `native`: a program of its own"
        ])
    );
    assert_eq!(told["same_signer"], false);
    assert_eq!(
        told["files"],
        json!({ "Echo.hy.elf": "added", "Echo.hy.js": "removed", "Echo.hy.json": "changed" })
    );
}

#[test]
fn a_secret_key_is_its_owners_and_is_not_written_over() {
    let (shop, _catalogue) = Shop::open();
    let key = shop.file("own.key");

    let mode = fs::metadata(&key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let _ = tool(&["package", "keygen", "--no-password", "--out", &key]).failed_with(1);
    let _ = tool(&["package", "keygen", "--out", &shop.file("x.key")]).failed_with(2);
}

#[test]
fn what_is_no_package_in_the_making_says_why() {
    let (shop, _catalogue) = Shop::open();
    shop.publish("1.0.0");
    let source = shop.file("Echo.hy.json");
    let build = |more: &[&str]| {
        let mut words = vec!["package", "build", &source];
        words.extend(more);
        tool(&words)
    };

    assert!(build(&[]).failed_with(2).stderr.contains("--provider"));
    let acme = ["--provider", "acme.example"];
    assert!(build(&acme).failed_with(2).stderr.contains("--version"));
    let _ = build(&["--provider", "acme.example", "--version", "1.0"]).failed_with(2);
    let folder = shop.file("assets");
    fs::create_dir(&folder).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", format!("{folder}/passwd")).unwrap();
    let linked = build(&[
        "--provider",
        "acme.example",
        "--version",
        "1.0.0",
        "--assets",
        &folder,
    ]);
    assert!(
        linked
            .failed_with(1)
            .stderr
            .contains("neither a file nor a folder")
    );
}

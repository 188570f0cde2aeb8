//! PK-01, PK-02, PK-05, PK-08: what is not whole, or not by its provider, never runs.

use std::fs;

use hyperty_tests::harness::Runtime;
use serde_json::json;

use crate::shop::{ECHO, Shop, refused, tool};

fn damaged(change: impl FnOnce(&mut Vec<u8>), code: u16, word: &str) {
    let (shop, catalogue) = Shop::open();
    shop.publish("1.0.0");
    shop.tamper(change);
    let runtime = Runtime::with(catalogue).start();

    refused(&runtime, code, word);
    runtime.assert_supervises();
}

trait Supervises {
    fn assert_supervises(&self);
}

impl Supervises for Runtime {
    fn assert_supervises(&self) {
        assert!(self.components().is_empty());
    }
}

#[test]
fn one_flipped_bit() {
    damaged(
        |bytes| {
            let at = bytes.len() - 1200;
            bytes[at] ^= 1;
        },
        422,
        "no package that can be used",
    );
}

#[test]
fn a_package_that_is_cut_off() {
    damaged(|bytes| bytes.truncate(bytes.len() - 700), 422, "cut off");
}

#[test]
fn a_package_with_something_behind_it() {
    damaged(|bytes| bytes.extend([0; 512]), 422, "behind its end");
}

#[test]
fn new_code_under_an_old_manifest() {
    damaged(
        |bytes| {
            let at = bytes.windows(5).rposition(|part| part == b"1.0.0").unwrap();
            bytes[at] = b'2';
        },
        422,
        "not what manifest.json says",
    );
}

#[test]
fn a_signature_of_another_version() {
    let (shop, catalogue) = Shop::open();
    shop.publish("2.0.0");
    let other = fs::read(shop.package()).unwrap();
    shop.publish("1.0.0");
    shop.tamper(|bytes| {
        let header = |bytes: &[u8]| {
            let name = b"manifest.json.minisig";
            bytes
                .windows(name.len())
                .position(|part| part == name)
                .unwrap()
        };
        let (to, from) = (header(bytes), header(&other));
        let many = 1536;
        bytes[to..to + many].copy_from_slice(&other[from..from + many]);
    });
    let runtime = Runtime::with(catalogue).start();

    refused(&runtime, 403, "names another package");
}

#[test]
fn a_package_of_somebody_else_under_this_name() {
    let (shop, catalogue) = Shop::open();
    shop.publish("1.0.0");
    let evil = shop.published.join("evil.example/.well-known/hyperty");
    fs::create_dir_all(&evil).unwrap();
    fs::copy(shop.package(), evil.join("Echo.hy.pkg")).unwrap();
    let runtime = Runtime::with(catalogue).start();

    let answer = runtime.try_deploy("evil.example/hyperty/Echo");

    assert_eq!(answer.code, 422, "{answer:?}");
    assert!(
        answer.reason().contains("is acme.example/hyperty/Echo"),
        "{answer:?}"
    );
}

#[test]
fn a_signature_by_another_key_than_before() {
    let (shop, catalogue) = Shop::open();
    shop.publish("1.0.0");
    let runtime = Runtime::with(catalogue).start();
    let component = runtime.deploy(ECHO);
    let other = shop.key("other");

    let body = json!({ "resource": component.address });
    runtime.operator().ask_room("delete", "ua", &body);
    let key = ["--key", &shop.file("other.key"), "--no-password"];
    shop.publish_with("2.0.0", &json!({}), &key);
    refused(&runtime, 403, "hyperty keys add");
    // The provider has a new key, and the operator has heard so.
    let line = other.lines().nth(1).unwrap();
    let _ = runtime
        .hyperty(&["keys", "add", "acme.example", line])
        .succeeded();

    assert_eq!(runtime.deploy(ECHO).version, "2.0.0");
}

#[test]
fn a_signature_that_was_taken_away() {
    let (shop, catalogue) = Shop::open();
    shop.publish("1.0.0");
    let runtime = Runtime::with(catalogue).start();
    let component = runtime.deploy(ECHO);

    shop.publish_unsigned("2.0.0");
    let body = json!({ "resource": component.address });
    runtime.operator().ask_room("delete", "ua", &body);
    refused(&runtime, 403, "signs what it publishes");
    // Nor the plain files beside it.
    fs::remove_file(shop.package()).unwrap();
    let folder = shop.package().parent().unwrap().to_path_buf();
    fs::copy(shop.file("Echo.hy.json"), folder.join("Echo.hy.json")).unwrap();
    fs::copy(shop.file("Echo.hy.js"), folder.join("Echo.hy.js")).unwrap();
    refused(&runtime, 403, "signs what it publishes");
}

#[test]
fn an_archive_that_tar_made() {
    let (shop, catalogue) = Shop::open();
    shop.publish("1.0.0");
    let folder = shop.file("");
    let out = shop.package().display().to_string();
    std::os::unix::fs::symlink("/etc/passwd", shop.file("passwd")).unwrap();
    let packed = |words: &[&str]| {
        let done = std::process::Command::new("tar").args(words).status();
        assert!(done.is_ok_and(|status| status.success()), "tar {words:?}");
    };
    let runtime = Runtime::with(catalogue).start();

    packed(&["cf", &out, "--format=ustar", "-C", &folder, "passwd"]);
    refused(&runtime, 422, "symbolic link");
    packed(&["cPf", &out, "--format=ustar", "/etc/hostname"]);
    refused(&runtime, 422, "not a plain path");
    packed(&["czf", &out, "-C", &folder, "Echo.hy.js"]);
    refused(&runtime, 422, "gzip");
    packed(&["cf", &out, "-C", &folder, "Echo.hy.js"]);
    refused(&runtime, 422, "not written as packages are");
    let _ = tool(&["package", "verify", &out]).failed_with(1);
}

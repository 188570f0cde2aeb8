//! PK-03, PK-12: versions grow; who asks for more waits; one can go back.

use std::fs;

use hyperty_tests::harness::Runtime;
use serde_json::{Value, json};

use crate::shop::{ECHO, Shop, method, refused, says};

fn wider() -> Value {
    json!({ "network": [{ "host": "*.evil.example", "port": 443 }] })
}

impl Shop {
    fn publish_wider(&self, version: &str) {
        let key = self.file("own.key");
        self.publish_with(version, &wider(), &["--key", &key, "--no-password"]);
    }
}

#[test]
fn a_newer_version_that_asks_for_nothing_more_is_taken() {
    let (shop, catalogue) = Shop::open();
    shop.publish("1.0.0");
    let runtime = Runtime::with(catalogue).start();
    let component = runtime.deploy(ECHO);

    shop.publish("1.1.0");
    let answer = method(&runtime, "reload");

    assert_eq!(answer.code, 200, "{answer:?}");
    assert_eq!(says(&runtime, &component), "1.1.0");
}

#[test]
fn an_older_version_is_refused_also_when_everything_kept_is_gone() {
    let (shop, catalogue) = Shop::open();
    shop.publish("2.0.0");
    let runtime = Runtime::with(catalogue).start();
    let component = runtime.deploy(ECHO);
    runtime.keeps("Echo");

    shop.publish("1.0.0");
    let answer = method(&runtime, "reload");
    assert_eq!(answer.code, 403, "{answer:?}");
    assert!(answer.reason().contains("older than 2.0.0"), "{answer:?}");
    assert_eq!(says(&runtime, &component), "2.0.0");

    let older = fs::read(shop.package()).unwrap();
    let home = runtime.killed();
    for cache in ["packages", "catalogue"] {
        let _ = fs::remove_dir_all(home.join("data").join(cache));
    }
    let (_shop, catalogue) = Shop::open();
    let package = catalogue
        .path()
        .join("acme.example/.well-known/hyperty/Echo.hy.pkg");
    fs::write(package, older).unwrap();
    let runtime = Runtime::with(catalogue).home(home).start();
    refused(&runtime, 403, "older than 2.0.0");
}

#[test]
fn another_package_of_the_same_version_is_refused() {
    let (shop, catalogue) = Shop::open();
    shop.publish("1.0.0");
    let runtime = Runtime::with(catalogue).start();
    runtime.deploy(ECHO);

    shop.publish_wider("1.0.0");

    let answer = method(&runtime, "reload");
    assert_eq!(answer.code, 403, "{answer:?}");
    assert!(answer.reason().contains("higher number"), "{answer:?}");
}

#[test]
fn who_asks_for_more_waits_until_somebody_has_seen_it() {
    let (shop, catalogue) = Shop::open();
    shop.publish("1.0.0");
    let runtime = Runtime::with(catalogue).start();
    let component = runtime.deploy(ECHO);
    shop.publish_wider("2.0.0");

    let told = runtime.hyperty(&["reload", "Echo"]).failed_with(4);
    assert!(told.stderr.contains("*.evil.example"), "{}", told.stderr);
    assert!(
        told.stderr.contains("hyperty approve Echo"),
        "{}",
        told.stderr
    );
    assert_eq!(says(&runtime, &component), "1.0.0");
    let listed = runtime.hyperty(&["ps"]).succeeded().stdout;
    assert!(listed.contains("hyperty approve Echo"), "{listed}");

    let approved = runtime.hyperty(&["approve", "Echo"]).succeeded().stdout;
    assert!(approved.contains("2.0.0"), "{approved}");
    assert_eq!(says(&runtime, &component), "2.0.0");
    let audit = runtime.hyperty(&["audit"]).succeeded().stdout;
    assert!(
        audit.contains("package-waits") && audit.contains("package-approved"),
        "{audit}"
    );
    let _ = runtime.hyperty(&["approve", "Echo"]).failed_with(1);
}

#[test]
fn a_deployment_runs_the_version_that_was_agreed_to() {
    let (shop, catalogue) = Shop::open();
    shop.publish("1.0.0");
    let runtime = Runtime::with(catalogue).start();
    let component = runtime.deploy(ECHO);
    let body = json!({ "resource": component.address });
    runtime.operator().ask_room("delete", "ua", &body);
    shop.publish_wider("2.0.0");

    let component = runtime.deploy(ECHO);

    assert_eq!(component.version, "1.0.0");
    assert!(component.waits.starts_with("2.0.0"), "{component:?}");
    assert_eq!(says(&runtime, &component), "1.0.0");
}

#[test]
fn one_goes_back_and_stays_there() {
    let (shop, catalogue) = Shop::open();
    shop.publish("1.0.0");
    let runtime = Runtime::with(catalogue).start();
    let component = runtime.deploy(ECHO);
    let _ = runtime.hyperty(&["rollback", "Echo"]).failed_with(1);
    shop.publish("2.0.0");
    assert_eq!(method(&runtime, "reload").code, 200);

    let back = runtime.hyperty(&["rollback", "Echo"]).succeeded().stdout;
    assert!(back.contains("1.0.0"), "{back}");
    assert_eq!(says(&runtime, &component), "1.0.0");
    let _ = runtime.hyperty(&["reload", "Echo"]).failed_with(4);
    assert_eq!(says(&runtime, &component), "1.0.0");

    let _ = runtime.hyperty(&["approve", "Echo"]).succeeded();
    assert_eq!(says(&runtime, &component), "2.0.0");
}

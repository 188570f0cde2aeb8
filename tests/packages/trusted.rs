//! Whose packages are believed, and what is said of those that nobody signed.

use std::fs;

use hyperty_tests::harness::{Catalogue, Runtime, TempDir, eventually, script};
use serde_json::json;

use crate::shop::{ECHO, Shop, refused, says};

#[test]
fn a_signed_package_runs_and_says_by_whom() {
    let (shop, catalogue) = Shop::open();
    shop.publish("1.0.0");
    let runtime = Runtime::with(catalogue).start();

    let component = runtime.deploy(ECHO);

    assert_eq!(says(&runtime, &component), "1.0.0");
    let keys = runtime.hyperty(&["keys", "--json"]).succeeded().json();
    assert_eq!(keys["keys"][0]["provider"], "acme.example");
    assert_eq!(keys["keys"][0]["by"], "first use");
    assert_eq!(keys["keys"][0]["id"], component.signer);
    let shown = runtime.hyperty(&["inspect", "Echo"]).succeeded().stdout;
    assert!(
        shown.contains(&component.signer) && shown.contains("blake3:"),
        "{shown}"
    );
    let audit = runtime.hyperty(&["audit"]).succeeded().stdout;
    assert!(audit.contains("pinned at its first use"), "{audit}");
    assert!(
        audit.contains(&format!("acme.example, {}", component.signer)),
        "{audit}"
    );
}

#[test]
fn what_nobody_signed_is_marked_everywhere() {
    let catalogue = Catalogue::new().script("plain.example", "Plain", &script(""));
    let runtime = Runtime::with(catalogue).start();

    let deployed = runtime
        .hyperty(&["deploy", "plain.example/hyperty/Plain"])
        .succeeded();

    for shown in [
        deployed.stdout,
        runtime.hyperty(&["ps"]).succeeded().stdout,
        runtime.hyperty(&["inspect", "Plain"]).succeeded().stdout,
        runtime.hyperty(&["audit"]).succeeded().stdout,
    ] {
        assert!(shown.contains("unsigned"), "{shown}");
    }
}

#[test]
fn where_nothing_may_be_unsigned_nothing_unsigned_runs() {
    let home = TempDir::new();
    fs::create_dir_all(home.join("config/hyperty")).unwrap();
    fs::write(
        home.join("config/hyperty/hyperty.toml"),
        "unsigned = \"none\"\n",
    )
    .unwrap();
    let (shop, catalogue) = Shop::open();
    shop.publish_unsigned("1.0.0");
    let runtime = Runtime::with(catalogue).home(home).start();

    refused(&runtime, 403, "not signed by acme.example");
    shop.publish("1.0.0");

    assert_eq!(runtime.deploy(ECHO).version, "1.0.0");
}

#[test]
fn the_operators_key_is_not_replaced_by_the_first_that_comes() {
    let (shop, catalogue) = Shop::open();
    let real = shop.key("real");
    let home = TempDir::new();
    fs::create_dir_all(home.join("config/hyperty")).unwrap();
    let line = real.lines().nth(1).unwrap();
    let keys = format!("keys = [\"acme.example={line}\"]\n");
    fs::write(home.join("config/hyperty/hyperty.toml"), keys).unwrap();
    shop.publish("1.0.0");
    let runtime = Runtime::with(catalogue).home(home).start();

    refused(&runtime, 403, "(configuration)");
    let real = ["--key", &shop.file("real.key"), "--no-password"];
    shop.publish_with("1.0.0", &json!({}), &real);

    assert_eq!(runtime.deploy(ECHO).version, "1.0.0");
    let _ = runtime
        .hyperty(&["keys", "rm", "acme.example"])
        .failed_with(1);
}

#[test]
fn a_catalogue_that_stands_still_is_told_of() {
    let (shop, catalogue) = Shop::open();
    let key = shop.file("own.key");
    let options = ["--key", &key, "--no-password", "--expires", "2001-01-01"];
    shop.publish_with("1.0.0", &json!({}), &options);
    let runtime = Runtime::with(catalogue).start();

    runtime.deploy(ECHO);

    let audit = runtime.hyperty(&["audit"]).succeeded().stdout;
    assert!(audit.contains("package-expired"), "{audit}");
}

#[test]
fn a_component_says_nothing_about_keys() {
    let catalogue = Catalogue::new().script(
        "evil.example",
        "Evil",
        &script(
            "bus.postMessage({ type: 'execute', from: url, to: config.runtimeURL + '/catalogue',
                body: { method: 'trust', key: config.key } },
              function (reply) { console.log('told ' + reply.body.code); });",
        ),
    );
    let (shop, _catalogue) = Shop::open();
    let key = shop.key("evil");
    let key = format!("acme.example={}", key.lines().nth(1).unwrap());
    let runtime = Runtime::with(catalogue.permissive()).start();

    runtime.watch();
    let evil = runtime.deploy_with("evil.example/hyperty/Evil", &json!({ "key": key }));

    eventually("it is told", || runtime.log_says(&evil, "told 403"));
    let keys = runtime.hyperty(&["keys", "--json"]).succeeded().json();
    assert_eq!(keys["keys"], json!([]));
}

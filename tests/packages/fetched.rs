//! Signed packages of another domain, through the real connector, stub and TLS.

use std::fs;

use hyperty_tests::harness::{Catalogue, Outcome, Runtime, TempDir, script};
use serde_json::json;

use crate::served::Served;
use crate::shop::{Shop, says};

/// A runtime that trusts this server, and nothing unsigned that it serves.
fn runtime(served: &Served, home: TempDir) -> Runtime {
    let certificate = served.said["certificate"].as_str().unwrap();
    let runtime = Runtime::with(Catalogue::new());
    runtime
        .arguments(&["--tls-roots", certificate])
        .home(home)
        .start()
}

fn deploys(runtime: &Runtime, served: &Served) -> Outcome {
    let url = format!("https://{}", served.address());
    let echo = [
        "deploy",
        "Echo",
        "--catalogue",
        &url,
        "--provider",
        "acme.example",
    ];
    runtime.hyperty(&echo)
}

#[test]
fn what_is_fetched_must_be_signed() {
    let plain = Catalogue::new().script("acme.example", "Echo", &script(""));
    let served = Served::start(plain, &[]);
    let runtime = runtime(&served, TempDir::new());

    let told = deploys(&runtime, &served).failed_with(1);

    assert!(told.stderr.contains("must be signed"), "{}", told.stderr);
    assert!(told.stderr.contains("--unsigned"), "{}", told.stderr);
    assert!(
        !runtime
            .components()
            .iter()
            .any(|one| one.provider == "acme.example")
    );
}

#[test]
fn a_signed_package_is_fetched_and_a_catalogue_that_goes_back_is_refused() {
    let (shop, catalogue) = Shop::open();
    shop.publish("2.0.0");
    let served = Served::start(catalogue, &[]);
    let runtime = runtime(&served, TempDir::new());

    let _ = deploys(&runtime, &served).succeeded();
    let components = runtime.components();
    let echo = components
        .iter()
        .find(|one| one.provider == "acme.example")
        .unwrap();
    assert_eq!(says(&runtime, echo), "2.0.0");
    assert_eq!(echo.version, "2.0.0");
    runtime.keeps("Echo");

    shop.publish("1.0.0");
    let update = runtime.hyperty(&["catalogue", "update", "--json"]);
    assert!(
        update.stdout.contains("its catalogue went back"),
        "{update:?}"
    );
    // Nor when everything that was fetched is gone.
    let home = runtime.killed();
    for cache in ["packages", "catalogue"] {
        fs::remove_dir_all(home.join("data").join(cache)).unwrap();
    }
    let runtime = self::runtime(&served, home);
    let told = deploys(&runtime, &served).failed_with(1);
    assert!(told.stderr.contains("older than 2.0.0"), "{}", told.stderr);
}

#[test]
fn a_damaged_package_is_not_kept() {
    let (shop, catalogue) = Shop::open();
    shop.publish_with("1.0.0", &json!({}), &[]);
    let served = Served::start(catalogue, &[]);
    let runtime = runtime(&served, TempDir::new());

    let unsigned = deploys(&runtime, &served).failed_with(1);
    assert!(
        unsigned.stderr.contains("must be signed"),
        "{}",
        unsigned.stderr
    );
    shop.publish("1.0.0");
    shop.tamper(|bytes| {
        let at = bytes.len() - 1200;
        bytes[at] ^= 1;
    });
    let url = format!("https://{}", served.address());
    let fetch = [
        "catalogue",
        "fetch",
        "Echo",
        "--catalogue",
        &url,
        "--provider",
        "acme.example",
    ];
    let damaged = runtime.hyperty(&fetch).failed_with(1);

    assert!(
        damaged.stderr.contains("no package that can be used"),
        "{}",
        damaged.stderr
    );
    let kept = runtime.operator().read_room("catalogue")["fetched"].clone();
    assert_eq!(kept, json!(null));
}

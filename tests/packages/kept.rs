//! PK-06, PK-07, PK-11: what runs is what was verified, whatever becomes of the files.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use hyperty_tests::harness::{Runtime, TempDir, eventually, some_time};
use serde_json::json;

use crate::shop::{ECHO, Shop, method, says, tool};

fn kept(home: &TempDir) -> Vec<PathBuf> {
    let entries = fs::read_dir(home.join("data/packages"));
    entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect()
}

#[test]
fn a_file_that_is_swapped_after_it_was_read_changes_nothing() {
    let (shop, catalogue) = Shop::open();
    shop.publish("1.0.0");
    let runtime = Runtime::with(catalogue).start();
    let component = runtime.deploy(ECHO);

    shop.tamper(|bytes| {
        let at = bytes.windows(5).rposition(|part| part == b"1.0.0").unwrap();
        bytes[at] = b'6';
    });
    let process = runtime.process_of(&component);
    process.kill();

    eventually("it runs again", || {
        let now = runtime.component(&component.address);
        now.state == "running" && now.restarts > 0
    });
    assert_eq!(says(&runtime, &component), "1.0.0");
}

#[test]
fn a_kept_release_that_became_a_link_or_a_folder_or_another_is_not_run() {
    let (shop, catalogue) = Shop::open();
    shop.publish("1.0.0");
    let home = TempDir::new();
    let data = home.join("data/packages");
    let runtime = Runtime::with(catalogue).home(home).start();
    let component = runtime.deploy(ECHO);
    let first = some_time("it is kept", || fs::read_dir(&data).ok()?.flatten().next()).path();
    let whole = fs::read(&first).unwrap();
    shop.publish("2.0.0");
    assert_eq!(method(&runtime, "reload").code, 200);
    let second = fs::read(shop.package()).unwrap();

    let spoils: [&dyn Fn(); 4] = [
        &|| symlink(shop.package(), &first).unwrap(),
        &|| fs::create_dir(&first).unwrap(),
        &|| fs::write(&first, &second).unwrap(),
        &|| fs::write(&first, &whole[..1024]).unwrap(),
    ];
    for spoil in spoils {
        let _ = fs::remove_file(&first);
        let _ = fs::remove_dir(&first);
        spoil();
        let answer = method(&runtime, "rollback");
        assert!(matches!(answer.code, 400 | 422 | 500), "{answer:?}");
        assert_eq!(says(&runtime, &component), "2.0.0");
        // It is still to be had from the catalogue, or by another word of the operator.
        assert_eq!(method(&runtime, "approve").code, 200);
    }
    let _ = fs::remove_file(&first);
    fs::write(&first, &whole).unwrap();

    assert_eq!(method(&runtime, "rollback").code, 200);
    assert_eq!(says(&runtime, &component), "1.0.0");
}

#[test]
fn a_crash_in_mid_install_leaves_nothing_half() {
    let (shop, _catalogue) = Shop::open();
    shop.publish("1.0.0");
    let mut home = TempDir::new();
    for _ in 0..3 {
        let runtime = Runtime::with(published(&shop)).home(home).start();
        let wish = runtime.wish(ECHO, &json!(null));
        runtime.operator().tell("create", &room(&runtime), &wish);
        // At whatever moment this is: reading, keeping, launching or running.
        home = runtime.killed();
        for file in kept(&home)
            .iter()
            .filter(|file| file.extension().unwrap() == "pkg")
        {
            let _ = tool(&["package", "verify", &file.display().to_string()]).succeeded();
        }
    }
    fs::create_dir_all(home.join("data/packages")).unwrap();
    fs::write(home.join("data/packages/0123.new"), "half").unwrap();

    let runtime = Runtime::with(published(&shop)).home(home).start();
    let component = runtime.deploy(ECHO);

    assert_eq!(says(&runtime, &component), "1.0.0");
    let home = runtime.killed();
    assert!(
        kept(&home)
            .iter()
            .all(|file| file.extension().unwrap() == "pkg")
    );
}

fn room(runtime: &Runtime) -> String {
    format!("{}/ua", runtime.operator().runtime())
}

fn published(shop: &Shop) -> hyperty_tests::harness::Catalogue {
    let (other, catalogue) = Shop::open();
    fs::copy(shop.package(), other.package()).unwrap();
    catalogue
}

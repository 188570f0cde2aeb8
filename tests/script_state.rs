//! What scripts of a locked sandbox have of their own: storage that outlives everything,
//! keys, and sockets that nobody granted.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use hyperty_tests::harness::{Catalogue, Member, Process, Runtime, class, eventually};
use protocol::frame::Level;
use serde_json::{Value, json};

const ANN: &str = "ann@idp.example";
const KEEPER: &str = "keeper.example/hyperty/Keeper";
/// A turn has a quarter of a second of a processor, also in a build that is not optimised.
const WRITES_PER_TURN: u64 = 1_600;
/// A million writes, each key as often as the others.
const TURNS: u64 = 625;

const METHODS: &str = "
function Component() {}
Component.prototype._start = function () {};
Component.prototype.put = function (key, value) { localStorage.setItem(key, value); };
Component.prototype.get = function (key) { return localStorage.getItem(key); };
Component.prototype.drop = function (key) { localStorage.removeItem(key); };
Component.prototype.fill = function (key, units) {
    try {
        localStorage.setItem(key, 'x'.repeat(units));
        return 'kept';
    } catch (error) { return error.name + ': ' + error.message; }
};
Component.prototype.write = function (from, count) {
    for (var n = from; n < from + count; n++) localStorage.setItem('key' + n % 64, 'value ' + n);
    return localStorage.length;
};
Component.prototype.all = function () {
    return Object.keys(localStorage).map(function (key) { return key + '=' + localStorage.getItem(key); }).sort();
};
Component.prototype.open = function (host, count) {
    var all = [];
    for (var n = 0; n < count; n++) all.push(new WebSocket('wss://' + host + '/' + n));
    return new Promise(function (done) {
        all[0].onclose = function (event) { done([all.length, event.code]); };
    });
};
";

const CRYPTO: &str = "
Component.prototype.seal = async function () {
    const s = crypto.subtle;
    const text = new TextEncoder().encode('hello');
    const same = (a, b) => new Uint8Array(a).join() === new Uint8Array(b).join();
    const results = {};
    for (const hash of ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512']) {
        results[hash] = (await s.digest(hash, text)).byteLength;
    }
    const signs = async (name, how, key) => {
        const signature = await s.sign(how, key.privateKey ?? key, text);
        const checks = (data) => s.verify(how, key.publicKey ?? key, signature, data);
        results[name] = await checks(text) && !await checks(new Uint8Array(5));
    };
    const use = ['sign', 'verify'];
    await signs('HMAC', 'HMAC', await s.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, use));
    await signs('Ed25519', 'Ed25519', await s.generateKey('Ed25519', false, use));
    for (const namedCurve of ['P-256', 'P-384']) {
        const key = await s.generateKey({ name: 'ECDSA', namedCurve }, false, use);
        await signs('ECDSA ' + namedCurve, { name: 'ECDSA', hash: 'SHA-256' }, key);
    }
    const agrees = async (label, how) => {
        const [a, b] = [await s.generateKey(how, false, ['deriveBits']), await s.generateKey(how, false, ['deriveBits'])];
        const name = how.name ?? how;
        const one = await s.deriveBits({ name, public: b.publicKey }, a.privateKey, 256);
        const other = await s.deriveBits({ name, public: a.publicKey }, b.privateKey, 256);
        results[label] = same(one, other);
    };
    await agrees('X25519', 'X25519');
    for (const namedCurve of ['P-256', 'P-384']) await agrees('ECDH ' + namedCurve, { name: 'ECDH', namedCurve });
    const key = await s.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
    const how = { name: 'AES-GCM', iv: crypto.getRandomValues(new Uint8Array(12)) };
    const sealed = await s.encrypt(how, key, text);
    results['AES-GCM'] = same(await s.decrypt(how, key, sealed), text) && !same(sealed, text);
    const secret = (name) => s.importKey('raw', text, name, false, ['deriveBits']);
    const salt = new Uint8Array(16);
    const hkdf = { name: 'HKDF', hash: 'SHA-256', salt, info: text };
    results.HKDF = (await s.deriveBits(hkdf, await secret('HKDF'), 256)).byteLength;
    const pbkdf2 = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: 1000 };
    results.PBKDF2 = (await s.deriveBits(pbkdf2, await secret('PBKDF2'), 256)).byteLength;
    return results;
};
";

fn catalogue() -> Catalogue {
    let code = class(&format!("{METHODS}{CRYPTO}"));
    Catalogue::new().script("keeper.example", "Keeper", &code)
}

fn runtime() -> Runtime {
    Runtime::with(catalogue()).start()
}

#[test]
fn what_a_script_puts_aside_outlives_its_sandbox_and_the_supervisor() {
    let runtime = runtime();
    let keeper = Member::deploy(&runtime, KEEPER, ANN);
    keeper.call("put", &json!(["name", "a value of Ann's"]));
    runtime.keeps("a value of Ann's");

    keeper.kill();
    let after_its_end = keeper.call("get", &json!(["name"]));
    let runtime = Runtime::with(catalogue()).home(runtime.killed()).start();
    let keeper = Member::deploy(&runtime, KEEPER, ANN);
    let bobs = Member::deploy(&runtime, KEEPER, "bob@idp.example");

    assert_eq!(after_its_end, "a value of Ann's");
    assert_eq!(keeper.call("get", &json!(["name"])), "a value of Ann's");
    assert_eq!(bobs.call("get", &json!(["name"])), Value::Null);
}

#[test]
fn five_mebi_units_fit_and_one_more_is_refused_by_name() {
    let runtime = Runtime::with(catalogue().with_witness()).start();
    let keeper = Member::deploy(&runtime, KEEPER, ANN);
    let all = 5 * 1024 * 1024 - 32 - 1;

    let whole = keeper.call("fill", &json!(["a", all]));
    let more = keeper.call("fill", &json!(["b", 1]));
    keeper.call("drop", &json!(["a"]));
    let again = keeper.call("fill", &json!(["b", 1]));

    assert_eq!((whole, again), (json!("kept"), json!("kept")));
    let more = more.as_str().unwrap().to_owned();
    assert!(more.starts_with("QuotaExceededError: "), "{more}");
    assert!(
        more.contains("keeps at most 5242880 units of text"),
        "{more}"
    );
    runtime.assert_unharmed();
}

#[test]
fn writes_without_end_are_cut_short_and_the_last_of_each_key_is_kept() {
    let runtime = runtime();
    let keeper = Member::deploy(&runtime, KEEPER, ANN);

    let at_once = keeper.try_call("write", &json!([0, 10_000_000]));
    for turn in 0..50 {
        let length = keeper.call("write", &json!([turn * 200, 200]));
        assert_eq!(length, 64);
    }
    keeper.call("put", &json!(["end", "the end of all"]));
    runtime.keeps("the end of all");
    let runtime = Runtime::with(catalogue()).home(runtime.killed()).start();
    let keeper = Member::deploy(&runtime, KEEPER, ANN);

    let reason = at_once.unwrap_err();
    assert!(
        reason.contains("it ran too long without returning"),
        "{reason}"
    );
    let last = 9_999;
    let key = format!("key{}", last % 64);
    assert_eq!(keeper.call("get", &json!([key])), format!("value {last}"));
}

#[test]
fn a_million_writes_all_succeed_in_bounded_memory_and_a_bounded_file() {
    let runtime = runtime();
    let keeper = Member::deploy(&runtime, KEEPER, ANN);
    let held = |name: &str| {
        let processes = [runtime.supervisor(), runtime.process_of(keeper.component())];
        processes.map(|process| kib(process, name))
    };
    let turn = |number: u64| {
        let first = number * WRITES_PER_TURN;
        assert_eq!(keeper.call("write", &json!([first, WRITES_PER_TURN])), 64);
    };

    (0..TURNS / 10).for_each(turn);
    let early = held("VmHWM");
    (TURNS / 10..TURNS).for_each(turn);
    let late = held("VmHWM");
    let expected = keeper.call("all", &json!([]));
    keeper.call("put", &json!(["end", "the end of all"]));
    runtime.keeps("the end of all");
    let file = std::fs::metadata(runtime.store()).unwrap().len();
    let runtime = Runtime::with(catalogue()).home(runtime.killed()).start();
    let keeper = Member::deploy(&runtime, KEEPER, ANN);
    keeper.call("drop", &json!(["end"]));

    let last = |key: u64| TURNS * WRITES_PER_TURN - 64 + key;
    let mut all: Vec<String> = (0..64)
        .map(|key| format!("key{key}=value {}", last(key)))
        .collect();
    all.sort();
    assert_eq!(expected, json!(all));
    assert_eq!(keeper.call("all", &json!([])), json!(all));
    // What is held is about three kilobytes; the rest is what allocators keep.
    for (early, late) in early.into_iter().zip(late) {
        assert!(late < early + 32 * 1024, "{late} KiB after {early} KiB");
    }
    assert!(file < 16 * 1024 * 1024, "{file} bytes");
}

/// A line of a process's status, in KiB.
fn kib(process: Process, name: &str) -> u64 {
    let line = process.status_field(name).unwrap();
    line.trim_end_matches(" kB").trim().parse().unwrap()
}

#[test]
fn thousands_of_sockets_that_nobody_granted_are_refused_by_name() {
    let runtime = Runtime::with(catalogue().with_witness()).start();
    let keeper = Member::deploy(&runtime, KEEPER, ANN);

    for turn in 0..40 {
        // Each host is waited for longer when it is tried again at once.
        let host = format!("host{turn}.example");
        let refused = keeper.call("open", &json!([host, 50]));

        assert_eq!(refused, json!([50, 1006]));
        eventually("the refusal is in the log", || {
            runtime.log_says(keeper.component(), &host)
        });
    }
    keeper.call("put", &json!(["it", "goes on"]));
    runtime.assert_unharmed();
}

/// What each algorithm comes to in a sandbox of this level.
#[track_caller]
fn check_crypto(arguments: &[&str], level: Level) {
    let runtime = Runtime::with(catalogue()).arguments(arguments).start();
    let keeper = Member::deploy(&runtime, KEEPER, ANN);
    if keeper.component().level < Some(level) {
        eprintln!("skipped: sandboxes do not reach {level} here");
        return;
    }

    let results = keeper.call("seal", &json!([]));

    assert_eq!(keeper.component().level, Some(level));
    let expected = json!({
        "SHA-1": 20, "SHA-256": 32, "SHA-384": 48, "SHA-512": 64,
        "HMAC": true, "Ed25519": true, "ECDSA P-256": true, "ECDSA P-384": true,
        "X25519": true, "ECDH P-256": true, "ECDH P-384": true,
        "AES-GCM": true, "HKDF": 32, "PBKDF2": 32,
    });
    assert_eq!(results, expected);
}

#[test]
fn every_algorithm_works_in_a_sandbox_without_namespaces() {
    check_crypto(&["--pretend-without", "userns"], Level::L2);
}

#[test]
fn every_algorithm_works_in_a_sandbox_with_namespaces() {
    check_crypto(&[], Level::L3);
}

//! The web interfaces that components find, as tables of expressions.

use serde_json::{Value, json};

use super::world::{ME, World, logged};

fn check(cases: &[(&str, Value)]) {
    let world = World::new();
    for (expression, expected) in cases {
        assert_eq!(&world.value(expression), expected, "{expression}");
    }
}

const THROWN: &str = "((f) => { try { f(); return 'nothing' } catch (e) { return e.name } })";

#[test]
fn the_global_object_looks_like_a_window() {
    check(&[
        (
            "window === globalThis && self === window && (0, eval)('this') === window",
            json!(true),
        ),
        ("new Function('return this')() === window", json!(true)),
        (
            "[typeof process, typeof require, typeof std, typeof os, typeof Worker, typeof host]",
            json!(vec!["undefined"; 6]),
        ),
        (
            "[typeof module, typeof exports, typeof define, typeof activate]",
            json!(vec!["undefined"; 4]),
        ),
        (
            "[location.protocol, location.hostname, location.host, location.port, location.origin, location.href]",
            json!([
                "https:",
                "here.example",
                "here.example",
                "",
                "https://here.example",
                "https://here.example/"
            ]),
        ),
        (
            "[String(location), typeof navigator.userAgent, navigator.onLine]",
            json!(["https://here.example/", "string", true]),
        ),
        ("Object.keys(System)", json!(["register"])),
    ]);
}

#[test]
fn base64_and_text_are_encoded_and_decoded() {
    check(&[
        (
            "btoa('hello \\xff') + atob('aGk=')",
            json!("aGVsbG8g/w==hi"),
        ),
        (
            "Array.from(new TextEncoder().encode('aé€😀\\ud800'))",
            json!([
                97, 195, 169, 226, 130, 172, 240, 159, 152, 128, 239, 191, 189
            ]),
        ),
        (
            "new TextEncoder().encodeInto('aé€', new Uint8Array(4))",
            json!({"read": 2, "written": 3}),
        ),
        (
            "new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 97, 195, 169, 255]))",
            json!("aé\u{fffd}"),
        ),
        (
            "new TextDecoder('utf-8', {ignoreBOM: true}).decode(new Uint8Array([0xef, 0xbb, 0xbf, 97])).length",
            json!(2),
        ),
        (
            "new TextDecoder('UTF-16').decode(new Uint8Array([97, 0, 0xac, 0x20]))",
            json!("a€"),
        ),
        (
            "((d) => d.decode(new Uint8Array([226, 130]), {stream: true}) + d.decode(new Uint8Array([172, 98]), {stream: true}) + d.decode())(new TextDecoder())",
            json!("€b"),
        ),
        (
            "new TextDecoder().decode(new Uint8Array([97, 98, 99, 100]).subarray(1, 3))",
            json!("bc"),
        ),
        (
            &format!(
                "{THROWN}(() => new TextDecoder('utf-8', {{fatal: true}}).decode(new Uint8Array([255])))"
            ),
            json!("TypeError"),
        ),
        (
            &format!("{THROWN}(() => new TextDecoder('klingon'))"),
            json!("RangeError"),
        ),
    ]);
}

#[test]
fn urls_are_parsed_as_the_standard_says() {
    check(&[
        (
            "new URL('HTTPS://User:Pa%20ss@Example.ORG:443/a/../b/./c?x=1#y').href",
            json!("https://User:Pa%20ss@example.org/b/c?x=1#y"),
        ),
        (
            "((u) => [u.protocol, u.username, u.password, u.host, u.hostname, u.port, u.pathname, u.search, u.hash, u.origin])(new URL('wss://a:b@c.example:8443/d?e=f#g'))",
            json!([
                "wss:",
                "a",
                "b",
                "c.example:8443",
                "c.example",
                "8443",
                "/d",
                "?e=f",
                "#g",
                "wss://c.example:8443"
            ]),
        ),
        (
            "['../x', '/y', '?q', '#h', '//o.example/z', 'http:w', ''].map((r) => new URL(r, 'http://a.example/b/c?d#e').href)",
            json!([
                "http://a.example/x",
                "http://a.example/y",
                "http://a.example/b/c?q",
                "http://a.example/b/c?d#h",
                "http://o.example/z",
                "http://a.example/b/w",
                "http://a.example/b/c?d"
            ]),
        ),
        (
            "new URL('hyperty://d.example/1/../2').href + new URL('mn:/session').href + new URL('mailto:a@b').pathname",
            json!("hyperty://d.example/2mn:/sessiona@b"),
        ),
        (
            "['0x7f.1', '127.1', '2130706433', '%31%32%37.0.0.1'].map((h) => new URL('http://' + h).hostname)",
            json!(vec!["127.0.0.1"; 4]),
        ),
        (
            "['[::1]', '[1:0:0:0:0:0:0:2]', '[::ffff:1.2.3.4]'].map((h) => new URL('http://' + h + ':8080/').host)",
            json!(["[::1]:8080", "[1::2]:8080", "[::ffff:102:304]:8080"]),
        ),
        (
            "new URL('http:\\\\\\\\a.example\\\\b\\\\c d?e f#g h').href",
            json!("http://a.example/b/c%20d?e%20f#g%20h"),
        ),
        (
            "new URL('http://a.example/é?ö').href",
            json!("http://a.example/%C3%A9?%C3%B6"),
        ),
        (
            "['', 'no', '//x', 'http://', 'http://a b', 'http://a:99999', 'http://256.256.256.256', 'http://[::g]'].map((u) => URL.canParse(u))",
            json!(vec![false; 8]),
        ),
        ("URL.parse('no')", json!(null)),
        (
            "((u) => { u.pathname = 'x y'; u.search = 'a=b'; u.hash = 'z'; u.port = '81'; u.hostname = 'o.example'; u.protocol = 'https'; return u.href })(new URL('http://a.example/'))",
            json!("https://o.example:81/x%20y?a=b#z"),
        ),
        (
            "((u) => { u.searchParams.append('b', 'c d'); return u.href })(new URL('http://a.example/?a=1'))",
            json!("http://a.example/?a=1&b=c+d"),
        ),
        (
            "JSON.stringify({u: new URL('http://a.example')})",
            json!("{\"u\":\"http://a.example/\"}"),
        ),
        (
            &format!("{THROWN}(() => new URL('/x'))"),
            json!("TypeError"),
        ),
    ]);
}

#[test]
fn search_parameters_keep_order_and_repeat() {
    check(&[
        (
            "[...new URLSearchParams('?a=1&b=2&a=%20+x')]",
            json!([["a", "1"], ["b", "2"], ["a", "  x"]]),
        ),
        (
            "((p) => [p.get('a'), p.getAll('a'), p.get('z'), p.has('b'), p.has('b', '9'), p.size])(new URLSearchParams('a=1&b=2&a=3'))",
            json!(["1", ["1", "3"], null, true, false, 3]),
        ),
        (
            "((p) => { p.set('a', 'é&'); p.delete('b'); p.append('c', '='); p.sort(); return String(p) })(new URLSearchParams('b=2&a=1&a=3'))",
            json!("a=%C3%A9%26&c=%3D"),
        ),
        (
            "String(new URLSearchParams({x: 1, y: 'z'})) + String(new URLSearchParams([['k', 'v']]))",
            json!("x=1&y=zk=v"),
        ),
        (
            "Object.fromEntries(new URLSearchParams('a=1&b=2'))",
            json!({"a": "1", "b": "2"}),
        ),
    ]);
}

#[test]
fn structured_clone_copies_data_and_refuses_the_rest() {
    check(&[
        (
            "((a) => { a.self = a; const b = structuredClone(a); return b.self === b && b !== a && b.list !== a.list && b.list.length })({list: [1, , 3]})",
            json!(3),
        ),
        (
            "structuredClone(new Map([[1, new Set([2])]])).get(1).has(2) && structuredClone(new Date(5)).getTime() === 5",
            json!(true),
        ),
        (
            "Array.from(structuredClone(new Uint16Array([1, 2])))",
            json!([1, 2]),
        ),
        (
            "((e) => [e instanceof RangeError, e.message, e.cause])(structuredClone(new RangeError('m', {cause: 1})))",
            json!([true, "m", 1]),
        ),
        (
            "String(structuredClone(/a/gi)) + structuredClone('x') + structuredClone(null)",
            json!("/a/gixnull"),
        ),
        (
            &format!("{THROWN}(() => structuredClone({{f: () => 1}}))"),
            json!("DataCloneError"),
        ),
        (
            &format!("{THROWN}(() => structuredClone(Symbol('s')))"),
            json!("DataCloneError"),
        ),
    ]);
}

#[test]
fn random_numbers_come_from_the_system() {
    check(&[
        (
            "(() => { const r = Array.from({length: 500}, Math.random); return r.every((x) => x >= 0 && x < 1) && new Set(r).size })()",
            json!(500),
        ),
        (
            "/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID())",
            json!(true),
        ),
        (
            "((v) => crypto.getRandomValues(v) === v && v.some((x) => x !== 0) && v.length)(new Uint32Array(8))",
            json!(8),
        ),
        (
            "((b) => { crypto.getRandomValues(new Uint8Array(b, 2, 4)); return [...new Uint8Array(b)].filter((_, n) => n < 2 || n > 5).join() })(new ArrayBuffer(8))",
            json!("0,0,0,0"),
        ),
        (
            &format!("{THROWN}(() => crypto.getRandomValues(new Float64Array(1)))"),
            json!("TypeError"),
        ),
        (
            &format!("{THROWN}(() => crypto.getRandomValues(new Uint8Array(65537)))"),
            json!("RangeError"),
        ),
    ]);
}

#[test]
fn events_reach_their_listeners() {
    check(&[
        ("(() => { const t = new EventTarget(), seen = []; const f = (e) => { seen.push(e.type, e.target === t); e.preventDefault() };
            t.addEventListener('x', f); t.addEventListener('x', f); t.addEventListener('x', { handleEvent: (e) => seen.push('object') }, {once: true});
            const kept = [t.dispatchEvent(new Event('x', {cancelable: true})), t.dispatchEvent(new Event('y'))];
            t.removeEventListener('x', f); t.dispatchEvent(new Event('x')); return [seen, kept] })()",
            json!([["x", true, "object"], [false, true]])),
        ("new CustomEvent('c', {detail: 5}).detail", json!(5)),
        ("performance.now() > 0 && typeof queueMicrotask === 'function'", json!(true)),
    ]);
}

#[test]
fn timers_fire_in_order_with_their_arguments_until_they_are_stopped() {
    let world = World::running(
        "setTimeout((a, b) => console.log('late ' + a + b), 20, 1, 2);
         setTimeout(() => console.log('early'), 10);
         setTimeout(() => console.log('soon'), -5);
         clearTimeout(setTimeout(() => console.log('never'), 5));
         let n = 0; const id = setInterval(() => { console.log('tick'); if (++n === 3) clearInterval(id) }, 8);
         setTimeout(() => queueMicrotask(() => console.log('micro')), 10);
         setTimeout(() => console.log('after micro'), 10);",
    );

    let said = logged(&world.pass(1_000));

    assert_eq!(
        said,
        [
            "soon",
            "tick",
            "early",
            "micro",
            "after micro",
            "tick",
            "late 12",
            "tick"
        ]
    );
}

#[test]
fn a_timer_belongs_to_whoever_armed_it() {
    let world = World::new();
    let other = "hyperty://here.example/other";
    world.start(
        ME,
        "setInterval(() => setTimeout(() => console.log('mine'), 1), 10)",
    );
    world.start(other, "setInterval(() => console.log('other'), 10)");
    world.pass(10);

    world.handle(protocol::frame::CoreFrame::Unload { component: ME });

    assert_eq!(logged(&world.pass(10)), ["other"]);
}

//! What travels, and as what.

use serde_json::{Value, json};

use super::{failure, serving, value};

const SAMPLE: &str = "
    echo(value) { return value }
    kind(value) { return Object.prototype.toString.call(value).slice(8, -1) }
    give(name) { return this[name] }
    constructor() {
        this.nothing = undefined;
        this.nan = NaN; this.zero = -0; this.huge = 123456789012345678901234567890n;
        this.date = new Date(0); this.noDate = new Date(NaN);
        this.bytes = new Uint8Array([1, 2, 255]); this.floats = new Float32Array([1.5]);
        this.buffer = new Uint8Array([7]).buffer; this.view = new DataView(new ArrayBuffer(2));
        this.map = new Map([['a', 1]]); this.set = new Set([1, 'b']);
        this.error = new TypeError('wrong');
        this.holes = [1, , 3];
        this.dollar = { $: 'mine', other: 1 };
        this.surrogate = 'a\\ud800b';
        this.symbol = Symbol('s'); this.pattern = /a/; this.weak = new WeakMap();
        this.cycle = {}; this.cycle.self = this.cycle;
        this.deep = []; let at = this.deep; for (let n = 0; n < 100000; n++) at = at[0] = [];
        let wide = {}; for (let n = 0; n < 63; n++) wide = { a: wide, b: wide }; this.shared = wide;
        this.proto = JSON.parse('{\"__proto__\": 1}');
        this.promise = { inner: Promise.resolve(1) };
        this.keys = Object.fromEntries(Array.from({ length: 100000 }, (_, n) => ['k' + n, n]));
    }
";

fn tags() -> Vec<(&'static str, Value)> {
    vec![
        ("nothing", json!({"$": "undefined"})),
        ("nan", json!({"$": "number", "value": "NaN"})),
        ("zero", json!({"$": "number", "value": "-0"})),
        (
            "huge",
            json!({"$": "bigint", "value": "123456789012345678901234567890"}),
        ),
        (
            "date",
            json!({"$": "date", "value": "1970-01-01T00:00:00.000Z"}),
        ),
        ("noDate", json!({"$": "date", "value": null})),
        (
            "bytes",
            json!({"$": "bytes", "type": "Uint8Array", "value": "AQL/"}),
        ),
        (
            "floats",
            json!({"$": "bytes", "type": "Float32Array", "value": "AADAPw=="}),
        ),
        (
            "buffer",
            json!({"$": "bytes", "type": "ArrayBuffer", "value": "Bw=="}),
        ),
        (
            "view",
            json!({"$": "bytes", "type": "DataView", "value": "AAA="}),
        ),
        ("map", json!({"$": "map", "value": [["a", 1]]})),
        ("set", json!({"$": "set", "value": [1, "b"]})),
        ("holes", json!([1, {"$": "undefined"}, 3])),
        (
            "dollar",
            json!({"$": "object", "value": {"$": "mine", "other": 1}}),
        ),
    ]
}

#[test]
fn what_json_has_no_word_for_is_tagged() {
    let world = serving(SAMPLE);

    for (name, tag) in tags() {
        assert_eq!(value(&world, json!({"get": name})), tag, "{name}");
    }
    let error = value(&world, json!({"get": "error"}));
    assert_eq!(
        (&error["$"], &error["value"]["name"]),
        (&json!("error"), &json!("TypeError"))
    );
    assert_eq!(value(&world, json!({"get": "surrogate"})), "a\u{fffd}b");
}

#[test]
fn a_tagged_value_comes_back_as_it_went() {
    let world = serving(SAMPLE);

    for (name, tag) in tags() {
        assert_eq!(
            value(&world, json!({"method": "echo", "args": [tag]})),
            tag,
            "{name}"
        );
    }
    let kind = |tag: Value| value(&world, json!({"method": "kind", "args": [tag]}));
    assert_eq!(kind(tags()[4].1.clone()), "Date");
    assert_eq!(kind(tags()[6].1.clone()), "Uint8Array");
    assert_eq!(
        kind(json!({"$": "error", "value": {"name": "TypeError", "message": "m"}})),
        "Error"
    );
}

#[test]
fn what_cannot_be_sent_is_refused_with_the_reason() {
    let world = serving(SAMPLE);
    let refused = |name: &str| failure(&world, json!({"get": name}));

    assert_eq!(
        refused("symbol"),
        (400, "a symbol cannot be sent".to_owned())
    );
    assert_eq!(
        refused("pattern"),
        (400, "a RegExp cannot be sent".to_owned())
    );
    assert_eq!(
        refused("weak"),
        (400, "a WeakMap cannot be sent".to_owned())
    );
    assert_eq!(
        refused("promise"),
        (400, "a Promise cannot be sent".to_owned())
    );
    assert_eq!(
        refused("cycle"),
        (
            400,
            "a value that contains itself cannot be sent".to_owned()
        )
    );
    assert_eq!(
        refused("deep"),
        (
            400,
            "a value of more than 64 levels cannot be sent".to_owned()
        )
    );
    assert_eq!(refused("proto").0, 400);
    assert_eq!(refused("shared").0, 413);
    assert_eq!(refused("keys").0, 413);
}

#[test]
fn a_value_that_is_not_what_its_tag_says_is_refused() {
    let world = serving(SAMPLE);

    for tag in [
        json!({"$": "unknown"}),
        json!({"$": 5}),
        json!({"$": "map", "value": 5}),
        json!({"$": "bigint", "value": "12x"}),
        json!({"$": "bytes", "type": "Uint8Array", "value": "*"}),
        json!({"$": "bytes", "type": "Uint16Array", "value": "AQ=="}),
        json!({"$": "bytes", "type": "Function", "value": "AQ=="}),
        json!({"$": "object", "value": null}),
        json!({"$": "ref"}),
    ] {
        let (code, reason) = failure(&world, json!({"method": "echo", "args": [tag]}));
        assert_eq!(code, 400, "{tag}: {reason}");
    }
    let mut deep = json!(1);
    for _ in 0..70 {
        deep = json!([deep]);
    }
    assert_eq!(
        failure(&world, json!({"method": "echo", "args": [deep]})).0,
        400
    );
    let pollution: Value = serde_json::from_str(r#"{"__proto__": {"x": 1}}"#).unwrap();
    assert_eq!(
        failure(&world, json!({"method": "echo", "args": [pollution]})).0,
        400
    );
}

//! What fits a schema, what does not, and what schemas are traps.

use serde_json::json;

use super::*;

fn shape(schema: &Value) -> Shape {
    Shape::read(schema.to_string().as_bytes()).unwrap_or_else(|why| panic!("{schema}: {why}"))
}

#[track_caller]
fn check(schema: &Value, fits: &[Value], does_not: &[Value]) {
    let shape = shape(schema);
    for data in fits {
        assert_eq!(shape.check(data, None), Ok(()), "{data} against {schema}");
    }
    for data in does_not {
        assert!(shape.check(data, None).is_err(), "{data} fits {schema}");
    }
}

#[test]
fn every_word_of_a_schema_means_what_it_says() {
    check(&json!({}), &[json!(1), json!(null), json!([])], &[]);
    check(
        &json!({ "type": "integer" }),
        &[json!(1), json!(1.0)],
        &[json!(1.5), json!("1")],
    );
    check(
        &json!({ "type": ["string", "null"] }),
        &[json!("a"), json!(null)],
        &[json!(1)],
    );
    check(&json!({ "enum": [1, "a"] }), &[json!(1)], &[json!(2)]);
    check(&json!({ "constant": "x" }), &[json!("x")], &[json!("y")]);
    check(
        &json!({ "minimum": 1, "exclusiveMinimum": true, "maximum": 3 }),
        &[json!(2), json!(3)],
        &[json!(1), json!(4)],
    );
    check(&json!({ "multipleOf": 0.5 }), &[json!(1.5)], &[json!(1.2)]);
    check(
        &json!({ "minLength": 2, "maxLength": 3 }),
        &[json!("üü")],
        &[json!("a"), json!("abcd")],
    );
    check(
        &json!({ "pattern": "^a+$" }),
        &[json!("aa"), json!(1)],
        &[json!("ab")],
    );
    check(
        &json!({ "items": { "type": "number" }, "maxItems": 2 }),
        &[json!([1, 2])],
        &[json!(["a"]), json!([1, 2, 3])],
    );
    check(
        &json!({ "items": [{ "type": "number" }], "additionalItems": false }),
        &[json!([1]), json!([])],
        &[json!(["a"]), json!([1, 2])],
    );
    check(
        &json!({ "uniqueItems": true }),
        &[json!([1, 2])],
        &[json!([{ "a": 1 }, { "a": 1 }])],
    );
    check(
        &json!({ "properties": { "a": { "type": "number" } }, "patternProperties": { "^x": { "type": "string" } },
                 "additionalProperties": false, "required": ["a"] }),
        &[json!({ "a": 1, "x1": "b" })],
        &[
            json!({}),
            json!({ "a": 1, "b": 2 }),
            json!({ "a": 1, "x": 2 }),
        ],
    );
    check(
        &json!({ "minProperties": 1 }),
        &[json!({ "a": 1 })],
        &[json!({})],
    );
    check(
        &json!({ "dependencies": { "a": ["b"] } }),
        &[json!({ "b": 1 }), json!({ "a": 1, "b": 1 })],
        &[json!({ "a": 1 })],
    );
    check(
        &json!({ "allOf": [{ "minimum": 1 }, { "maximum": 2 }] }),
        &[json!(1)],
        &[json!(3)],
    );
    check(
        &json!({ "anyOf": [{ "type": "null" }, { "minimum": 5 }] }),
        &[json!(null), json!(5)],
        &[json!(1)],
    );
    check(
        &json!({ "oneOf": [{ "minimum": 1 }, { "minimum": 5 }] }),
        &[json!(1)],
        &[json!(0), json!(5)],
    );
    check(
        &json!({ "not": { "type": "null" } }),
        &[json!(1)],
        &[json!(null)],
    );
    check(
        &json!({ "definitions": { "n": { "type": "number" } }, "properties": { "a": { "$ref": "#/definitions/n" } } }),
        &[json!({ "a": 1 })],
        &[json!({ "a": "x" })],
    );
    check(
        &json!({ "properties": { "next": { "$ref": "#" }, "n": { "type": "number" } } }),
        &[json!({ "next": { "next": { "n": 1 } } })],
        &[json!({ "next": { "next": { "n": "x" } } })],
    );
}

#[test]
fn a_change_is_checked_along_its_path_and_no_further() {
    let shape = shape(&json!({
        "properties": { "a": { "properties": { "b": { "type": "number" } }, "additionalProperties": false }, "l": { "items": { "type": "number" }, "maxItems": 2 } },
        "required": ["a"],
    }));
    let path = |keys: &[&str]| keys.iter().map(|&k| k.to_owned()).collect::<Vec<_>>();
    let data = json!({ "a": { "b": "wrong" }, "l": [1, "wrong"] });

    let check = |keys: &[&str]| shape.check(&data, Some(&path(keys)));

    assert!(check(&["a", "b"]).is_err());
    assert!(check(&["l", "1"]).is_err());
    assert!(check(&["l", "0"]).is_err(), "elements may have moved");
    assert_eq!(
        check(&["other"]),
        Ok(()),
        "what lies beside was checked before"
    );
    assert!(
        shape.check(&json!({}), Some(&path(&["a"]))).is_err(),
        "the member is gone"
    );
}

#[test]
fn a_schema_that_is_a_trap_is_refused_or_ends_at_its_bound() {
    let read = |schema: Value| Shape::read(schema.to_string().as_bytes()).map(|_| ());
    let mut deep = json!({});
    for _ in 0..80 {
        deep = json!({ "not": deep });
    }
    let wide: Vec<Value> = (0..5_000).map(|_| json!({})).collect();

    assert!(read(json!({ "$ref": "https://evil.example/schema" })).is_err());
    assert!(read(json!({ "$ref": "#/nowhere" })).is_err());
    assert!(read(json!({ "pattern": "(a{1000}){1000}" })).is_err());
    assert!(read(json!({ "pattern": "(?=a)" })).is_err());
    assert!(read(json!({ "allOf": wide })).is_err());
    assert!(read(json!({ "type": "thing" })).is_err());
    assert!(read(json!({ "description": "x".repeat(70_000) })).is_err());
    assert!(read(deep).is_err());
    assert!(Shape::read(b"{").is_err());

    let circle = shape(&json!({ "allOf": [{ "$ref": "#" }] }));
    assert!(circle.check(&json!(1), None).is_err());
    let twice = json!({ "$ref": "#" });
    let bomb = shape(&json!({ "properties": { "a": { "allOf": [twice, twice] } } }));
    let mut data = json!({});
    for _ in 0..60 {
        data = json!({ "a": data });
    }
    assert!(bomb.check(&data, None).unwrap_err().contains("steps"));
    let slow = shape(&json!({ "pattern": "^(a|a)*$" }));
    assert!(slow.check(&json!("a".repeat(100_000) + "b"), None).is_err());
}

//! From a component in a catalogue to places that its author knows.

use protocol::frame::LogLevel;

use super::*;
use crate::cmd::ps::tests::component;
use crate::scratch::Scratch;

/// Line 1 of the code comes from `src/echo.ts` line 3, column 5.
const MAP: &str = r#"{"version":3,"sources":["../src/echo.ts"],"mappings":"AAEI"}"#;

fn learned(code: &str, map: Option<&str>) -> (Places, Vec<String>, String) {
    let scratch = Scratch::new("test").unwrap();
    let source = scratch.path().join("echo.hy.js");
    fs::write(&source, code).unwrap();
    if let Some(map) = map {
        fs::write(scratch.path().join("echo.hy.js.map"), map).unwrap();
    }
    let mut echo = component("echo", "acme.example");
    echo.source = source.display().to_string();
    let mut places = Places::default();
    let notes = places.learn(std::slice::from_ref(&echo));
    (places, notes, echo.address)
}

fn line(component: &str, text: &str) -> LogLine {
    LogLine {
        at_us: 0,
        component: component.to_owned(),
        level: LogLevel::Error,
        text: text.to_owned(),
        place: "echo.hy.js:1:20".to_owned(),
    }
}

#[test]
fn a_stack_and_a_place_are_told_in_the_files_of_the_author() {
    let code = "System.register([], f)\n//# sourceMappingURL=echo.hy.js.map\n";
    let (places, notes, address) = learned(code, Some(MAP));

    let line = line(
        &address,
        "Error: no\n    at ask (echo.hy.js:1:14)\n    at echo.hy.js:1:2",
    );
    let better = places.line(&line);

    assert_eq!(notes, [""; 0]);
    assert_eq!(better.place, "src/echo.ts:3:5");
    assert_eq!(
        better.text,
        "Error: no\n    at ask (src/echo.ts:3:5)\n    at src/echo.ts:3:5"
    );
}

#[test]
fn a_map_inside_the_code_is_as_good() {
    let inline = "System.register()\n//# sourceMappingURL=data:application/json;base64,\
        eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpbImEudHMiXSwibWFwcGluZ3MiOiJBQUFBIn0=";
    let (places, notes, address) = learned(inline, None);

    assert_eq!(notes, [""; 0]);
    assert_eq!(places.text(&address, "at echo.hy.js:1"), "at a.ts:1:1");
}

#[test]
fn a_map_that_cannot_be_used_is_told_once_and_places_stay() {
    let code = "f()\n//# sourceMappingURL=echo.hy.js.map\n";
    let (missing, missed, address) = learned(code, None);
    let (_, broken, _) = learned(code, Some("{"));
    let (_, outside, _) = learned("//# sourceMappingURL=../../etc/passwd", None);

    assert_eq!(missed.len(), 1, "{missed:?}");
    assert!(broken[0].contains("cannot be used: EOF"), "{broken:?}");
    assert!(outside[0].contains("is not beside the code"), "{outside:?}");
    let line = line(&address, "at ask (echo.hy.js:1:14)");
    assert_eq!(*missing.line(&line), line);
}

#[test]
fn a_text_of_the_umd_form_is_read_without_what_the_host_puts_before_it() {
    let map = r#"{"version":3,"sources":["a.ts"],"mappings":"AAAA,KAEA"}"#;
    let code = "activate = f;\n//# sourceMappingURL=echo.hy.js.map";
    let (places, _, address) = learned(code, Some(map));

    assert_eq!(places.text(&address, "echo.hy.js:1:40"), "a.ts:1:1");
    assert_eq!(places.text(&address, "echo.hy.js:1:43"), "a.ts:3:1");
}

#[test]
fn words_that_only_look_like_a_place_stay() {
    let code = "System.register([], f)\n//# sourceMappingURL=echo.hy.js.map\n";
    let (places, _, address) = learned(code, Some(MAP));

    for text in [
        "see http://a.js:80/x",
        "other.js:1:1",
        "echo.hy.js:x",
        "echo.hy.js:7:1",
    ] {
        assert_eq!(places.text(&address, text), text);
    }
}

#[test]
fn two_files_of_one_name_are_told_apart_by_their_component_only() {
    let code = "System.register([], f)\n//# sourceMappingURL=echo.hy.js.map\n";
    let (mut places, _, address) = learned(code, Some(MAP));
    let scratch = Scratch::new("test").unwrap();
    let other = scratch.path().join("echo.hy.js");
    fs::write(&other, "System.register([], g)").unwrap();
    let mut echo = component("other", "shop.example");
    echo.source = other.display().to_string();
    echo.digest = "sha256:other".to_owned();
    places.learn(&[echo]);

    assert_eq!(places.text(&address, "echo.hy.js:1:1"), "src/echo.ts:3:5");
    assert_eq!(places.text("nobody", "echo.hy.js:1:1"), "echo.hy.js:1:1");
}

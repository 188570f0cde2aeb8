//! `hyperty call` and `hyperty api`.

use serde_json::json;

use crate::runtime;

#[test]
fn the_command_line_calls_reads_assigns_and_describes() {
    let (runtime, _lobby) = runtime();
    let json_of = |arguments: &[&str]| {
        let arguments = [arguments, &["--json"]].concat();
        runtime.hyperty(&arguments).succeeded().json()
    };

    let called = json_of(&["call", "Lobby", "add", "[1, 2]"]);
    assert_eq!(
        (&called["schema"], &called["value"]),
        (&json!("hyperty.value/1"), &json!(3))
    );
    let _ = json_of(&["call", "Lobby", "--set", "volume", "9"]);
    assert_eq!(json_of(&["call", "Lobby", "--get", "loud"])["value"], true);
    let api = json_of(&["api", "Lobby"]);
    assert_eq!(
        (&api["schema"], &api["name"]),
        (&json!("hyperty.api/1"), &json!("Lobby"))
    );
    let shown = runtime
        .hyperty(&["call", "Lobby", "open", r#"["r"]"#])
        .succeeded();
    assert_eq!(shown.stdout, "\"<object Room: say>\"\n");

    let ticks = ["call", "Lobby", "ticks", "[3]", "--follow", "--count", "3"];
    let followed = runtime.hyperty(&ticks).succeeded();
    assert_eq!(
        followed.stdout,
        "callback [1]\ncallback [2]\ncallback [3]\n"
    );
}

#[test]
fn the_command_line_tells_how_a_call_failed() {
    let (runtime, _lobby) = runtime();

    let thrown = runtime
        .hyperty(&["call", "Lobby", "fail", r#"["too far"]"#])
        .failed_with(1);
    assert!(thrown.stderr.contains("HY-F002"), "{thrown:?}");
    assert!(
        thrown.stderr.contains("it threw RangeError: too far"),
        "{thrown:?}"
    );
    let absent = runtime
        .hyperty(&["call", "Lobby", "nothing"])
        .failed_with(3);
    assert!(absent.stderr.contains("hyperty api Lobby"), "{absent:?}");
    let _ = runtime.hyperty(&["call", "Lobby", "_start"]).failed_with(1);
    let _ = runtime
        .hyperty(&["call", "Lobby", "never", "--timeout", "100ms"])
        .failed_with(7);
    let _ = runtime.hyperty(&["call", "/ua", "add"]).failed_with(2);
    let _ = runtime
        .hyperty(&["call", "Lobby", "add", "5"])
        .failed_with(2);
}

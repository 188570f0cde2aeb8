//! What descriptors ask of the runtime, from the command line: what is there, what is
//! refused when it is used, and what cannot be deployed.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use hyperty_tests::harness::{Catalogue, Runtime, TempDir, hyperty, script};
use serde_json::{Value, json};

const FILMS: &str = "films.example/.well-known/hyperty";

// Answers a `read` with what the camera says.
const LOOKS: &str = "bus.addListener(url, function (m) {
    if (m.type !== 'read') return;
    navigator.mediaDevices.getUserMedia({ video: true }).catch(function (refusal) {
        bus.postMessage({ id: m.id, type: 'response', from: m.to, to: m.from,
                          body: { code: 200, value: refusal.name + ': ' + refusal.message } });
    });
});";

fn asking(constraints: &Value) -> Runtime {
    let descriptor = json!({ "name": "Films", "constraints": constraints });
    let catalogue = Catalogue::new()
        .file(&format!("{FILMS}/Films.hy.json"), &descriptor.to_string())
        .file(&format!("{FILMS}/Films.hy.js"), &script(LOOKS));
    Runtime::with(catalogue).start()
}

const DEPLOY: [&str; 4] = ["deploy", "Films", "--provider", "films.example"];

#[test]
fn what_needs_a_camera_is_refused_by_name_with_the_way_out() {
    let runtime = asking(&json!({ "browser": true, "camera": true }));

    let outcome = runtime.hyperty(&DEPLOY);
    let catalogue = runtime.catalogue().path().display().to_string();
    let listed = runtime.hyperty(&["catalogue", "ls", &catalogue]);

    assert_ne!(outcome.status, 0, "{outcome:#?}");
    for word in [
        "`Films` of films.example cannot run here: it needs `camera`",
        "say `\"camera\": \"optional\"` in the `constraints` of its descriptor",
        "422",
    ] {
        assert!(outcome.stderr.contains(word), "`{word}`: {outcome:#?}");
    }
    assert!(listed.stdout.contains("needs `camera`"), "{listed:#?}");
}

#[test]
fn what_is_for_a_window_or_can_do_without_starts_and_is_refused_when_it_looks() {
    for constraints in [
        json!({ "browser": true, "windowSandbox": true, "mic": true, "camera": true }),
        json!({ "browser": true, "camera": "optional", "mic": "optional", "windowSandbox": true }),
    ] {
        let runtime = asking(&constraints);

        let _ = runtime.hyperty(&DEPLOY).succeeded();
        let page = runtime.hyperty(&["inspect", "Films"]).succeeded().stdout;
        let json = runtime.hyperty(&["inspect", "Films", "--json"]).succeeded();
        let answer = runtime.hyperty(&["call", "Films", "--type", "read"]);

        assert!(
            page.contains("browser, camera (not here: refused when it is used), mic"),
            "{page}"
        );
        let expected = json!({
            "browser": "here", "camera": "refused-in-use",
            "mic": "refused-in-use", "windowSandbox": "here",
        });
        assert_eq!(json.json()["component"]["constraints"], expected);
        let refusal = "NotSupportedError: this runtime has no camera and no microphone";
        assert!(answer.stdout.contains(refusal), "{answer:#?}");
    }
}

#[test]
fn doctor_tells_what_components_may_ask_for() {
    let home = TempDir::new();

    let outcome = hyperty(&["doctor", "--json"], [("HOME", home.path())]);

    let checks = outcome.json()["checks"].clone();
    let detail = |id: &str| {
        let mut checks = checks.as_array().unwrap().iter();
        checks.find(|check| check["id"] == id).unwrap()["detail"].clone()
    };
    let has = |id: &str, name: &str| detail(id).as_str().unwrap().contains(name);
    assert!(has("capability.here", "windowSandbox"), "{checks:#}");
    assert!(has("capability.granted", "wss"), "{checks:#}");
    assert!(has("capability.absent", "camera"), "{checks:#}");
}

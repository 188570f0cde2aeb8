//! What was not granted, or is not who it should be, is not reached, and the reason is told.

use serde_json::json;

use crate::far_end::{Authority, Valid, secure, web};
use crate::far_hosts::Echo;
use crate::site::{serving, site};
use crate::stage::{Kind, Stage, for_both};

for_both!(
    without_a_grant_nothing_is_dialled_and_why_explains_it,
    a_redirect_leads_nowhere_that_was_not_granted,
    a_certificate_that_is_not_right_is_refused_by_what_is_wrong,
);

fn without_a_grant_nothing_is_dialled_and_why_explains_it(kind: Kind) {
    let echo = Echo::start();
    let port = echo.port();
    let stage = Stage::new(kind, &json!([]), &Authority::named("ours"));

    for asked in [
        json!({ "get": format!("http://site.test:{port}/") }),
        json!({ "get": format!("https://127.0.0.1:{port}/") }),
        json!({ "open": format!("ws://site.test:{port}/") }),
    ] {
        let why = stage.fails(&asked);
        assert!(
            why.contains("hyperty grants add a.example/Visitor"),
            "{why}"
        );
        let (_, rest) = why.split_once("`hyperty why ").expect("a decision");
        let (decision, _) = rest.split_once('`').expect("a decision");
        let told = stage
            .runtime
            .hyperty(&["why", decision])
            .failed_with(1)
            .stdout;
        assert!(
            told.contains("not permitted") && told.contains("grant none"),
            "{told}"
        );
    }

    assert_eq!(echo.callers(), 0);
    assert_eq!(
        stage.names.asked("site.test"),
        0,
        "a refused name is not looked up"
    );
}

fn a_redirect_leads_nowhere_that_was_not_granted(kind: Kind) {
    let ours = Authority::named("ours");
    let echo = Echo::start();
    let port = echo.port();
    let redirects = [
        ("/host", format!("http://other.test:{port}/")),
        ("/port", format!("http://site.test:{port}/")),
        ("/inside", format!("http://127.0.0.1:{port}/")),
        (
            "/metadata",
            "http://169.254.169.254/latest/meta-data/".to_owned(),
        ),
        ("/mapped", format!("http://[::ffff:127.0.0.1]:{port}/")),
        ("/file", "file:///etc/passwd".to_owned()),
        ("/plain", format!("http://site.test:{port}/")),
        ("/circle", "/circle".to_owned()),
    ];
    let config = ours.server("site.test", Valid::Now, &[]);
    let [plain, secured] = serving(move || async move {
        [
            web(site(&redirects)).await,
            secure(site(&redirects), config).await,
        ]
    });
    // Everything public that there is, and just these two ports of the site.
    let stage = Stage::new(kind, &json!([{ "host": "*", "port": 0 }]), &ours);
    stage.grants("site.test", plain);
    stage.grants("site.test", secured);

    for (path, expected) in [
        ("/host", "`other.test` is 127.0.0.1"),
        ("/port", "`site.test` is 127.0.0.1"),
        ("/inside", "127.0.0.1 is loopback"),
        ("/metadata", "169.254.169.254 is"),
        (
            "/mapped",
            "::ffff:127.0.0.1 is IPv4-mapped, which is never dialled",
        ),
        ("/file", "which is not followed"),
        ("/circle", "which is not followed"),
    ] {
        let why = stage.fails(&json!({ "get": format!("http://site.test:{plain}{path}") }));
        assert!(why.contains(expected), "{path}: {why}");
    }
    stage.grants("site.test", port);
    let why = stage.fails(&json!({ "get": format!("https://site.test:{secured}/plain") }));
    assert!(why.contains("which is not followed"), "{why}");

    assert_eq!(echo.callers(), 0);
}

fn a_certificate_that_is_not_right_is_refused_by_what_is_wrong(kind: Kind) {
    let (ours, theirs) = (Authority::named("ours"), Authority::named("theirs"));
    let wrong = [
        (ours.server("site.test", Valid::Before, &[]), "has expired"),
        (
            ours.server("site.test", Valid::Later, &[]),
            "is not valid yet",
        ),
        (
            ours.server("other.test", Valid::Now, &[]),
            "is for `other.test`, not for this name",
        ),
        (
            theirs.server("site.test", Valid::Now, &[]),
            "nobody that is trusted here",
        ),
    ];
    let stage = Stage::new(kind, &json!([]), &ours);
    stage.grants("site.test", 0);

    for (config, expected) in wrong {
        let port = serving(|| secure(site(&[]), config));
        let why = stage.fails(&json!({ "get": format!("https://site.test:{port}/version") }));
        assert!(why.contains(expected), "{why}");
        let why = stage.fails(&json!({ "open": format!("wss://site.test:{port}/ws") }));
        assert!(why.contains(expected), "{why}");
    }
}

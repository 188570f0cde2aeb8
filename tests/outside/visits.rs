//! What was granted is reached.

use hyperty_tests::harness::{Catalogue, eventually};
use serde_json::json;

use crate::far_end::{Authority, Valid, secure, web};
use crate::site::{serving, site};
use crate::stage::{Kind, Stage, for_both};

for_both!(
    a_granted_site_answers_over_every_version_of_http,
    a_body_without_end_is_read_piece_by_piece_given_up_and_never_taken_whole,
    a_descriptor_reaches_as_far_as_the_rules_let_it,
    revoking_a_grant_ends_an_open_websocket_with_the_reason,
);

fn a_granted_site_answers_over_every_version_of_http(kind: Kind) {
    let ours = Authority::named("ours");
    let [one, two] =
        [&["http/1.1"], &["h2"]].map(|said| ours.server("site.test", Valid::Now, said));
    let [plain, one, two] = serving(|| async {
        let web = web(site(&[])).await;
        [
            web,
            secure(site(&[]), one).await,
            secure(site(&[]), two).await,
        ]
    });
    let stage = Stage::new(kind, &json!([]), &ours);
    stage.grants("site.test", 0);

    let [plain, one, two] = [
        format!("http://site.test:{plain}/version"),
        format!("https://site.test:{one}/version"),
        format!("https://site.test:{two}/version"),
    ];
    assert_eq!(stage.asks(&json!({ "get": plain })), "200 HTTP/1.1");
    assert_eq!(stage.asks(&json!({ "get": one })), "200 HTTP/1.1");
    assert_eq!(stage.asks(&json!({ "get": two })), "200 HTTP/2.0");
    assert_eq!(stage.asks(&json!({ "get": two })), "200 HTTP/2.0");
}

#[test]
fn scripts_have_the_older_interface_and_may_give_up_before_there_is_an_answer() {
    let ours = Authority::named("ours");
    let config = ours.server("site.test", Valid::Now, &["h2"]);
    let port = serving(|| secure(site(&[]), config));
    let stage = Stage::new(Kind::Script, &json!([]), &ours);
    let at = |path: &str| format!("https://site.test:{port}{path}");

    assert_eq!(
        stage.asks(&json!({ "older": at("/version") }))["failed"],
        "error"
    );
    stage.grants("site.test", port);
    assert_eq!(
        stage.asks(&json!({ "older": at("/version") })),
        "200 HTTP/2.0"
    );
    let why = stage.fails(&json!({ "abort": at("/silent") }));

    assert!(why.starts_with("AbortError"), "{why}");
    assert_eq!(
        stage.asks(&json!({ "older": at("/version") })),
        "200 HTTP/2.0"
    );
}

fn a_body_without_end_is_read_piece_by_piece_given_up_and_never_taken_whole(kind: Kind) {
    let ours = Authority::named("ours");
    let port = serving(|| web(site(&[])));
    let stage = Stage::new(kind, &json!([]), &ours);
    stage.grants("site.test", port);
    let endless = format!("http://site.test:{port}/endless");

    let read = stage.asks(&json!({ "read": endless, "bytes": 3_000_000 }));
    let why = stage.fails(&json!({ "get": endless }));

    assert_eq!(read, "enough");
    assert!(why.contains("more than 16777216 bytes"), "{why}");
    // Neither is left open: there is no way to its end.
    eventually("nothing is open", || stage.open_sockets() == 0);
}

fn a_descriptor_reaches_as_far_as_the_rules_let_it(kind: Kind) {
    let ours = Authority::named("ours");
    let port = serving(|| web(site(&[])));
    let rule = "@id(\"test-own-network\")\n@why(\"this site is in the operator's own network\")\n\
                permit (principal, action == Action::\"connect\", resource is Host)\n\
                when { context.grant == \"descriptor\" && resource.host == \"site.test\" };\n";
    let asked = json!([
        { "host": "site.test", "port": port, "private": true },
        { "host": "other.test", "port": port, "private": true },
    ]);
    let rules = Catalogue::new().rules("90-test.cedar", rule);
    let stage = Stage::with(rules, kind, &asked, &ours);
    let at = |host: &str| json!({ "get": format!("http://{host}:{port}/version") });

    assert_eq!(stage.asks(&at("site.test")), "200 HTTP/1.1");
    // Asked for as well, and private: no rule permits that. Not asked for: a rule is not enough.
    let why = stage.fails(&at("other.test"));
    assert!(why.contains("private"), "{why}");
    let why = stage.fails(&at("127.0.0.1"));
    assert!(why.contains("its descriptor does not ask for it"), "{why}");
}

fn revoking_a_grant_ends_an_open_websocket_with_the_reason(kind: Kind) {
    let ours = Authority::named("ours");
    let config = ours.server("site.test", Valid::Now, &["http/1.1"]);
    let port = serving(|| secure(site(&[]), config));
    let stage = Stage::new(kind, &json!([]), &ours);
    stage.grants("site.test", port);
    let open = json!({ "open": format!("wss://site.test:{port}/ws") });
    assert_eq!(stage.asks(&open), "open");
    let said = stage.asks(&json!({ "say": "hello" })).to_string();
    assert!(said.contains("hello"), "{said}");

    let revoked = stage.revokes();

    assert!(revoked.contains("1 socket was shut"), "{revoked}");
    let why = stage.fails(&json!({ "ended": true }));
    assert!(why.contains("the grant was taken back"), "{why}");
    let why = stage.fails(&open);
    assert!(
        why.contains("the operator has taken this grant away"),
        "{why}"
    );
    assert_eq!(stage.open_sockets(), 0);
}

//! Catalogues elsewhere that are broken or mean: each is refused by name, nothing of it is
//! kept, and the runtime goes on.

use std::convert::Infallible;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use futures_util::{Stream, StreamExt, stream};
use hyperty_tests::harness::{Answer, Catalogue, Operator, Runtime, TempDir, some_time};
use protocol::frame::Role;
use serde_json::{Value, json};

use crate::far_end::{Authority, Valid, secure};
use crate::far_hosts::{Echo, NameServer};
use crate::site::serving;

/// A runtime without a catalogue of its own, which trusts `ours`.
struct Shopper {
    runtime: Runtime,
    names: NameServer,
    _roots: TempDir,
}

impl Shopper {
    fn new(ours: &Authority) -> Self {
        let here = &[std::net::Ipv4Addr::LOCALHOST];
        let names = NameServer::start(&[("site.test", here), ("other.test", here)]);
        let roots = TempDir::new();
        let file = roots.join("roots.pem");
        std::fs::write(&file, &ours.pem).unwrap();
        let runtime = Runtime::with(Catalogue::new())
            .arguments(&["--resolver", &names.argument()])
            .arguments(&["--tls-roots", file.to_str().unwrap(), "--unsigned"])
            .start();
        Self {
            runtime,
            names,
            _roots: roots,
        }
    }

    /// What the operator hears who has this fetched from `site.test`.
    fn fetches(&self, port: u16, name: &str) -> Answer {
        let item = json!({
            "base": format!("https://site.test:{port}"),
            "provider": "shop.example", "kind": "hyperty", "name": name,
        });
        let fetch = json!({ "method": "fetch", "item": item });
        // A quick machine asks for more dials in a second than a component may have.
        some_time("the dials are not too many", || {
            let operator = self.runtime.operator();
            let answer = operator.ask_room("execute", "catalogue", &fetch);
            (!answer.reason().contains("slow down")).then_some(answer)
        })
    }

    fn deploy(port: u16, name: &str) -> Value {
        json!({
            "catalogue": format!("https://site.test:{port}"),
            "provider": "shop.example", "component": format!("hyperty/{name}"),
        })
    }

    fn kept(&self) -> Value {
        self.runtime.operator().read_room("catalogue")["fetched"].clone()
    }
}

/// What each name gets for its descriptor; everything else is not there.
fn answer(file: &str, echo: u16) -> Response {
    let descriptor = |more: Value| {
        let mut all = json!({ "name": "X", "language": "javascript", "configuration": {} });
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        axum::Json(all).into_response()
    };
    let typed =
        |kind: &str, text: &str| ([(header::CONTENT_TYPE, kind)], text.to_owned()).into_response();
    // The older interface asks for a bare name.
    let (name, rest) = file.split_once('.').unwrap_or((file, ""));
    let form = rest.rsplit('.').next().unwrap_or_default();
    if form == "pkg" {
        return StatusCode::NOT_FOUND.into_response();
    }
    match (name, form == "js") {
        ("Good" | "Digest", true) => typed("text/javascript", "module.exports = () => {};"),
        ("EndlessCode", true) => endless(),
        (_, true) => StatusCode::NOT_FOUND.into_response(),
        ("Good" | "EndlessCode", _) => descriptor(json!({})),
        ("Page", _) => typed("text/html; charset=utf-8", "<html>not here</html>"),
        ("HiddenPage", _) => typed("application/json", "\n <!doctype html><p>not here"),
        ("Digest", _) => descriptor(json!({ "digest": format!("sha256:{}", "0".repeat(64)) })),
        ("Endless", _) => endless(),
        ("Slow", _) => silent(),
        ("Gibibyte", _) => ([(header::CONTENT_LENGTH, "1073741824")], silent()).into_response(),
        ("Failing", _) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            axum::Json(json!({ "value": { "name": "X" } })),
        )
            .into_response(),
        ("Unasked", _) => StatusCode::NOT_MODIFIED.into_response(),
        ("Zipped", _) => ([(header::CONTENT_ENCODING, "gzip")], vec![0x1f, 0x8b]).into_response(),
        ("Brotli", _) => ([(header::CONTENT_ENCODING, "br")], vec![0x8b]).into_response(),
        ("Nonsense", _) => {
            axum::Json(json!({ "name": 7, "language": ["javascript"] })).into_response()
        }
        ("List", _) => axum::Json(json!([1, 2, 3])).into_response(),
        ("NoJson", _) => typed("application/json", "{\"name\": \"X\""),
        ("Elsewhere", _) => descriptor(
            json!({ "sourcePackageURL": "https://other.test/.well-known/sourcepackage/X" }),
        ),
        ("Downgrade", _) => {
            Redirect::temporary(&format!("http://site.test:{echo}/x")).into_response()
        }
        ("Inside", _) => {
            Redirect::temporary(&format!("https://127.0.0.1:{echo}/x")).into_response()
        }
        ("Metadata", _) => {
            Redirect::temporary("https://169.254.169.254/latest/meta-data/").into_response()
        }
        ("OtherOrigin", _) => {
            Redirect::temporary(&format!("https://other.test:{echo}/x")).into_response()
        }
        ("Circle", _) => {
            Redirect::temporary(&format!("/.well-known/hyperty/{file}")).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Sends for ever.
fn endless() -> Response {
    begun(stream::repeat(Bytes::from_static(&[b' '; 4096])))
}

/// Says no more after its first byte.
fn silent() -> Response {
    begun(stream::pending())
}

// One byte at once, so that the head is sent.
fn begun(rest: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    let all = stream::once(async { Bytes::from_static(b"{") }).chain(rest);
    Body::from_stream(all.map(Ok::<_, Infallible>)).into_response()
}

fn shop(echo: u16) -> Router {
    let file = move |Path(file): Path<String>| async move { answer(&file, echo) };
    Router::new().route("/.well-known/hyperty/{file}", get(file))
}

#[test]
fn a_bad_catalogue_is_refused_by_what_is_wrong_and_nothing_of_it_is_kept() {
    let ours = Authority::named("ours");
    let echo = Echo::start();
    let (config, away) = (ours.server("site.test", Valid::Now, &[]), echo.port());
    let port = serving(move || secure(shop(away), config));
    let shopper = Shopper::new(&ours);

    for (name, code, expected) in [
        ("Page", 415, "a web page instead of"),
        ("HiddenPage", 415, "a web page instead of"),
        ("Digest", 422, "its descriptor says sha256:0000"),
        ("Endless", 413, "more than the 2097152 bytes"),
        ("EndlessCode", 413, "more than the 1048576 bytes"),
        ("Slow", 408, "did not go on with its answer within 10 s"),
        ("Gibibyte", 413, "more than the 2097152 bytes"),
        ("Failing", 500, "answered 500"),
        ("Unasked", 500, "answered 304"),
        ("Zipped", 500, "not the gzip that it says it is"),
        ("Brotli", 500, "which nobody asked for"),
        ("Nonsense", 400, "Nonsense.hy.json"),
        ("List", 400, "List.hy.json"),
        ("NoJson", 400, "NoJson.hy.json"),
        ("Elsewhere", 400, "from the provider's own host only"),
        ("Absent", 404, "site.test"),
        ("Downgrade", 500, "which is not followed"),
        ("Inside", 403, "its descriptor does not ask for it"),
        ("Metadata", 403, "169.254.169.254"),
        ("OtherOrigin", 403, "its descriptor does not ask for it"),
        ("Circle", 500, "one too many"),
    ] {
        let answer = shopper.fetches(port, name);
        assert_eq!(answer.code, code, "{name}: {answer:?}");
        assert!(answer.reason().contains(expected), "{name}: {answer:?}");
    }

    assert_eq!(shopper.kept(), Value::Null);
    assert_eq!(echo.callers(), 0);
    let good = shopper.fetches(port, "Good");
    assert_eq!(good.code, 200, "{good:?}");
}

#[test]
fn a_catalogue_that_is_not_who_it_should_be_is_not_read() {
    let (ours, theirs) = (Authority::named("ours"), Authority::named("theirs"));
    let wrong = [
        (ours.server("site.test", Valid::Before, &[]), "has expired"),
        (
            ours.server("other.test", Valid::Now, &[]),
            "is for `other.test`",
        ),
        (
            theirs.server("site.test", Valid::Now, &[]),
            "nobody that is trusted here",
        ),
    ];
    let shopper = Shopper::new(&ours);

    for (config, expected) in wrong {
        let port = serving(|| secure(shop(1), config));
        let answer = shopper.fetches(port, "Good");
        assert_eq!(answer.code, 500, "{answer:?}");
        assert!(answer.reason().contains(expected), "{answer:?}");
    }
    assert_eq!(shopper.kept(), Value::Null);
}

#[test]
fn only_the_operator_s_word_makes_a_catalogue_of_this_machine_a_catalogue() {
    let ours = Authority::named("ours");
    let config = ours.server("site.test", Valid::Now, &[]);
    let port = serving(|| secure(shop(1), config));
    let shopper = Shopper::new(&ours);
    let role = Role::Application {
        provider: "app.example",
        name: "app",
        token: "",
    };
    let application = Operator::connect_as(shopper.runtime.endpoint(), role).unwrap();

    let wanted = Shopper::deploy(port, "Good");
    let by_application = application.ask_room("create", "ua", &wanted);
    let grants = shopper.runtime.hyperty(&["grants"]).stdout;
    let fetched = shopper.fetches(port, "Good");
    let granted = shopper.runtime.hyperty(&["grants"]).stdout;
    let revoke = ["grants", "revoke", "shipped.hyperty/catalogue", "site.test"];
    let _ = shopper.runtime.hyperty(&revoke).succeeded();
    let after = shopper.fetches(port, "Good");

    assert_eq!(by_application.code, 403, "{by_application:?}");
    assert!(!grants.contains("site.test"), "{grants}");
    assert_eq!(fetched.code, 200, "{fetched:?}");
    assert!(
        granted.contains("site.test") && granted.contains("operator"),
        "{granted}"
    );
    assert_eq!(after.code, 403, "{after:?}");
    assert_eq!(shopper.names.asked("other.test"), 0);
}

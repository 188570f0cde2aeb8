//! `fetch` and `XMLHttpRequest` of scripts.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{any, get, post};
use futures_util::stream;

use super::core::{Core, serving};
use super::far_end::{Authority, Valid, secure, web};

fn site() -> Router {
    let told = |headers: HeaderMap, body: String| async move {
        let one = |name| {
            headers
                .get(name)
                .and_then(|v| v.to_str().ok())
                .unwrap_or("none")
                .to_owned()
        };
        let answer = format!(
            r#"{{"body":{body:?},"type":"{}","mine":"{}","cookie":"{}"}}"#,
            one("content-type"),
            one("x-mine"),
            one("cookie")
        );
        (
            [
                ("content-type", "application/json"),
                ("set-cookie", "a=b"),
                ("x-theirs", "1"),
            ],
            answer,
        )
    };
    let endless = || async {
        let pieces = stream::repeat_with(|| {
            Ok::<_, std::convert::Infallible>(Bytes::from_static(&[7; 1024]))
        });
        Body::from_stream(pieces)
    };
    let slow = || std::future::pending::<()>();
    Router::new()
        .route("/json", post(told))
        .route(
            "/missing",
            get(|| async { (StatusCode::NOT_FOUND, "nothing") }),
        )
        .route("/endless", get(endless))
        .route("/slow", get(slow))
        .route("/here", any(|| async { Redirect::temporary("/json") }))
        .route(
            "/away",
            any(|| async { Redirect::temporary("http://elsewhere.example/x") }),
        )
        .route(
            "/binary",
            get(|| async {
                ([(header::CONTENT_TYPE, "image/x")], vec![0_u8, 200, 255]).into_response()
            }),
        )
}

/// A component that says what each expression comes to, in order.
fn asking(base: &str, expressions: &[&str]) -> String {
    let all: Vec<String> = expressions
        .iter()
        .map(|one| format!("async () => ({one})"))
        .collect();
    format!(
        "const base = '{base}';
         const xhr = (how) => new Promise((done) => {{ const x = new XMLHttpRequest(); const seen = [];
           for (const type of ['load', 'error', 'timeout', 'abort']) x['on' + type] = () => seen.push(type);
           x.onreadystatechange = () => {{ if (seen.at(-1) !== x.readyState) seen.push(x.readyState) }};
           x.onloadend = () => done([x, seen.join()]); how(x) }});
         for (const ask of [{}]) {{
           try {{ console.log(JSON.stringify(await ask())) }} catch (e) {{ console.log(`${{e.name}}: ${{e.message}}`) }} }}",
        all.join(", ")
    )
}

#[test]
fn a_request_and_its_answer_over_http_2() {
    let authority = Authority::named("ours");
    let config = authority.server("localhost", Valid::Now, &["h2"]);
    let port = serving(move || secure(site(), config));
    let mut core = Core::trusting(&authority.pem);

    core.load(&asking(
        &format!("https://localhost:{port}"),
        &[
            "await (await fetch(base + '/json', {method: 'POST', body: 'hé', headers: {'X-Mine': 'yes', Cookie: 'no'}})).json()",
            "await fetch(base + '/here', {method: 'POST', body: 'x'}).then((r) => [r.ok, r.redirected, r.url.slice(-5), r.headers.get('x-theirs'), r.headers.get('set-cookie')])",
            "await fetch(base + '/missing').then(async (r) => [r.ok, r.status, r.statusText, await r.text()])",
            "await fetch(base + '/binary').then(async (r) => [...new Uint8Array(await r.arrayBuffer())])",
            "await fetch(base + '/binary').then(async (r) => { const b = await r.blob(); return [b.size, b.type] })",
            "await fetch(base + '/binary').then(async (r) => { const c = r.clone(); return [(await r.bytes()).length, (await c.bytes()).length] })",
        ],
    ));

    assert_eq!(
        core.line(),
        r#"{"body":"hé","type":"text/plain;charset=UTF-8","mine":"yes","cookie":"none"}"#
    );
    assert_eq!(core.line(), r#"[true,true,"/json","1",null]"#);
    assert_eq!(core.line(), r#"[false,404,"Not Found","nothing"]"#);
    assert_eq!(core.line(), "[0,200,255]");
    assert_eq!(core.line(), r#"[3,"image/x"]"#);
    assert_eq!(core.line(), "[3,3]");
    // One connection served them all.
    assert_eq!(core.dialled.len(), 1);
}

#[test]
fn a_body_is_read_piece_by_piece_and_given_up() {
    let port = serving(move || web(site()));
    let mut core = Core::new();

    core.load(&asking(
        &format!("http://localhost:{port}"),
        &[
            "await (async () => { const r = (await fetch(base + '/endless')).body.getReader(); let n = 0;
               while (n < 3000000) n += (await r.read()).value.length; await r.cancel(); return [n >= 3000000, (await r.read()).done] })()",
            "await (async () => { let n = 0; for await (const piece of (await fetch(base + '/endless')).body) { n += piece.length; if (n > 100000) break } return n > 100000 })()",
            "await (await fetch(base + '/endless')).text()",
            "await (async () => { const a = new AbortController(); const r = await fetch(base + '/endless', {signal: a.signal}); a.abort(); return r.text() })()",
            "await (async () => { const a = new AbortController(); setTimeout(() => a.abort()); return fetch(base + '/slow', {signal: a.signal}) })()",
            "await fetch(base + '/slow', {signal: AbortSignal.timeout(20)})",
        ],
    ));

    assert_eq!(core.line(), "[true,true]");
    assert_eq!(core.line(), "true");
    let line = core.line();
    assert!(
        line.starts_with("TypeError: the body has more than 16777216 bytes"),
        "{line}"
    );
    for expected in ["AbortError", "AbortError", "TimeoutError"] {
        let line = core.line();
        assert!(line.starts_with(expected), "{line}");
    }
    // One may have been given up before it was even asked for.
    assert!(core.until_all_hung() >= 5);
}

#[test]
fn answers_that_nobody_reads_do_not_gather() {
    let port = serving(move || web(site()));
    let mut core = Core::new();

    core.load(&asking(
        &format!("http://localhost:{port}"),
        &["await (async () => { let n = 0; for (; n < 100; n++) await fetch(base + '/endless'); return n })()"],
    ));

    assert_eq!(core.line(), "100");
}

#[test]
fn a_redirect_is_decided_where_it_leads() {
    let port = serving(move || web(site()));
    let mut core = Core::new();

    core.load(&asking(
        &format!("http://localhost:{port}"),
        &[
            "(await fetch(base + '/away', {redirect: 'manual'})).status",
            "await fetch(base + '/here', {redirect: 'error'})",
            "await fetch(base + '/away')",
        ],
    ));

    assert_eq!(core.line(), "307");
    let warning = core.line();
    assert!(warning.contains("it is redirected"), "{warning}");
    assert!(core.line().starts_with("TypeError: fetch to"));
    let line = core.line();
    assert!(
        line.contains("cannot reach `elsewhere.example:80`: it has no network grant"),
        "{line}"
    );
    assert_eq!(core.dialled.last().unwrap(), "elsewhere.example:80");
}

#[test]
fn the_older_interface_does_the_same() {
    let port = serving(move || web(site()));
    let mut core = Core::new();

    core.load(&asking(
        &format!("http://localhost:{port}"),
        &[
            "await xhr((x) => { x.open('POST', base + '/json'); x.responseType = 'json'; x.send('b') }).then(([x, seen]) => [x.status, x.response.body, seen])",
            "await xhr((x) => { x.open('GET', base + '/missing'); x.send() }).then(([x, seen]) => [x.status, x.responseText, x.getResponseHeader('content-type'), x.getAllResponseHeaders().includes('date: ')])",
            "await xhr((x) => { x.open('GET', base + '/binary'); x.responseType = 'arraybuffer'; x.send() }).then(([x]) => [...new Uint8Array(x.response)])",
            "await xhr((x) => { x.open('GET', base + '/slow'); x.timeout = 20; x.send() }).then(([x, seen]) => [x.status, seen])",
            "await xhr((x) => { x.open('GET', base + '/slow'); x.send(); setTimeout(() => x.abort()) }).then(([x, seen]) => [x.status, seen])",
            "await xhr((x) => { x.open('GET', 'http://elsewhere.example/'); x.send() }).then(([x, seen]) => [x.status, seen])",
        ],
    ));

    assert_eq!(core.line(), r#"[200,"b","1,2,3,4,load"]"#);
    assert_eq!(
        core.line(),
        r#"[404,"nothing","text/plain; charset=utf-8",true]"#
    );
    assert_eq!(core.line(), "[0,200,255]");
    assert_eq!(core.line(), r#"[0,"1,4,timeout"]"#);
    assert_eq!(core.line(), r#"[0,"1,4,abort"]"#);
    assert!(
        core.line()
            .starts_with("XMLHttpRequest to `http://elsewhere.example/` was refused")
    );
    assert_eq!(core.line(), r#"[0,"1,4,error"]"#);
}

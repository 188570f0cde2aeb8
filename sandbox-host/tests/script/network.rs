//! The interfaces to the network: present, and refusing as browsers do when a
//! host cannot be reached, with a reason that says what to do.

use protocol::frame::LogLevel;
use serde_json::json;

use super::world::{ME, Said, World, component, logged};

const REFUSED: &str = "was refused: cannot reach `there.example:443`: it has no network grant \
                       (`hyperty why d-1` explains it)";

#[test]
fn fetch_rejects_with_who_what_why_and_what_to_do() {
    let world = World::new();

    let outcome = world.outcome("await fetch('https://there.example/a?token=secret')");

    let (name, message) = (outcome[0].as_str(), outcome[1].as_str().unwrap());
    assert_eq!(name, Some("TypeError"));
    assert!(
        message.contains("fetch to `https://there.example/a` was refused"),
        "{message}"
    );
    assert!(message.contains(REFUSED), "{message}");
    assert!(!message.contains("secret"), "{message}");
}

#[test]
fn fetch_answers_what_needs_no_network() {
    let world = World::new();

    assert_eq!(
        world.outcome(
            "await (async () => { const r = await fetch('data:application/json;base64,eyJhIjoxfQ=='); \
             return [r.ok, r.headers.get('content-type'), (await r.json()).a] })()"
        ),
        json!([true, "application/json", 1])
    );
    assert_eq!(
        world.outcome("await (await fetch('data:,a%20%C3%A9')).text()"),
        json!("a é")
    );
    assert_eq!(
        world.outcome(
            "await (async () => { const url = URL.createObjectURL(new Blob(['x'], {type: 'text/plain'})); \
             const text = await (await fetch(url)).text(); URL.revokeObjectURL(url); \
             return [text, await fetch(url).then(() => 'kept', (e) => e.name)] })()"
        ),
        json!(["x", "TypeError"])
    );
    assert_eq!(
        world.outcome("await fetch('https://there.example', {signal: AbortSignal.abort()})")[0],
        json!("AbortError")
    );
    assert_eq!(
        world.outcome("await fetch('http://')")[0],
        json!("TypeError")
    );
}

#[test]
fn a_request_fails_through_its_events_and_never_throws() {
    let world = World::running(
        "const x = new XMLHttpRequest(); const seen = [];
         for (const type of ['readystatechange', 'loadstart', 'error', 'load', 'loadend'])
           x.addEventListener(type, () => seen.push(`${type} ${x.readyState}`));
         x.onerror = () => seen.push(`handler ${x.status} '${x.responseText}'`);
         x.open('POST', 'https://there.example/'); x.setRequestHeader('a', 'b'); x.send('body');
         seen.push('sent'); setTimeout(() => console.log(seen.join()), 100)",
    );

    let said = logged(&world.pass(200));

    assert_eq!(
        said,
        ["readystatechange 1,loadstart 1,sent,readystatechange 4,error 4,handler 0 '',loadend 4"]
    );
}

#[test]
fn a_request_that_may_not_be_made_now_throws_as_in_browsers() {
    let world = World::new();

    assert_eq!(
        world.outcome("new XMLHttpRequest().send()")[0],
        json!("InvalidStateError")
    );
    assert_eq!(
        world.outcome("((x) => { x.open('GET', 'https://there.example', false); x.send() })(new XMLHttpRequest())")[0],
        json!("NetworkError")
    );
    assert_eq!(
        world.outcome("((x) => { x.open('GET', '/a'); x.send(); x.abort(); return [x.readyState, x.status] })(new XMLHttpRequest())"),
        json!([0, 0])
    );
}

#[test]
fn a_socket_closes_with_1006_and_the_reason() {
    let world = World::running(
        "const s = new WebSocket('wss://there.example/mn', 'a'); const seen = [s.readyState, s.url];
         s.onopen = () => seen.push('open'); s.onerror = () => seen.push('error');
         s.onclose = (e) => { seen.push(e.code, e.wasClean, s.readyState); console.log(JSON.stringify(seen), e.reason) };
         try { s.send('x') } catch (e) { seen.push(e.name) }",
    );

    let said = logged(&world.pass(100));

    let line = said.first().unwrap();
    assert!(
        line.starts_with(
            r#"[0,"wss://there.example/mn","InvalidStateError","error",1006,false,3]"#
        ),
        "{line}"
    );
    assert!(line.contains("has no network grant"), "{line}");
}

#[test]
fn what_is_no_address_of_a_socket_throws_at_once() {
    let world = World::new();

    for address in ["'http://'", "'ftp://a.example'", "'ws://a.example/#f'"] {
        let outcome = world.outcome(&format!("new WebSocket({address})"));
        assert_eq!(outcome[0], json!("SyntaxError"), "{address}");
    }
    assert_eq!(
        world.value("[WebSocket.OPEN, new WebSocket('ws://a.example').CLOSED, EventSource.CLOSED]"),
        json!([1, 3, 2])
    );
    assert_eq!(
        world.outcome("await new Promise((done) => { const e = new EventSource('/s'); e.onerror = () => done([e.readyState, e.url]) })"),
        json!([2, "https://here.example/s"])
    );
}

#[test]
fn a_component_is_warned_once_for_each_host_and_then_once_a_minute() {
    let world = World::new();
    let said = world.start(
        ME,
        "setInterval(() => fetch('https://there.example/').catch(() => {}), 1000);
         fetch('https://there.example/').catch(() => {}); fetch('https://else.example/').catch(() => {})",
    );
    let warnings = |said: &[Said]| {
        said.iter()
            .filter(|said| matches!(said, Said::Log(who, LogLevel::Warn, _, _) if who == ME))
            .count()
    };

    assert_eq!(warnings(&said), 2);
    assert_eq!(warnings(&world.pass(59_000)), 0);
    let later = world.pass(2_000);
    assert_eq!(warnings(&later), 1);
    assert!(
        logged(&later)[0].contains("(and 59 more since the last line)"),
        "{later:?}"
    );
}

#[test]
fn what_waits_for_the_network_ends_with_its_component() {
    let world = World::new();
    world.load(
        ME,
        &component("new WebSocket('ws://a.example').onclose = () => console.log('closed')"),
    );

    world.handle(protocol::frame::CoreFrame::Unload { component: ME });

    assert_eq!(logged(&world.pass(100)), Vec::<String>::new());
}

#[test]
fn a_component_that_reconnects_without_end_is_slowed_down() {
    let world = World::running(
        "let tries = 0; (function again() { tries += 1; new WebSocket('ws://a.example').onclose = again })();
         setInterval(() => console.log(tries), 20_000)",
    );

    let tries = logged(&world.pass(60_000));

    assert_eq!(tries, ["8", "9", "10"]);
}

#[test]
fn a_component_that_fetches_in_a_loop_leaves_its_turn() {
    let world = World::running(
        "let tries = 0; (async () => { for (;;) { tries += 1; await fetch('https://a.example').catch(() => {}) } })();
         setTimeout(() => console.log(tries > 100 && tries < 300), 1000)",
    );

    assert_eq!(logged(&world.pass(1_000)), ["true"]);
}

#[test]
fn headers_requests_and_responses_hold_what_they_are_given() {
    let world = World::new();

    assert_eq!(
        world.value("[...new Headers({B: ' 1 ', a: '2'})].concat([...new Headers([['x', '1'], ['X', '2']])])"),
        json!([["a", "2"], ["b", "1"], ["x", "1, 2"]])
    );
    assert_eq!(
        world.outcome("new Headers({'a b': '1'})")[0],
        json!("TypeError")
    );
    assert_eq!(
        world.outcome(
            "await (async () => { const r = new Request('/p', {method: 'post', body: new URLSearchParams({a: 'b c'})}); \
             const c = r.clone(); return [r.url, r.method, r.headers.get('Content-Type'), await c.text(), await r.text(), r.bodyUsed, \
             await r.text().catch((e) => e.name)] })()"
        ),
        json!([
            "https://here.example/p",
            "POST",
            "application/x-www-form-urlencoded;charset=UTF-8",
            "a=b+c",
            "a=b+c",
            true,
            "TypeError"
        ])
    );
    assert_eq!(
        world.outcome(
            "await (async () => { const r = Response.json({a: 1}, {status: 201}); const e = Response.error(); \
             return [r.ok, r.status, r.headers.get('content-type'), await r.clone().json(), r instanceof Response, e.status, e.ok] })()"
        ),
        json!([true, 201, "application/json", {"a": 1}, true, 0, false])
    );
    assert_eq!(
        world.outcome("new Request('/', {body: 'x'})")[0],
        json!("TypeError")
    );
}

#[test]
fn what_a_component_puts_in_the_place_of_an_interface_stays() {
    let world = World::new();

    assert_eq!(
        world.value("(() => { Event = 5; const before = Event; new WebSocket('ws://a.example'); return [before, Event] })()"),
        json!([5, 5])
    );
}

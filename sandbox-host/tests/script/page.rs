//! The page that is none: `document`, `location`, the window's events.

use protocol::frame::ComponentKind;
use serde_json::json;

use super::world::{World, component, logged, sent};

#[test]
fn a_document_answers_what_libraries_ask_when_they_start() {
    let world = World::new();

    assert_eq!(
        world.value("[document.readyState, document.body.tagName, document.domain, document.URL, document.hidden, document.getElementById('x'), document.getElementsByTagName('head').length]"),
        json!(["complete", "BODY", "here.example", "https://here.example/", false, null, 1])
    );
    assert_eq!(
        world.value("((a) => { a.href = '/x?y=1'; return [a.href, a.protocol, a.host, a.search, typeof document.attachEvent] })(document.createElement('a'))"),
        json!(["https://here.example/x?y=1", "https:", "here.example", "?y=1", "undefined"])
    );
    assert_eq!(
        world.value("(() => { const seen = []; const f = document.createDocumentFragment(); f.addEventListener('x', () => seen.push('x')); f.dispatchEvent(new Event('x')); return seen })()"),
        json!(["x"])
    );
}

#[test]
fn what_an_element_would_fetch_fails_as_from_a_host_that_cannot_be_reached() {
    let world = World::running(
        "const s = document.createElement('script'); s.src = 'https://there.example/x.js?callback=f';
         s.onload = () => console.log('loaded'); s.onerror = () => console.log('failed');
         document.head.insertBefore(s, document.head.firstChild)",
    );

    assert_eq!(logged(&world.pass(100)), ["failed"]);
}

#[test]
fn the_window_hears_events() {
    let world = World::new();

    assert_eq!(
        world.value("(() => { const seen = []; const f = (e) => seen.push(e.type); window.addEventListener('online', f); dispatchEvent(new Event('online')); removeEventListener('online', f); dispatchEvent(new Event('online')); return seen })()"),
        json!(["online"])
    );
}

#[test]
fn an_identity_proxy_is_at_the_origin_where_its_login_returns_to() {
    let world = World::new();
    let place = "bus.postMessage({type: 'event', from: url, to: 'x:/y', body: {value: [location.origin, location.protocol, location.host, location.port, location.href]}})";
    let at = |kind, config: &str| {
        let proxy = "domain-idp://idp.example/stub/1";
        let said = world.load_as(kind, proxy, config, &component(place));
        world.handle(protocol::frame::CoreFrame::Unload { component: proxy });
        sent(&said)[0].body["value"].clone()
    };
    let own = json!([
        "https://idp.example",
        "https:",
        "idp.example",
        "",
        "https://idp.example/"
    ]);

    assert_eq!(at(ComponentKind::IdpProxy, "{}"), own);
    assert_eq!(
        at(
            ComponentKind::IdpProxy,
            r#"{"origin": "http://localhost:8080"}"#
        ),
        json!([
            "http://localhost:8080",
            "http:",
            "localhost:8080",
            "8080",
            "http://localhost:8080/"
        ])
    );
    assert_eq!(
        at(ComponentKind::IdpProxy, r#"{"origin": "javascript:x"}"#),
        own
    );
    assert_eq!(
        at(
            ComponentKind::Hyperty,
            r#"{"origin": "https://else.example"}"#
        ),
        own
    );
}

#[test]
fn a_component_that_navigates_stays_and_is_told() {
    let world = World::new();
    let said = world.start(
        super::world::ME,
        "location.href = 'https://idp.example/login?secret=1'; location.assign('/x'); window.location = '/y'; console.log(location.href)",
    );

    let said = logged(&said);
    assert_eq!(said.len(), 4, "{said:?}");
    assert!(said[0].contains("`https://idp.example/login`"), "{said:?}");
    assert_eq!(said[3], "https://here.example/");
}

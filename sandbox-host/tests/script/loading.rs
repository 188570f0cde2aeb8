//! The ways a component comes and goes: spec messaging §5.5, §5.6, A.6.

use protocol::frame::{ComponentKind, CoreFrame, LoadStage};
use serde_json::json;

use super::world::{ME, Said, World, component, logged, sent};

const CONFIG: &str = r#"{"runtimeURL":"runtime://here.example/rt"}"#;
const TELL: &str = "console.log(typeof url + ' ' + typeof bus.postMessage + ' ' + config.runtimeURL + ' ' + typeof factory.divideURL)";
const TOLD: &str = "string function runtime://here.example/rt function";

fn check(source: &str) {
    let said = World::new().load_as(ComponentKind::ProtoStub, ME, CONFIG, source);

    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(logged(&said), [TOLD]);
    assert_eq!(said[1], Said::Loaded(ME.to_owned()));
}

// messaging A.1 case 1
#[test]
fn a_system_module_is_constructed_and_started() {
    check(&component(TELL));
}

#[test]
fn a_system_module_may_export_by_name_and_have_an_accessor() {
    check(&format!(
        "System.register([], (e) => ({{execute() {{ e('default', class {{ _start(url, bus, config, factory) {{ {TELL} }} }}) }} }}))"
    ));
    check(&format!(
        "'use strict';System.register('named', [], (e) => ({{execute() {{ const n = {{}};
         Object.defineProperty(n, 'default', {{get: () => class {{ _start(url, bus, config, factory) {{ {TELL} }} }} }}); e(n) }} }}))"
    ));
}

#[test]
fn a_umd_bundle_is_activated_in_each_of_its_forms() {
    let activate = format!(
        "function (url, bus, config, factory) {{ {TELL}; return {{ name: 'x', instance: {{}} }}; }}"
    );

    check(&format!("module.exports = {activate};"));
    check(&format!("module.exports = {{ default: {activate} }};"));
    check(&format!(
        "module.exports = {{ activate: {{ default: {activate} }} }};"
    ));
    check(&format!(
        "define('activate', [], function () {{ return {activate}; }});"
    ));
    check(&format!(
        "define(['require', 'exports'], function (r, e) {{ e.default = {activate}; }});"
    ));
    check(&format!("exports.activate = {activate};"));
    check(&format!("window.activate = {activate};"));
    check(&format!("var activate = {activate};"));
    check(&format!(
        "(function (root, factory) {{ if (typeof exports === 'object' && typeof module === 'object') module.exports = factory();
          else if (typeof define === 'function' && define.amd) define('activate', [], factory);
          else root['activate'] = factory(); }})(this, function () {{ return {{ default: {activate} }}; }});"
    ));
}

#[test]
fn a_umd_bundle_whose_value_is_a_class_is_constructed_and_started() {
    check(&format!(
        "module.exports = class {{ _start(url, bus, config, factory) {{ {TELL} }} }};"
    ));
    check(&format!(
        "exports.activate = {{ default: class {{ _start(url, bus, config, factory) {{ {TELL} }} }} }};"
    ));
}

#[test]
fn components_with_the_same_names_at_their_top_do_not_clash() {
    let world = World::new();
    let source = "const helper = 1; let state = 2; class Thing {} function activate() { return {}; } module.exports = activate;";

    let said = ["a", "b"].map(|name| world.load(&format!("hyperty://here.example/{name}"), source));

    assert_eq!(said.concat().len(), 2, "{said:?}");
    assert_eq!(
        world.value("typeof activate + typeof helper + typeof Thing"),
        json!("undefinedundefinedundefined")
    );
}

#[test]
fn only_a_hyperty_is_given_its_name_and_a_getter_is_tolerated() {
    let world = World::new();
    let plain = component("console.log(String(this.name))");
    let getter = plain.replacen(
        "default: class {",
        "default: class { get name() { return 'mine'; }",
        1,
    );
    let load = |kind, address, source: &str| logged(&world.load_as(kind, address, "{}", source));

    assert_eq!(
        load(ComponentKind::Hyperty, "hyperty://here.example/h", &plain),
        ["h"]
    );
    assert_eq!(
        load(ComponentKind::Hyperty, "hyperty://here.example/g", &getter),
        ["mine"]
    );
    assert_eq!(
        load(
            ComponentKind::ProtoStub,
            "runtime://here.example/protostub/s",
            &plain
        ),
        ["undefined"]
    );
    assert_eq!(
        load(
            ComponentKind::IdpProxy,
            "domain-idp://here.example/stub/i",
            &plain
        ),
        ["undefined"]
    );
}

#[test]
fn the_configuration_may_be_text_within_text_and_is_the_components_own() {
    let world = World::new();
    let source = component("config.added = 1; console.log(JSON.stringify(config))");
    let config = json!(r#"{"a":1}"#).to_string();

    let said = world.load_as(ComponentKind::Hyperty, ME, &config, &source);

    assert_eq!(logged(&said), [r#"{"a":1,"added":1}"#]);
}

// messaging A.1 case 7
#[test]
fn an_address_is_loaded_once() {
    let world = World::running("");

    let again = world.start(ME, "console.log('ran')");

    assert_eq!(
        again,
        [Said::Failed(
            LoadStage::Construct,
            format!("Instance {ME} already exist!"),
            String::new()
        )]
    );
}

#[test]
fn a_failed_load_says_where_and_why_and_leaves_the_address_free() {
    let world = World::new();
    let failed = |source: &str| match world.load(ME, source).last() {
        Some(Said::Failed(stage, reason, place)) => (*stage, reason.clone(), place.clone()),
        other => panic!("{source}: {other:?}"),
    };
    let class = |members: &str| {
        format!(
            "System.register([], (e) => ({{ execute() {{\ne({{ default: class {{ {members} }} }}) }} }}))"
        )
    };
    let at = |stage, reason: &str, place: &str| (stage, reason.to_owned(), place.to_owned());

    assert_eq!(failed("\n\nvar = 1").0, LoadStage::Parse);
    assert_eq!(failed("\n\nvar = 1").2, "me.js:3");
    assert_eq!(failed("System.register([], (e) => {\n ( }").2, "me.js:2");
    assert_eq!(
        failed("\nnowhere();"),
        at(
            LoadStage::Construct,
            "ReferenceError: nowhere is not defined",
            "me.js:2"
        )
    );
    assert_eq!(
        failed("System.register([], (e) => ({ execute() {\n nowhere() } }))"),
        at(
            LoadStage::Construct,
            "ReferenceError: nowhere is not defined",
            "me.js:2"
        )
    );
    assert_eq!(
        failed(&class(
            "constructor() {\nthrow new Error('no') }  _start() {}"
        )),
        at(LoadStage::Construct, "Error: no", "me.js:3")
    );
    assert_eq!(
        failed(&class("_start() {\nthrow new Error('late') }")),
        at(LoadStage::Start, "Error: late", "me.js:3")
    );
    assert_eq!(
        failed("module.exports = () => { throw 'text' }"),
        at(LoadStage::Start, "thrown: text", "")
    );
    assert_eq!(
        failed("module.exports = () => { throw {code: 5} }"),
        at(LoadStage::Start, r#"thrown: {"code":5}"#, "")
    );
    assert!(failed("1 + 1").1.contains("exports no component"));
    assert!(failed(&class("start() {}")).1.contains("no `_start`"));
    assert!(
        failed("System.register(['lodash'], (e) => ({}))")
            .1
            .contains("imports `lodash`")
    );

    assert_eq!(world.start(ME, ""), [Said::Loaded(ME.to_owned())]);
}

#[test]
fn a_failed_load_takes_its_listeners_and_timers_with_it() {
    let world = World::new();

    let said = world.start(
        ME,
        "bus.addListener('comm://a.example/1', () => console.log('heard'));
        setInterval(() => console.log('tick'), 10); throw new Error('no')",
    );
    let later = world.pass(1_000);
    let delivered = world
        .deliver(json!({"type": "update", "from": ME, "to": "comm://a.example/1", "body": {}}));

    assert_eq!(
        said[1],
        Said::Unlisten(ME.to_owned(), "comm://a.example/1".to_owned())
    );
    assert_eq!((later, delivered), (vec![], vec![]));
}

#[test]
fn an_unloaded_component_is_gone_and_the_others_stay() {
    let other = "hyperty://here.example/other";
    let world = World::new();
    let body = "bus.addListener('comm://a.example/1', () => console.log('heard ' + url));
        bus.addListener('*', () => console.log('star ' + url));
        bus.postMessage({type: 'read', from: url, to: 'x:/y'}, () => console.log('answer ' + url));
        setTimeout(() => console.log('tick ' + url), 10);";
    world.start(ME, body);
    world.start(other, body);

    let said = world.handle(CoreFrame::Unload { component: ME });
    let heard = logged(&world.deliver(
        json!({"type": "update", "from": "x:/y", "to": "comm://a.example/1", "body": {}}),
    ));
    let ticks = logged(&world.pass(20_000));

    assert_eq!(
        said,
        [
            Said::Unlisten(ME.to_owned(), "comm://a.example/1".to_owned()),
            Said::Unloaded(ME.to_owned())
        ]
    );
    assert_eq!(heard, [format!("heard {other}"), format!("star {other}")]);
    assert_eq!(ticks, [format!("tick {other}"), format!("answer {other}")]);
    assert_eq!(world.start(ME, ""), [Said::Loaded(ME.to_owned())]);
}

#[test]
fn what_a_component_posts_while_it_starts_comes_before_it_is_loaded() {
    let said = World::new().start(ME, "bus.postMessage({type: 'update', from: url, to: url + '/status', body: {value: 'created'}})");

    assert_eq!(sent(&said[..1])[0].body, json!({"value": "created"}));
    assert_eq!(said[1], Said::Loaded(ME.to_owned()));
}

#[test]
fn the_factory_divides_addresses_as_published() {
    let world = World::new();
    let divided = |url: &str| {
        let parts = world.value(&format!("Object.values(factory.divideURL('{url}'))"));
        [0, 1, 2].map(|at| parts[at].as_str().unwrap_or("undefined").to_owned())
    };

    assert_eq!(
        divided("runtime://sp.sp/8456/sm"),
        ["runtime", "sp.sp", "/8456/sm"]
    );
    assert_eq!(
        divided("user://google.com/a@gmail.com"),
        ["user", "google.com", "/a@gmail.com"]
    );
    assert_eq!(
        divided("alice@gmail.com"),
        ["smtp", "gmail.com", "smtp://alice@gmail.com"]
    );
    assert_eq!(
        divided("sip:alice@example.com"),
        ["sip", "example.com", "sip://alice@example.com"]
    );
    assert_eq!(
        divided("slack://user@slack.com"),
        ["slack", "slack.com", "slack://user@slack.com"]
    );
    assert_eq!(divided("google.com"), ["", "google.com", ""]);
    assert_eq!(divided("mn:/session"), ["", "mn:/session", ""]);
    assert_eq!(divided("*"), ["", "*", ""]);
    assert_eq!(divided("tel:123"), ["tel", "123", ""]);
    assert_eq!(divided("hyperty://a/b"), ["hyperty", "a", "/b"]);
    assert_eq!(
        divided("https://a.example/b?c=d"),
        ["https", "a.example", "/b?c=d"]
    );
    assert_eq!(divided("hyperty://a.example"), ["hyperty", "a.example", ""]);
}

#[test]
fn the_factory_makes_the_identity_of_a_foreign_user() {
    let made = World::new().value("factory.createMessageBodyIdentity('al', 'user://s.example/al', 'p', 'Al', 'en', 's.example', undefined, {extra: 1})");

    assert_eq!(
        made,
        json!({"idp": "s.example", "userProfile": {"preferred_username": "al", "userURL": "user://s.example/al", "picture": "p", "name": "Al", "locale": "en", "extra": 1}})
    );
}

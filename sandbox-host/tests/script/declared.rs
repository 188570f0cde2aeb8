//! The TypeScript declarations (`framework/types`) say what is there: every public
//! member that exists at run time, and none that does not.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::syncing::{HA, Pair, response};
use super::world::World;

const FILES: [&str; 3] = [
    include_str!("../../framework/types/index.d.ts"),
    include_str!("../../framework/types/objects.d.ts"),
    include_str!("../../framework/types/services.d.ts"),
];
const GLOBALS: &str = include_str!("../../framework/types/globals.d.ts");

/// Names of an object's public members, its classes' and its own.
const MEMBERS: &str = "const members = (object) => {
    const names = new Set();
    for (let at = object; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
        for (const name of Object.getOwnPropertyNames(at)) names.add(name);
    }
    names.delete('constructor');
    return [...names].filter((name) => !name.startsWith('_'));
};";

const SERVICES: &str = "(() => {
    const home = 'hyperty://here.example/x', runtimeURL = 'runtime://here.example/r', c = { runtimeURL };
    const syncher = factory.createSyncher(home, bus, c);
    const discovery = factory.createDiscovery(home, runtimeURL, bus);
    const identities = factory.createIdentityManager(home, runtimeURL, bus);
    const search = factory.createSearch(discovery, identities);
    const chats = factory.createChatManager(home, bus, c, syncher);
    const simple = factory.createSimpleChatManager(home, bus, c, syncher);
    const controller = factory.createChatController(syncher, discovery, 'here.example', search, {}, chats);
    const all = {
        Bus: bus, Factory: factory, Logger: factory.logger, Syncher: syncher, Discovery: discovery,
        IdentityManager: identities, Search: search, ChatManager: chats, SimpleChatManager: simple,
        ChatController: controller, InvitationsHandler: controller.invitationsHandler,
        Chat: factory.createChat(syncher, 'here.example', {}, simple),
        ContextReporter: factory.createContextReporter(home, bus, c),
        ContextObserver: factory.createContextObserver(home, bus, c, ['availability_context']),
        NotificationHandler: factory.createNotificationHandler(bus),
        RegistrationStatus: factory.createRegistrationStatus(home, runtimeURL, home, bus),
        DiscoveredObject: discovery._convertToDiscoveredObject([{ hypertyID: home }])[0],
    };
    return Object.fromEntries(Object.entries(all).map(([name, object]) => [name, members(object)]));
})()";

/// What belongs to the language itself.
const LANGUAGE: [&str; 72] = [
    "AggregateError",
    "Array",
    "ArrayBuffer",
    "AsyncDisposableStack",
    "Atomics",
    "BigInt",
    "BigInt64Array",
    "BigUint64Array",
    "Boolean",
    "DOMException",
    "DataView",
    "Date",
    "DisposableStack",
    "Error",
    "EvalError",
    "FinalizationRegistry",
    "Float16Array",
    "Float32Array",
    "Float64Array",
    "Function",
    "Infinity",
    "Int16Array",
    "Int32Array",
    "Int8Array",
    "InternalError",
    "Iterator",
    "JSON",
    "Map",
    "Math",
    "NaN",
    "Number",
    "Object",
    "Promise",
    "Proxy",
    "RangeError",
    "ReferenceError",
    "Reflect",
    "RegExp",
    "Set",
    "SharedArrayBuffer",
    "String",
    "SuppressedError",
    "Symbol",
    "SyntaxError",
    "TypeError",
    "URIError",
    "Uint16Array",
    "Uint32Array",
    "Uint8Array",
    "Uint8ClampedArray",
    "WeakMap",
    "WeakRef",
    "WeakSet",
    "__date_clock",
    "decodeURI",
    "decodeURIComponent",
    "encodeURI",
    "encodeURIComponent",
    "escape",
    "eval",
    "globalThis",
    "isFinite",
    "isNaN",
    "parseFloat",
    "parseInt",
    "undefined",
    "unescape",
    "gc",
    "navigator",
    "performance",
    "System",
    "rethink",
];

/// What it extends, and its own members.
type Interface<'a> = (Vec<&'a str>, BTreeSet<String>);

/// The members of an interface, those it extends included.
fn declared(name: &str) -> BTreeSet<String> {
    let interfaces: BTreeMap<&str, Interface<'_>> =
        FILES.iter().flat_map(|file| interfaces(file)).collect();
    let (above, mut members) = interfaces[name].clone();
    for above in above {
        members.extend(declared(above));
    }
    members
}

fn interfaces(file: &str) -> Vec<(&str, Interface<'_>)> {
    let mut found = Vec::new();
    for part in file.split("\nexport interface ").skip(1) {
        let (head, rest) = part.split_once('{').unwrap();
        let name = head.split(['<', ' ']).next().unwrap();
        let is_generic = head[name.len()..].starts_with('<');
        let mark = if is_generic {
            "> extends "
        } else {
            " extends "
        };
        let above = head.split_once(mark).into_iter();
        let above = above
            .flat_map(|(_, above)| above.split(','))
            .map(|one| one.split('<').next().unwrap().trim())
            .collect();
        let body = if rest.starts_with('}') {
            ""
        } else {
            rest.split("\n}").next().unwrap()
        };
        let members = body.lines().filter_map(member).collect();
        found.push((name, (above, members)));
    }
    found
}

// `  readonly name: …`, `  name(…): …`, `  name<T>(…): …`; deeper lines go on.
fn member(line: &str) -> Option<String> {
    let line = line.strip_prefix("  ")?;
    line.starts_with(|c: char| c.is_ascii_alphabetic())
        .then_some(())?;
    let line = line.strip_prefix("readonly ").unwrap_or(line);
    let end = line.find(['(', ':', '<', '?'])?;
    Some(line[..end].to_owned())
}

fn at_run_time(members: &Value) -> BTreeMap<String, BTreeSet<String>> {
    serde_json::from_value(members.clone()).unwrap()
}

#[track_caller]
fn assert_declared(found: &BTreeMap<String, BTreeSet<String>>) {
    for (name, members) in found {
        let declared = declared(name);
        let missing: Vec<_> = members.difference(&declared).collect();
        let invented: Vec<_> = declared.difference(members).collect();
        assert!(
            missing.is_empty() && invented.is_empty(),
            "{name}: not declared {missing:?}, not there {invented:?}"
        );
    }
}

#[test]
fn the_factory_and_what_it_makes_is_declared_and_nothing_else() {
    let world = World::new();

    let found = world.value(&format!("(() => {{ {MEMBERS} return {SERVICES}; }})()"));

    let found = at_run_time(&found);
    assert_eq!(found.len(), 17);
    assert_declared(&found);
}

#[test]
fn data_objects_are_declared_and_nothing_else() {
    let pair = Pair::new(json!({"mutual": true}));
    let storage = "runtime://home.ex/r1/storage";
    let file = "{name: 'a.bin', size: 1, type: 'image/png', lastModified: 5, arrayBuffer: async () => new Uint8Array([1]).buffer}";
    pair.run("observer.addChild({content: 'hi'}).then((child) => { globalThis.child = child })");
    let kept = pair.run(&format!(
        "reporter.addHypertyResource('file', {file}).then((made) => {{ globalThis.file = made }})"
    ));
    let answer = json!({"code": 200, "value": format!("{storage}/1")});
    pair.deliver(response(kept[0].id, storage, HA, answer));

    let found = pair.value(&format!(
        "(() => {{ {MEMBERS} return {{ DataObjectReporter: members(reporter), DataObjectObserver: members(observer),
            DataObjectChild: members(child), FileHypertyResource: members(file) }}; }})()"
    ));

    let found = at_run_time(&found);
    assert_eq!(found.len(), 4);
    assert_declared(&found);
}

#[test]
fn the_globals_are_named_and_nothing_else() {
    let world = World::new();
    let (_, union) = GLOBALS.split_once("SandboxGlobal =").unwrap();
    let (union, _) = union.split_once(';').unwrap();
    let named: BTreeSet<_> = union
        .split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();

    let there = world.value("Object.getOwnPropertyNames(globalThis)");
    let there: BTreeSet<String> = serde_json::from_value(there).unwrap();

    let language = LANGUAGE.map(str::to_owned);
    let unnamed: Vec<_> = there
        .iter()
        .filter(|name| !named.contains(*name) && !language.contains(name))
        .collect();
    let absent: Vec<_> = named.difference(&there).collect();
    assert!(
        unnamed.is_empty() && absent.is_empty(),
        "not named {unnamed:?}, not there {absent:?}"
    );
}

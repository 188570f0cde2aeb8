//! The mini-bus: spec messaging §3.1 to §3.3, Annex A.1 3 to 6.

use protocol::Reply;
use protocol::frame::CoreFrame;
use protocol::{Code, MessageKind};
use serde_json::json;

use super::world::{ME, Said, World, logged, sent};

const YOU: &str = "hyperty://there.example/you";

// messaging A.1 case 3
#[test]
fn messages_are_numbered_from_one_and_a_given_number_is_kept() {
    let world = World::new();
    let post = "const m = {type: 'read', from: url, to: 'hyperty://there.example/you'};
        const given = {type: 'read', from: url, to: 'hyperty://there.example/you', id: 77};
        const ids = [bus.postMessage(m), bus.postMessage(given), bus.postMessage({...m, id: 0})];
        console.log(JSON.stringify([ids, m.id]));";

    let said = world.start(ME, post);
    let other = world.start(
        "hyperty://here.example/other",
        "bus.postMessage({type: 'read', from: url, to: url})",
    );

    assert_eq!(
        sent(&said).iter().map(|m| m.id).collect::<Vec<_>>(),
        [1, 77, 2]
    );
    assert_eq!(logged(&said), ["[[1,77,2],1]"]);
    assert_eq!(
        sent(&other)[0].id,
        3,
        "one counter for all components of a sandbox"
    );
}

#[test]
fn a_message_goes_out_whole_with_what_its_sender_expects() {
    let world = World::new();
    let post = "bus.postMessage({type: 'forward', from: url, to: 'hyperty://there.example/you', identity: {a: 1}, body: {b: [2]}});
        bus.postMessage({type: 'event', from: url, to: 'hyperty://there.example/you'});
        bus.postMessage({id: 9, type: 'response', from: url, to: 'hyperty://there.example/you', body: {code: '200'}});
        bus.postMessage({id: 9, type: 'response', from: url, to: 'hyperty://there.example/you', body: {code: 'error'}});";

    let said = sent(&world.start(ME, post));

    assert_eq!(
        (
            said[0].kind.as_str(),
            said[0].from.as_str(),
            said[0].to.as_str()
        ),
        ("forward", ME, YOU)
    );
    assert_eq!(
        (said[0].members.as_str(), &said[0].body),
        (r#"{"identity":{"a":1}}"#, &json!({"b": [2]}))
    );
    assert_eq!(said[1].body, json!({}));
    assert_eq!(
        [0, 1, 2].map(|at: usize| said[at].reply),
        [Reply::Untimed, Reply::Unwanted, Reply::Unwanted]
    );
    assert_eq!([0, 1, 2, 3].map(|at: usize| said[at].code), [0, 0, 200, 0]);
}

// messaging A.2 case 25
#[test]
fn several_destinations_get_one_message_each_with_the_same_number() {
    let world = World::new();
    let post = "bus.postMessage({type: 'event', from: url, to: ['hyperty://a.example/1', 'hyperty://b.example/2']})";

    let said = sent(&world.start(ME, post));

    let pairs: Vec<_> = said.iter().map(|m| (m.id, m.to.as_str())).collect();
    assert_eq!(
        pairs,
        [(1, "hyperty://a.example/1"), (1, "hyperty://b.example/2")]
    );
}

#[test]
fn what_is_no_message_is_refused_where_it_is_posted() {
    let world = World::new();
    let post = "const m = {type: 'read', from: url, to: url};
        for (const wrong of [{type: undefined}, {from: ''}, {to: 5}, {id: 'x'}, {type: 'a b'}, {body: 1n}, {body: 'x'.repeat(2000000)}]) {
          try { bus.postMessage({...m, ...wrong}); console.log('posted'); } catch (error) { console.log(error.message); }
        }";

    let said = world.start(ME, post);

    assert_eq!(sent(&said), []);
    let texts = logged(&said);
    assert_eq!(texts.len(), 7, "{texts:?}");
    assert!(!texts.contains(&"posted".to_owned()), "{texts:?}");
    assert_eq!(texts[0], "cannot post a message: its `type` is undefined");
}

// messaging A.1 case 4
// messaging A.2 case 27
#[test]
fn a_provisional_answer_keeps_the_request_and_a_final_one_ends_it() {
    let world = World::running(
        "bus.addListener(url, (m) => console.log('listener ' + m.body.code));
         bus.postMessage({type: 'read', from: url, to: 'hyperty://there.example/you'}, (m) => console.log('callback ' + m.body.code));",
    );

    let said = [json!(100), json!("2XX"), json!("200"), json!(200)]
        .map(|code| logged(&world.answer(1, &code)));

    assert_eq!(
        said,
        [
            ["callback 100"],
            ["callback 2XX"],
            ["callback 200"],
            ["listener 200"]
        ]
    );
}

// messaging A.1 case 5
#[test]
fn a_request_without_an_answer_gets_one_after_fifteen_seconds() {
    let world = World::running(
        "bus.postMessage({type: 'read', from: url, to: 'hyperty://there.example/you', body: {}}, (m) => console.log(JSON.stringify(m)));
         bus.postMessage({type: 'read', from: url, to: 'hyperty://there.example/you'}, () => console.log('never'), false);",
    );
    world.answer(2, &json!(100));

    let before = logged(&world.pass(14_999));
    let after = logged(&world.pass(1));
    let much_later = logged(&world.pass(1_000_000));

    assert_eq!(before, [""; 0]);
    let request = json!({"type": "read", "from": ME, "to": YOU, "body": {}, "id": 1});
    let expected = json!({"id": 1, "type": "response", "body": {"code": 408, "desc": "Response timeout!", "value": request}});
    assert_eq!(
        after
            .iter()
            .map(|text| serde_json::from_str(text).unwrap())
            .collect::<Vec<serde_json::Value>>(),
        [expected]
    );
    assert_eq!(much_later, [""; 0]);
}

#[test]
fn every_request_has_its_own_fifteen_seconds() {
    let world = World::running(
        "const ask = (n) => bus.postMessage({type: 'read', from: url, to: 'hyperty://there.example/you'}, () => console.log(n));
         ask('first'); setTimeout(() => ask('second'), 5000); setTimeout(() => ask('third'), 6000);",
    );
    world.pass(7_000);
    world.answer(2, &json!(200));

    assert_eq!(logged(&world.pass(7_999)), [""; 0]);
    assert_eq!(logged(&world.pass(1)), ["first"]);
    assert_eq!(logged(&world.pass(5_999)), [""; 0]);
    assert_eq!(logged(&world.pass(1)), ["third"]);
}

// messaging A.1 case 6
#[test]
fn the_star_hears_what_the_rule_says() {
    let world = World::running(
        "for (const to of [url, 'hyperty-runtime://a.example/p', 'runtime://a.example/p', '*'])
           bus.addListener(to, (m) => console.log(to));",
    );
    let heard = |to: &str| {
        logged(&world.deliver(json!({"type": "update", "from": YOU, "to": to, "body": {}})))
    };

    assert_eq!(heard(ME), [ME]);
    assert_eq!(
        heard("hyperty-runtime://a.example/p"),
        ["hyperty-runtime://a.example/p"]
    );
    assert_eq!(
        heard("runtime://a.example/p"),
        ["runtime://a.example/p", "*"]
    );
    assert_eq!(heard("hyperty://here.example/else"), ["*"]);
    assert_eq!(heard("hyperty://here.example/me/"), ["*"]);
}

#[test]
fn an_address_with_two_names_is_heard_by_either() {
    let world = World::running(
        "for (const to of ['runtime://a.example/p', 'hyperty-runtime://a.example/q'])
           bus.addListener(to, (m) => console.log(to));",
    );
    let heard = |to: &str| {
        logged(&world.deliver(json!({"type": "update", "from": YOU, "to": to, "body": {}})))
    };

    assert_eq!(
        heard("hyperty-runtime://a.example/p"),
        ["runtime://a.example/p"]
    );
    assert_eq!(
        heard("runtime://a.example/q"),
        ["hyperty-runtime://a.example/q"]
    );
    assert!(heard("runtime://a.example/r").is_empty());
}

#[test]
fn listeners_are_called_in_order_share_the_message_and_can_be_removed() {
    let world = World::running(
        "const seen = (n) => (m) => { m.body.list = [...(m.body.list ?? []), n]; console.log(m.body.list.join()); };
         const first = bus.addListener(url, seen(1));
         const twice = seen(2);
         bus.addListener(url, (m) => { twice(m); first.remove(); first.remove(); });
         bus.addListener(url, twice);
         console.log(first.url);",
    );
    let message = || json!({"type": "update", "from": YOU, "to": ME, "body": {}});

    assert_eq!(logged(&world.deliver(message())), ["1", "1,2", "1,2,2"]);
    assert_eq!(logged(&world.deliver(message())), ["2", "2,2"]);
}

#[test]
fn a_listener_that_throws_breaks_no_other() {
    let world = World::running(
        "bus.addListener(url, () => { undefined.x; });\nbus.addListener(url, () => console.log('second'));",
    );

    let said = world.deliver(json!({"type": "update", "from": YOU, "to": ME, "body": {}}));

    let Said::Log(component, level, place, text) = &said[0] else {
        panic!("{said:?}")
    };
    assert_eq!(
        (component.as_str(), *level, place.as_str()),
        (ME, protocol::frame::LogLevel::Error, "me.js:2")
    );
    assert!(
        text.starts_with("TypeError: cannot read property 'x' of undefined\n    at"),
        "{text}"
    );
    assert_eq!(logged(&said)[1], "second");
}

#[test]
fn a_message_arrives_whole_and_odd_ones_do_no_harm() {
    let world = World::running(
        "bus.addListener(url, (m) => console.log(JSON.stringify(m) + (m.__proto__ === Object.prototype)))",
    );

    let whole = json!({"id": 5, "type": "read", "from": YOU, "to": ME, "body": {"a": 1}, "members": {"__proto__": 3, "identity": {"x": 1}, "to": "z"}});
    let text = logged(&world.deliver(whole));
    let without_body = logged(&world.deliver(json!({"type": "response", "from": YOU, "to": ME})));
    let string_body =
        logged(&world.deliver(json!({"type": "update", "from": YOU, "to": ME, "body": "online"})));
    let broken = world.handle(CoreFrame::Deliver(protocol::Message::new(
        MessageKind::Read,
        YOU,
        ME,
        b"{\"a\":",
    )));

    let expected = format!(
        r#"{{"id":5,"type":"read","from":"{YOU}","to":"{ME}","body":{{"a":1}},"__proto__":3,"identity":{{"x":1}}}}false"#
    );
    assert_eq!(text, [expected]);
    assert!(without_body[0].contains(r#""body":{}"#), "{without_body:?}");
    assert!(
        string_body[0].contains(r#""body":"online""#),
        "{string_body:?}"
    );
    assert!(logged(&broken)[0].starts_with("SyntaxError"), "{broken:?}");
}

#[test]
fn retries_send_the_same_message_until_it_is_answered_otherwise() {
    let world = World::running(
        "bus.postMessageWithRetries({type: 'read', from: url, to: 'hyperty://there.example/you'}, 2, (m) => console.log(m.body.code))
           .then((m) => console.log('then ' + m.body.code), (error) => console.log(error.code));",
    );

    let again = [408, 500].map(|code| sent(&world.answer(1, &json!(code)))[0].id);
    let ended = logged(&world.answer(1, &json!(404)));

    assert_eq!(again, [1, 1]);
    assert_eq!(ended, ["404", "then 404"]);
}

#[test]
fn retries_that_are_used_up_reject_with_the_last_code() {
    let world = World::running(
        "bus.postMessageWithRetries({type: 'read', from: url, to: 'hyperty://there.example/you'}, 1, () => console.log('called'))
           .catch((error) => console.log(error.code + ' ' + error.message));",
    );
    world.answer(1, &json!(500));

    let ended = logged(&world.pass(15_000));

    assert_eq!(
        ended,
        [format!(
            "408 no answer from `{YOU}` after all retries: 408 Response timeout!"
        )]
    );
}

#[test]
fn response_listeners_can_be_set_and_removed_by_hand() {
    let world = World::running(
        "bus.addResponseListener(url, 40, (m) => console.log('got ' + m.body.code));
         bus.addResponseListener(url, 41, () => console.log('removed'));
         bus.removeResponseListener(url, 41);",
    );

    assert_eq!(logged(&world.answer(40, &json!(200))), ["got 200"]);
    assert_eq!(logged(&world.answer(41, &json!(200))), [""; 0]);
    assert_eq!(logged(&world.pass(60_000)), [""; 0]);
}

#[test]
fn two_buses_can_be_bound_and_private_members_are_there() {
    let world = World::running(
        "const posted = [];
         const target = { postMessage: (m) => posted.push(m.n), addListener: (u, f) => ({ remove: () => posted.push('off') }) };
         const bound = bus.bind('x:/out', 'x:/in', target);
         bus._onMessage({type: 'event', to: 'x:/out', n: 1});
         bound.unbind();
         bus._onMessage({type: 'event', to: 'x:/out', n: 2});
         bus._responseTimeOut = 50;
         bus._onPostMessage = (m) => posted.push(m.id);
         bus.postMessage({from: url}, (m) => console.log(m.body.code + ' ' + posted.join()));",
    );

    assert_eq!(logged(&world.pass(50)), ["408 1,off,1"]);
}

#[test]
fn the_bus_may_be_taken_apart_and_wrapped() {
    let world = World::new();

    let said = world.start(
        ME,
        "const { postMessage, addListener } = bus; addListener('*', () => {});
         postMessage({type: 'read', from: url, to: url});
         new Proxy(bus, {}).postMessage({type: 'read', from: url, to: url});",
    );

    assert_eq!(sent(&said).len(), 2, "{said:?}");
}

#[test]
fn all_listeners_of_an_address_can_be_removed_at_once() {
    let world = World::running(
        "const heard = () => console.log('heard');
         bus.addListener('comm://a.example/1', heard); bus.addListener('comm://a.example/1', heard);
         bus.addListener(url, () => bus.removeAllListenersOf('comm://a.example/1'));",
    );

    let said = world.deliver(json!({"type": "update", "from": YOU, "to": ME, "body": {}}));
    let after = world
        .deliver(json!({"type": "update", "from": YOU, "to": "comm://a.example/1", "body": {}}));

    assert_eq!(
        said,
        [Said::Unlisten(
            ME.to_owned(),
            "comm://a.example/1".to_owned()
        )]
    );
    assert_eq!(after, []);
}

#[test]
fn the_core_hears_which_foreign_addresses_are_listened_to() {
    let world = World::new();
    let said = world.start(
        ME,
        "const f = () => {};
         for (const to of ['*', url, url + '/status', 'plain.example', 'comm://a.example/1/changes', 'comm://a.example/1/changes', 'bad://a b'])
           bus.addListener(to, f);",
    );

    let object = "comm://a.example/1/changes";
    assert_eq!(said[0], Said::Listen(ME.to_owned(), object.to_owned()));
    assert_eq!(
        logged(&said),
        ["hears nothing from other sandboxes on `bad://a b`: ` ` is not allowed in an address"]
    );
    assert_eq!(said.len(), 3, "{said:?}");

    let refused = world.handle(CoreFrame::Listening {
        address: object,
        code: Code::FORBIDDEN,
        reason: "no rule permits it",
    });
    let accepted = world.handle(CoreFrame::Listening {
        address: object,
        code: Code::OK,
        reason: "",
    });

    assert_eq!(
        logged(&refused),
        [format!(
            "hears nothing on `{object}`: 403 no rule permits it"
        )]
    );
    assert_eq!(accepted, []);
}

//! Copies of data objects, kept up to date by what their owner tells.

use std::os::unix::net::UnixStream;

use protocol::MessageKind;
use protocol::api::rpc::{Changed, Delta};
use protocol::client::Incoming;
use protocol::client::blocking::Link;
use protocol::client::rpc::{Mirror, OutOfStep, Returned};
use serde_json::json;

use crate::far_end::{Core, THEM, component};
use crate::{answers, calls, hear};

/// A link that borrowed a data object, and its copy.
fn mirroring() -> (Link<UnixStream>, Core, Returned, Mirror) {
    let (mut link, mut core) = component();
    let lent = json!({"$": "ref", "ref": "d-1", "kind": "data-object", "data": {"list": [1], "x": 1}, "change": 3});
    answers(&mut core, 1, &json!({"code": 200, "value": lent}));
    let returned = link.hyperty(THEM).call("chat", &[]).unwrap();
    hear(&mut core);
    let mirror = Mirror::of(&returned.references[0]).unwrap();
    (link, core, returned, mirror)
}

#[test]
fn a_data_object_is_kept_up_to_date_by_its_changes() {
    let (mut link, mut core, _returned, mut mirror) = mirroring();
    let deltas = json!([
        {"path": ["x"], "value": 2},
        {"path": ["y"], "value": null},
        {"path": ["list", 1], "operation": "add", "value": [2, 3]},
        {"path": ["list", 0], "operation": "remove", "value": 1},
        {"path": ["list", 3], "attributeType": "array", "value": {"deep": [0]}},
        {"path": ["list", 3, "deep", 0], "value": 9},
        {"path": ["x"]},
    ]);
    calls(
        &mut core,
        MessageKind::Event,
        &json!({"changed": "d-1", "change": 4, "deltas": deltas}),
    );

    let (incoming, out) = link.recv().unwrap();
    let Incoming::Message(message) = incoming else {
        panic!("{incoming:?}");
    };
    mirror.apply(&out.changed(&message).unwrap()).unwrap();

    assert_eq!(
        mirror.data(),
        &json!({"list": [2, 3, null, {"deep": [9]}], "y": null})
    );
}

#[test]
fn what_is_known_is_skipped_and_what_is_missing_asks_for_a_snapshot() {
    let (mut link, mut core, returned, mut mirror) = mirroring();
    let changed = |change: u64, value: u64| Changed {
        reference: "d-1".to_owned(),
        change,
        deltas: vec![Delta {
            path: vec![json!("x")],
            value: Some(json!(value)),
            ..Delta::default()
        }],
        behind: false,
    };
    let other = Changed {
        reference: "d-2".to_owned(),
        ..changed(4, 9)
    };

    assert_eq!(mirror.apply(&changed(3, 7)), Ok(()));
    assert_eq!(mirror.apply(&other), Ok(()));
    assert_eq!(mirror.data()["x"], 1);
    assert_eq!(mirror.apply(&changed(4, 4)), Ok(()));
    assert_eq!(mirror.apply(&changed(6, 6)), Err(OutOfStep));
    assert_eq!(
        mirror.apply(&Changed {
            behind: true,
            ..changed(5, 5)
        }),
        Err(OutOfStep)
    );
    assert_eq!(mirror.data()["x"], 4);

    let whole = json!({"x": 6, "odd": {"$": "object", "value": {"$": 1}}});
    answers(
        &mut core,
        2,
        &json!({"code": 200, "value": {"data": whole, "change": 6}}),
    );
    mirror.adopt(link.reference(&returned.references[0]).snapshot().unwrap());
    assert_eq!(mirror.data(), &json!({"x": 6, "odd": {"$": 1}}));
    assert_eq!(mirror.apply(&changed(7, 7)), Ok(()));
}

#[test]
fn changes_that_do_not_fit_are_out_of_step_and_harm_nothing() {
    let (_link, _core, _returned, mirror) = mirroring();
    for (path, operation, value) in [
        (json!([]), "", json!(1)),
        (json!(["nothing", "x"]), "", json!(1)),
        (json!(["x", "y"]), "", json!(1)),
        (json!(["list", "a"]), "", json!(1)),
        (json!(["list", 9]), "add", json!(1)),
        (json!(["list", 0]), "remove", json!(2)),
        (json!(["list", 0]), "remove", json!(u64::MAX)),
        (json!(["list", 1_000_000]), "", json!(1)),
        (json!(["list", 0]), "turn", json!(1)),
    ] {
        let path = path.as_array().unwrap().clone();
        let delta = Delta {
            path,
            value: Some(value),
            operation: operation.to_owned(),
        };
        let changed = Changed {
            reference: "d-1".to_owned(),
            change: 4,
            deltas: vec![delta.clone()],
            behind: false,
        };
        let mut copy = mirror.clone();

        assert_eq!(copy.apply(&changed), Err(OutOfStep), "{delta:?}");
        assert_eq!(copy, mirror, "{delta:?}");
    }
}

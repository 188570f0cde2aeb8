//! Peer connections, cameras and places: objects that refuse clearly.

use serde_json::{Value, json};

use super::world::{ME, Said, World, logged};

const REASON: &str = "peer-to-peer is not available in this runtime yet";

fn refusal() -> Value {
    json!(["NotSupportedError", REASON])
}

#[test]
fn a_peer_connection_is_made_and_refuses_what_needs_a_peer() {
    let world = World::new();

    assert_eq!(
        world.value("((c) => [c.signalingState, c.iceConnectionState, c.localDescription, c.close(), c.signalingState])(new RTCPeerConnection({iceServers: []}))"),
        json!(["stable", "new", null, null, "closed"])
    );
    for call in [
        "createOffer()",
        "createAnswer()",
        "setLocalDescription({})",
        "setRemoteDescription({})",
        "addIceCandidate({})",
    ] {
        let outcome = world.outcome(&format!("await new RTCPeerConnection().{call}"));
        assert_eq!(outcome, refusal(), "{call}");
    }
}

#[test]
fn the_callback_forms_of_old_code_are_told_by_callback() {
    let world = World::new();
    let tell = "(e) => done([e.name, e.message])";

    for call in [
        format!("createOffer(() => {{}}, {tell})"),
        format!("createAnswer(() => {{}}, {tell}, {{}})"),
        format!("setLocalDescription({{}}, () => {{}}, {tell})"),
        format!("setRemoteDescription({{}}, () => {{}}, {tell})"),
        format!("addIceCandidate({{}}, () => {{}}, {tell})"),
    ] {
        let expression =
            format!("await new Promise((done) => {{ new RTCPeerConnection().{call} }})");
        assert_eq!(world.outcome(&expression), refusal(), "{call}");
    }
}

#[test]
fn a_data_channel_fails_by_event() {
    let world = World::running(
        "const c = new RTCPeerConnection().createDataChannel('P2PChannel'); const seen = [c.label, c.readyState];
         try { c.send('x') } catch (e) { seen.push(e.name) }
         c.onopen = () => seen.push('open'); c.onerror = (e) => seen.push(e.error.name); c.onclose = () => seen.push('close', c.readyState);
         setTimeout(() => console.log(seen.join()), 50)",
    );

    assert_eq!(
        logged(&world.pass(100)),
        ["P2PChannel,connecting,InvalidStateError,NotSupportedError,close,closed"]
    );
}

#[test]
fn descriptions_and_candidates_hold_what_they_are_given() {
    let world = World::new();

    assert_eq!(
        world.value("[new RTCSessionDescription({type: 'offer', sdp: 'v=0'}), new RTCIceCandidate({candidate: 'c', sdpMLineIndex: 0})].map((x) => JSON.parse(JSON.stringify(x)))"),
        json!([{"type": "offer", "sdp": "v=0"}, {"candidate": "c", "sdpMid": null, "sdpMLineIndex": 0, "usernameFragment": null}])
    );
}

#[test]
fn devices_and_places_are_refused_by_promise_and_by_callback() {
    let world = World::new();

    assert_eq!(
        world.outcome("await navigator.mediaDevices.getUserMedia({video: true})")[0],
        json!("NotSupportedError")
    );
    assert_eq!(
        world.outcome("await navigator.mediaDevices.enumerateDevices()"),
        json!([])
    );
    assert_eq!(
        world.outcome(
            "await new Promise((done) => navigator.getUserMedia({}, done, (e) => done(e.name)))"
        ),
        json!("NotSupportedError")
    );
    for method in ["getCurrentPosition", "watchPosition"] {
        assert_eq!(
            world.outcome(&format!(
                "await new Promise((done) => navigator.geolocation.{method}(done, (e) => done(e.code === e.POSITION_UNAVAILABLE)))"
            )),
            json!(true),
            "{method}"
        );
    }
    assert_eq!(
        world.value("((s) => [s.getTracks(), s.active, typeof s.id])(new MediaStream())"),
        json!([[], false, "string"])
    );
}

#[test]
fn the_log_says_once_for_each_component_that_there_are_no_peers() {
    let world = World::running(
        "for (let n = 0; n < 100; n++) new RTCPeerConnection().createOffer().catch(() => {})",
    );
    let other = "hyperty://here.example/other";

    let said = world.start(
        other,
        "new RTCPeerConnection().createOffer().catch(() => {}); new RTCPeerConnection().createDataChannel('a')",
    );

    let of_other = said
        .iter()
        .filter(|said| matches!(said, Said::Log(who, ..) if who == other))
        .count();
    assert_eq!(of_other, 1, "{said:?}");
    assert!(logged(&said)[0].contains(REASON));
    assert!(!logged(&said)[0].contains(ME));
}

//! Hyperties and users of a real XMPP server: real supervisors, a real locked stub.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;

use hyperty_tests::harness::{
    Answer, Catalogue, Prosody, Runtime, TempDir, eventually, script, some_time,
};
use protocol::api::user_agent::Component;
use serde_json::{Value, json};

const BOB: &str = "xmpp://bob@chat.example";
const STUB: &str = "home.example/xmpp.chat.example";

// Says what it is told, and passes on what it is asked to.
const EAR: &str = "bus.addListener(url, (m) => {
    if (m.type === 'execute') {
        bus.postMessage({ type: m.body.kind, from: url, to: m.body.to, body: m.body.body },
            (r) => bus.postMessage({ id: m.id, type: 'response', from: url, to: m.from,
                body: { code: 200, value: r.body } }));
        return;
    }
    const v = m.body.value;
    console.log('heard ' + m.type + ' ' + m.from + ' ' + (v.content || v.presence));
});";

/// A server, a runtime whose domain's catalogue has the stub, and a hyperty in it.
struct Stage {
    server: Prosody,
    runtime: Runtime,
    ear: Component,
    _roots: TempDir,
}

impl Stage {
    fn start(security: &str, account: &Value) -> Option<Self> {
        let made = rcgen::generate_simple_self_signed(["chat.example".to_owned()]).unwrap();
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let accounts = ["bot", "bob", "eve"];
        let server = Prosody::if_installed(&accounts, (&certificate, &key))?;
        let roots = TempDir::new();
        let file = roots.join("roots.pem");
        fs::write(&file, &certificate).unwrap();
        let port = if security == "direct" {
            server.direct
        } else {
            server.plain
        };
        let runtime = Runtime::with(catalogue(port, security, account))
            .arguments(&["--domain", "home.example"])
            .arguments(&["--tls-roots", file.to_str().unwrap()])
            .start();
        let place = format!("127.0.0.1:{port}");
        let granted = ["grants", "add", STUB, &place, "--private"];
        let _ = runtime.hyperty(&granted).succeeded();
        let ear = runtime.deploy("home.example/hyperty/Ear");
        Some(Self {
            server,
            runtime,
            ear,
            _roots: roots,
        })
    }

    /// Has the hyperty send something; the answer's body.
    fn asks(&self, kind: &str, to: &str, body: &Value) -> Value {
        let order = json!({ "kind": kind, "to": to, "body": body });
        let answer: Answer = self
            .runtime
            .operator()
            .ask("execute", &self.ear.address, &order);
        assert_eq!(answer.code, 200, "{answer:?}\n{}", self.runtime.log());
        answer.value().clone()
    }

    fn says(&self, to: &str, text: &str) -> Value {
        self.asks("create", to, &json!({ "value": { "content": text } }))
    }

    #[track_caller]
    fn hears(&self, text: &str) {
        let line = format!("heard {text}");
        eventually(&line, || self.runtime.log_says(&self.ear, &line));
    }

    fn stub(&self) -> Component {
        let components = self.runtime.components();
        let mut stubs = components.into_iter().filter(|c| !c.session.is_empty());
        stubs.next().expect("the stub is there")
    }
}

fn catalogue(port: u16, security: &str, account: &Value) -> Catalogue {
    let mut configuration = json!({
        "account": "bot@chat.example", "password": "secret-bot",
        "server": format!("127.0.0.1:{port}"), "security": security,
    });
    for (name, value) in account.as_object().into_iter().flatten() {
        configuration[name] = value.clone();
    }
    let descriptor = json!({
        "name": "xmpp.chat.example", "language": "native", "interworking": true,
        "configuration": configuration, "network": [{ "host": "127.0.0.1", "port": port }],
    });
    let folder = "home.example/.well-known";
    let stub = format!("{folder}/protocolstub/xmpp.chat.example.ps.json");
    let proxy = json!({ "name": "chat.example", "language": "javascript", "interworking": true });
    Catalogue::new()
        .script("home.example", "Ear", &script(EAR))
        .stub("home.example", "xmpp.chat.example", "stub-xmpp")
        .file(&stub, &descriptor.to_string())
        .file(
            &format!("{folder}/idp-proxy/chat.example.idp.json"),
            &proxy.to_string(),
        )
        .file(
            &format!("{folder}/idp-proxy/chat.example.idp.js"),
            &script(""),
        )
        .permissive()
}

#[test]
fn a_hyperty_and_a_user_of_xmpp_chat_and_see_each_other() {
    let Some(stage) = Stage::start("starttls", &json!({})) else {
        return;
    };
    let mut bob = stage.server.client("bob");

    // The first message brings the stub up.
    let first = stage.says(BOB, "good <morning> & \"hello\"");
    let heard = bob.hears("</message>");
    bob.say("<message to='bot@chat.example' type='chat'><body>and to you</body></message>");
    stage.hears("create xmpp://bob@chat.example and to you");
    let subscribed = stage.asks("subscribe", BOB, &json!({}));
    bob.hears("type='subscribe'");
    bob.say("<presence to='bot@chat.example' type='subscribed'/>");
    bob.say("<presence><show>away</show><status>tea</status></presence>");
    stage.hears("update xmpp://bob@chat.example away");
    let stands = stage.asks("read", BOB, &json!({}));
    let nobody = stage.says("xmpp://nobody@chat.example", "x");
    let explained = stage.runtime.hyperty(&["resolve", "--explain", BOB]);
    drop(bob);

    assert_eq!(
        (&first["code"], &subscribed["code"]),
        (&json!(200), &json!(200)),
        "{first}"
    );
    assert!(heard.contains("good &lt;morning&gt; &amp; "), "{heard}");
    assert_eq!(stands["value"]["status"], "tea", "{stands}");
    assert_eq!(nobody["code"], 404, "{nobody}");
    assert!(
        explained.stdout.contains("stub `xmpp.chat.example`"),
        "{explained:?}"
    );
    assert_eq!(stage.stub().session, "live");
    stage.hears("update xmpp://bob@chat.example unavailable");
}

#[test]
fn a_server_that_goes_and_comes_back_is_met_again() {
    let Some(mut stage) = Stage::start("direct", &json!({})) else {
        return;
    };
    assert_eq!(stage.says(BOB, "before")["code"], 404, "bob is not there");

    stage.server.kill();
    eventually("the stub has noticed", || stage.stub().session != "live");
    stage.server.start_again();
    let mut bob = stage.server.client("bob");
    some_time("a message arrives again", || {
        (stage.says(BOB, "after")["code"] == 200).then_some(())
    });

    assert!(bob.hears("</message>").contains("<body>after</body>"));
    assert_eq!(stage.stub().restarts, 0);
}

#[test]
fn an_account_that_is_refused_is_told_to_whoever_writes_and_to_the_operator() {
    let Some(stage) = Stage::start("direct", &json!({ "password": "a-guess" })) else {
        return;
    };

    let answer = stage.says(BOB, "x");

    assert_eq!(answer["code"], 503, "{answer}");
    let why = answer["desc"].as_str().unwrap();
    assert!(why.contains("does not let `bot@chat.example` in"), "{why}");
    assert!(!stage.runtime.log().contains("a-guess"));
    assert_eq!(stage.stub().session, "failed");
}

#[test]
fn who_writes_for_others_or_sends_nonsense_harms_nobody() {
    let Some(stage) = Stage::start("direct", &json!({})) else {
        return;
    };
    let mut bob = stage.server.client("bob");
    let mut eve = stage.server.client("eve");
    assert_eq!(stage.says(BOB, "hello")["code"], 200);

    // The server puts her own address there; nobody listens to her.
    eve.say("<message to='bot@chat.example' type='chat' id='1'><body>psst</body></message>");
    let refused = eve.hears("</message>");
    eve.say("<iq to='bot@chat.example' type='get' id='2'><query xmlns='jabber:iq:version'/></iq>");
    let deep = "<a>".repeat(40) + &"</a>".repeat(40);
    bob.say(&format!(
        "<message to='bot@chat.example' type='chat'>{deep}<body>deep</body></message>"
    ));
    let stub = stage.stub();
    eventually("the stub lets go of such a stream", || {
        stage
            .runtime
            .log_says(&stub, "more than 32 elements in each other")
    });
    let after = some_time("the stub is there again", || {
        let answer = stage.says(BOB, "still here");
        (answer["code"] == 200).then_some(answer)
    });

    assert!(refused.contains("service-unavailable"), "{refused}");
    assert_eq!(after["code"], 200);
    assert_eq!(stage.stub().restarts, 0);
    assert!(!stage.runtime.log_says(&stage.ear, "psst"));
}

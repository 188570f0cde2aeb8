//! Message nodes over TLS: a real node, real stubs, and certificates good and bad.

use std::fs;
use std::time::Duration;

use hyperty_tests::harness::{Catalogue, Runtime, TempDir, eventually, is_live, script};
use serde_json::json;

use crate::far_end::{Authority, Valid};
use crate::far_hosts::NameServer;
use crate::node::{DOMAIN, Node};

const HOST: &str = "node.test";
const ECHO: &str = "example.org/hyperty/Echo";

const ANSWERS: &str = "bus.addListener(url, (m) => {
    if (m.type === 'read') bus.postMessage({ id: m.id, type: 'response', from: url, to: m.from,
        body: { code: 200, value: m.body } });
});";

/// What runtimes need to meet a node by its name, and to know it.
struct Site {
    names: NameServer,
    files: TempDir,
}

impl Site {
    fn trusting(ours: &Authority) -> Self {
        let names = NameServer::start(&[(HOST, &[std::net::Ipv4Addr::LOCALHOST])]);
        let files = TempDir::new();
        fs::write(files.join("roots.pem"), &ours.pem).unwrap();
        Self { names, files }
    }

    fn node(&self, authority: &Authority, name: &str, valid: Valid) -> (Node, TempDir) {
        // The node has read both before it says that it is ready.
        let (certificate, key) = authority.certificate(name, valid);
        let [certificate, key] =
            [("node.pem", certificate), ("node.key", key)].map(|(file, pem)| {
                let file = self.files.join(file);
                fs::write(&file, pem).unwrap();
                file.display().to_string()
            });
        let data = TempDir::new();
        let tls = ["--tls-cert", &certificate, "--tls-key", &key];
        let node = Node::start(
            &[
                &tls[..],
                &["--data-dir", &data.path().display().to_string()],
            ]
            .concat(),
        );
        (node, data)
    }

    fn runtime(&self, nodes: &[String]) -> Runtime {
        let roots = self.files.join("roots.pem").display().to_string();
        let catalogue = Catalogue::new()
            .script(DOMAIN, "Echo", &script(ANSWERS))
            .permissive();
        let mut all = vec!["--domain", DOMAIN, "--tls-roots", &roots];
        let resolver = self.names.argument();
        all.extend(["--resolver", &resolver]);
        for node in nodes {
            all.extend(["--node", node]);
        }
        Runtime::with(catalogue).arguments(&all).start()
    }
}

fn url(node: &Node) -> String {
    format!("wss://{HOST}:{}/ws", node.at.port())
}

#[test]
fn two_runtimes_meet_at_a_node_over_tls() {
    let ours = Authority::named("ours");
    let site = Site::trusting(&ours);
    let (node, _data) = site.node(&ours, HOST, Valid::Now);
    let [one, other] = [(), ()].map(|()| site.runtime(&[url(&node)]));
    for runtime in [&one, &other] {
        eventually("the runtime is live", || is_live(runtime, DOMAIN));
    }

    let echo = other.deploy(ECHO);

    eventually("it is answered across", || {
        let answer = one
            .operator()
            .ask("read", &echo.address, &json!({ "n": 1 }));
        (answer.code, &answer.value()["n"]) == (200, &json!(1))
    });
}

#[test]
fn a_node_that_is_not_who_it_should_be_is_told_by_what_is_wrong_with_it() {
    let (ours, theirs) = (Authority::named("ours"), Authority::named("theirs"));
    let site = Site::trusting(&ours);
    let wrong = [
        (
            "old.test",
            site.node(&ours, HOST, Valid::Before),
            "has expired",
        ),
        (
            "late.test",
            site.node(&ours, HOST, Valid::Later),
            "is not valid yet",
        ),
        (
            "named.test",
            site.node(&ours, "other.test", Valid::Now),
            "is for `other.test`",
        ),
        (
            "unknown.test",
            site.node(&theirs, HOST, Valid::Now),
            "nobody that is trusted here",
        ),
    ];
    let nodes = wrong
        .each_ref()
        .map(|(domain, (node, _), _)| format!("{domain}={}", url(node)));
    let runtime = site.runtime(&nodes);

    for (domain, _, expected) in wrong {
        eventually(&format!("it is told why {domain} is not reached"), || {
            let stubs = runtime.components();
            stubs
                .iter()
                .any(|stub| stub.session == "disconnected" && stub.session_desc.contains(expected))
        });
        assert!(!is_live(&runtime, domain));
        let to = format!("hyperty://{domain}/1");
        let operator = runtime.operator();
        let answer = operator.ask_bytes("read", &to, b"{}", Duration::from_secs(2));
        let answer = answer.unwrap();
        assert_eq!(answer.code, 503, "{domain}: {answer:?}");
        assert!(answer.reason().contains("away"), "{domain}: {answer:?}");
    }
}

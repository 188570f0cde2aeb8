//! A runtime with one component that visits what it is told.

use std::fs;
use std::net::Ipv4Addr;

use hyperty_tests::harness::{Catalogue, Runtime, TempDir, some_time};
use protocol::api::user_agent::Component;
use serde_json::{Value, json};

use crate::far_end::Authority;
use crate::far_hosts::NameServer;

const VISITOR: &str = "a.example/hyperty/Visitor";
const GRANTEE: &str = "a.example/Visitor";

/// As what the component is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Script,
    Native,
}

/// The tests, once for scripts and once for programs.
macro_rules! for_both {
    ($($name:ident),* $(,)?) => {
        mod script {
            use crate::stage::Kind;
            $(#[test] fn $name() { super::$name(Kind::Script) })*
        }
        mod native {
            use crate::stage::Kind;
            $(#[test] fn $name() { super::$name(Kind::Native) })*
        }
    };
}
pub(crate) use for_both;

/// `site.test` and `other.test` are this machine; `ours` is trusted.
pub(crate) struct Stage {
    pub(crate) runtime: Runtime,
    pub(crate) names: NameServer,
    visitor: Component,
    _roots: TempDir,
}

impl Stage {
    /// With a component whose descriptor asks for these places.
    pub(crate) fn new(kind: Kind, network: &Value, ours: &Authority) -> Self {
        Self::with(Catalogue::new(), kind, network, ours)
    }

    pub(crate) fn with(
        catalogue: Catalogue,
        kind: Kind,
        network: &Value,
        ours: &Authority,
    ) -> Self {
        let here: &[Ipv4Addr] = &[Ipv4Addr::LOCALHOST];
        let names = NameServer::start(&[("site.test", here), ("other.test", here)]);
        let roots = TempDir::new();
        let file = roots.join("roots.pem");
        fs::write(&file, &ours.pem).unwrap();
        let runtime = Runtime::with(with_visitor(catalogue, kind, network))
            .arguments(&["--resolver", &names.argument()])
            .arguments(&["--tls-roots", file.to_str().unwrap()])
            .start();
        let visitor = runtime.deploy(VISITOR);
        Self {
            runtime,
            names,
            visitor,
            _roots: roots,
        }
    }

    /// Has the component do something; what it answers.
    ///
    /// More dials within a second than a sandbox may make are asked for again.
    #[track_caller]
    pub(crate) fn asks(&self, body: &Value) -> Value {
        some_time("it is not too much at once", || {
            let operator = self.runtime.operator();
            let answer = operator.ask("execute", &self.visitor.address, body);
            assert_eq!(answer.code, 200, "{answer:?}");
            let is_too_much = answer.value().to_string().contains("dials within a second");
            (!is_too_much).then(|| answer.value().clone())
        })
    }

    /// The same with what must fail; why it did.
    #[track_caller]
    pub(crate) fn fails(&self, body: &Value) -> String {
        let answer = self.asks(body);
        let why = answer["failed"].as_str();
        why.unwrap_or_else(|| panic!("{body} came to {answer}"))
            .to_owned()
    }

    /// The operator grants `HOST:PORT`, wherever it leads to.
    #[track_caller]
    pub(crate) fn grants(&self, host: &str, port: u16) {
        let place = format!("{host}:{port}");
        let granted = ["grants", "add", GRANTEE, &place, "--private"];
        let _ = self.runtime.hyperty(&granted).succeeded();
    }

    /// The operator takes everything away; what the command line says.
    pub(crate) fn revokes(&self) -> String {
        let revoked = ["grants", "revoke", GRANTEE];
        self.runtime.hyperty(&revoked).succeeded().stdout
    }

    pub(crate) fn open_sockets(&self) -> usize {
        let listing = self.runtime.operator().read_room("connections");
        listing["sockets"].as_array().unwrap().len()
    }
}

fn with_visitor(catalogue: Catalogue, kind: Kind, network: &Value) -> Catalogue {
    let (catalogue, language) = match kind {
        Kind::Script => (
            catalogue.fixture_script("a.example", "Visitor"),
            "javascript",
        ),
        Kind::Native => {
            let none = json!({});
            (
                catalogue.program("a.example", "Visitor", "visitor", &none),
                "native",
            )
        }
    };
    let descriptor = json!({
        "name": "Visitor", "language": language, "configuration": {}, "network": network,
    });
    let file = "a.example/.well-known/hyperty/Visitor.hy.json";
    catalogue.file(file, &descriptor.to_string())
}

//! A catalogue of one provider that publishes signed packages, and a runtime that takes them.

use std::fs;
use std::path::PathBuf;

use hyperty_tests::harness::{
    Answer, Catalogue, Outcome, Runtime, TempDir, eventually, hyperty, script,
};
use protocol::api::user_agent::Component;
use serde_json::{Value, json};

pub(crate) const ECHO: &str = "acme.example/hyperty/Echo";

/// Where a provider builds and signs.
pub(crate) struct Shop {
    place: TempDir,
    /// The folder that is published.
    pub published: PathBuf,
}

impl Shop {
    /// With a key, a catalogue of nothing, and the catalogue for a runtime.
    pub(crate) fn open() -> (Self, Catalogue) {
        let catalogue = Catalogue::new();
        let published = catalogue.path().to_path_buf();
        let shop = Self {
            place: TempDir::new(),
            published,
        };
        fs::create_dir_all(shop.package().parent().unwrap()).unwrap();
        shop.key("own");
        (shop, catalogue)
    }

    /// The package as it is published.
    pub(crate) fn package(&self) -> PathBuf {
        self.published
            .join("acme.example/.well-known/hyperty/Echo.hy.pkg")
    }

    /// Makes a key.
    pub(crate) fn key(&self, name: &str) -> String {
        let file = self.file(&format!("{name}.key"));
        let _ = tool(&[
            "package",
            "keygen",
            "--no-password",
            "--out",
            &file,
            "--json",
        ])
        .succeeded();
        fs::read_to_string(self.file(&format!("{name}.pub"))).unwrap()
    }

    /// A file of the shop's own.
    pub(crate) fn file(&self, name: &str) -> String {
        self.place.join(name).display().to_string()
    }

    /// Builds a version that answers with its number, and publishes it.
    pub(crate) fn publish(&self, version: &str) {
        self.publish_with(
            version,
            &json!({}),
            &["--key", &self.file("own.key"), "--no-password"],
        );
    }

    /// The same without a signature.
    pub(crate) fn publish_unsigned(&self, version: &str) {
        self.publish_with(version, &json!({}), &[]);
    }

    /// The same with members of the descriptor and other options.
    pub(crate) fn publish_with(&self, version: &str, asks: &Value, options: &[&str]) {
        let mut descriptor = json!({ "name": "Echo", "language": "javascript" });
        descriptor
            .as_object_mut()
            .unwrap()
            .extend(asks.as_object().unwrap().clone());
        let answers = format!(
            "bus.addListener(url, function (m) {{
                if (m.type !== 'read') return;
                bus.postMessage({{ id: m.id, type: 'response', from: m.to, to: m.from,
                                   body: {{ code: 200, value: '{version}' }} }});
            }});"
        );
        fs::write(self.file("Echo.hy.json"), descriptor.to_string()).unwrap();
        fs::write(self.file("Echo.hy.js"), script(&answers)).unwrap();
        let (source, out) = (
            self.file("Echo.hy.json"),
            self.package().display().to_string(),
        );
        let mut words = vec!["package", "build", &source, "--version", version];
        words.extend(["--provider", "acme.example", "--out", &out]);
        words.extend(options);
        let _ = tool(&words).succeeded();
    }

    /// Changes the bytes that are published.
    pub(crate) fn tamper(&self, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(self.package()).unwrap();
        change(&mut bytes);
        fs::write(self.package(), bytes).unwrap();
    }
}

/// The command line, without a supervisor.
pub(crate) fn tool(words: &[&str]) -> Outcome {
    hyperty(words, [("PATH", "/usr/bin:/bin")])
}

/// What the component says: the version that it was built as.
#[track_caller]
pub(crate) fn says(runtime: &Runtime, component: &Component) -> String {
    let answer = runtime
        .operator()
        .ask("read", &component.address, &json!({}));
    answer.value().as_str().unwrap_or_default().to_owned()
}

/// A verb on the component.
pub(crate) fn method(runtime: &Runtime, method: &str) -> Answer {
    let body = json!({ "method": method, "resource": "Echo" });
    runtime.operator().ask_room("execute", "ua", &body)
}

/// Refused with this number, and a word of the reason; nothing runs.
#[track_caller]
pub(crate) fn refused(runtime: &Runtime, code: u16, word: &str) {
    let answer = runtime.try_deploy(ECHO);

    assert_eq!(answer.code, code, "{answer:?}");
    assert!(
        answer.reason().contains(word),
        "`{word}` is not in {answer:?}"
    );
    eventually("nothing of it is left", || runtime.components().is_empty());
}

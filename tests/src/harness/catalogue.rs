//! Catalogues in the published layout, made for one test.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::place::{TempDir, program, source_dir};

/// A catalogue directory with several providers.
#[derive(Debug)]
pub struct Catalogue {
    folder: TempDir,
}

impl Catalogue {
    /// An empty one.
    pub fn new() -> Self {
        Self {
            folder: TempDir::new(),
        }
    }

    /// The catalogue of `make demo`.
    ///
    /// # Panics
    ///
    /// When the fixture cannot be copied.
    pub fn demo() -> Self {
        Self::fixture("demo")
    }

    /// A catalogue below `tests/fixtures/`.
    ///
    /// # Panics
    ///
    /// When the fixture cannot be copied.
    pub fn fixture(name: &str) -> Self {
        let catalogue = Self::new();
        copy(
            &source_dir().join("tests/fixtures").join(name),
            catalogue.path(),
        );
        catalogue
    }

    /// Adds a hyperty in JavaScript.
    #[must_use]
    pub fn script(self, provider: &str, name: &str, source: &str) -> Self {
        let descriptor = json!({ "name": name, "language": "javascript", "configuration": {} });
        self.file(&hyperty(provider, name, "json"), &descriptor.to_string())
            .file(&hyperty(provider, name, "js"), source)
    }

    /// Adds a hyperty in JavaScript from `tests/fixtures/scripts/`.
    ///
    /// # Panics
    ///
    /// When there is no such fixture.
    #[must_use]
    pub fn fixture_script(self, provider: &str, name: &str) -> Self {
        let file = source_dir()
            .join("tests/fixtures/scripts")
            .join(format!("{name}.js"));
        let source = fs::read_to_string(file).expect("the fixture is there");
        self.script(provider, name, &source)
    }

    /// Adds the native puppet under this name; `configuration` says what it does.
    ///
    /// # Panics
    ///
    /// When the puppet is not built.
    #[must_use]
    pub fn puppet(self, provider: &str, name: &str, configuration: &Value) -> Self {
        self.program(provider, name, "puppet", configuration)
    }

    /// Adds any of the workspace's programs as a native hyperty.
    ///
    /// # Panics
    ///
    /// When the program is not built.
    #[must_use]
    pub fn program(self, provider: &str, name: &str, from: &str, configuration: &Value) -> Self {
        let descriptor =
            json!({ "name": name, "language": "native", "configuration": configuration });
        let catalogue = self.file(&hyperty(provider, name, "json"), &descriptor.to_string());
        let elf = catalogue.path().join(hyperty(provider, name, "elf"));
        fs::copy(program(from), elf).expect("the program can be copied");
        catalogue
    }

    /// Adds any of the workspace's programs as the protocol stub of a domain, by its
    /// usual name or another.
    ///
    /// # Panics
    ///
    /// When the program is not built.
    #[must_use]
    pub fn stub(self, provider: &str, name: &str, from: &str) -> Self {
        let folder = format!("{provider}/.well-known/protocolstub/{name}.ps");
        let descriptor = json!({ "name": name, "language": "native", "configuration": {} });
        let catalogue = self.file(&format!("{folder}.json"), &descriptor.to_string());
        let elf = catalogue.path().join(format!("{folder}.elf"));
        fs::copy(program(from), elf).expect("the program can be copied");
        catalogue
    }

    /// Adds the program that dials what it is told, and asks for these places.
    ///
    /// # Panics
    ///
    /// When the program is not built.
    #[must_use]
    pub fn dialler(self, provider: &str, name: &str, network: &Value) -> Self {
        let catalogue = self.program(provider, name, "dialler", &json!({}));
        let descriptor = json!({
            "name": name, "language": "native", "configuration": {}, "network": network,
        });
        catalogue.file(&hyperty(provider, name, "json"), &descriptor.to_string())
    }

    /// Adds a component that shows, in the end, that the runtime still works.
    #[must_use]
    pub fn with_witness(self) -> Self {
        let answers = "bus.addListener(url, function (m) {
            if (m.type === 'read') bus.postMessage({ id: m.id, type: 'response', from: url,
                to: m.from, body: { code: 200, value: m.body } }); });";
        self.script("good.example", "Witness", &script(answers))
    }

    /// Adds a file below the catalogue.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    #[must_use]
    pub fn file(self, path: &str, text: &str) -> Self {
        let file = self.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).expect("a folder can be made");
        fs::write(file, text).expect("a file can be written");
        self
    }

    /// Adds a rule file to `policy.d/`.
    #[must_use]
    pub fn rules(self, name: &str, text: &str) -> Self {
        self.file(&format!("policy.d/{name}"), text)
    }

    /// Permits everybody everything that the shipped rules do not forbid.
    #[must_use]
    pub fn permissive(self) -> Self {
        let rule = "@id(\"test-all\")\n@why(\"the test is about something else\")\n\
                    permit (principal, action, resource);\n";
        self.rules("90-test.cedar", rule)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Its rules, when it has any.
    pub fn policy_dir(&self) -> Option<PathBuf> {
        Some(self.path().join("policy.d")).filter(|folder| folder.is_dir())
    }
}

impl Default for Catalogue {
    fn default() -> Self {
        Self::new()
    }
}

/// A hyperty in the current published form whose `_start(url, bus, config)` does this.
pub fn script(start: &str) -> String {
    class(&format!(
        "function Component() {{}}
         Component.prototype._start = function (url, bus, config, factory) {{ {start} }};"
    ))
}

/// The same around a class `Component` of one's own.
pub fn class(definition: &str) -> String {
    format!(
        "System.register([], function (_export) {{ return {{ execute: function () {{\n\
         {definition}\n\
         _export({{ __esModule: true, default: Component }}); }} }}; }});\n"
    )
}

/// `weather.example`, `Station`, `js` → where the published layout has it.
fn hyperty(provider: &str, name: &str, extension: &str) -> String {
    format!("{provider}/.well-known/hyperty/{name}.hy.{extension}")
}

// As `fixtures/assemble` does: an `.elf` of a fixture holds a program's name.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("the fixture is there").flatten() {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target);
        } else if source
            .extension()
            .is_some_and(|extension| extension == "elf")
        {
            let name = fs::read_to_string(&source).expect("a program's name");
            fs::copy(program(name.trim()), target).expect("a program can be copied");
        } else {
            fs::copy(source, target).expect("a file can be copied");
        }
    }
}

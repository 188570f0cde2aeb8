//! The files of a project, from the templates.

use serde_json::json;

use super::{Kind, Language};

/// What a project is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Project<'a> {
    pub(super) kind: Kind,
    pub(super) language: Language,
    pub(super) name: &'a str,
    pub(super) provider: &'a str,
    /// Where a Rust project finds the crate `protocol`.
    pub(super) protocol: &'a str,
}

/// A file's path in the project, and its text.
type File = (String, String);

impl Project<'_> {
    /// `hyperty/NAME`, as a deployment names it.
    pub(super) fn component(&self) -> String {
        format!("{}/{}", self.folder(), self.name)
    }

    /// Every file.
    pub(super) fn files(&self) -> Vec<File> {
        let mut files = vec![
            (self.path("json"), self.descriptor()),
            (format!("{}.test.json", self.name), self.fill(self.test())),
            (
                "README.md".to_owned(),
                self.fill(include_str!("templates/common/README.md")),
            ),
            (
                ".gitignore".to_owned(),
                self.fill(include_str!("templates/common/gitignore")),
            ),
        ];
        files.extend(match self.language {
            Language::Js => vec![(self.path("js"), self.fill(self.code()))],
            Language::Ts => self.in_typescript(),
            Language::Rust => self.in_rust(),
        });
        files.sort();
        files
    }

    fn in_typescript(&self) -> Vec<File> {
        let types = |name: &str, text: &str| (format!("types/{name}"), text.to_owned());
        vec![
            (format!("src/{}.ts", self.name), self.fill(self.code())),
            (
                "package.json".to_owned(),
                self.fill(include_str!("templates/ts/package.json")),
            ),
            (
                "tsconfig.json".to_owned(),
                self.fill(include_str!("templates/ts/tsconfig.json")),
            ),
            (
                "build.mjs".to_owned(),
                self.fill(include_str!("templates/ts/build.mjs")),
            ),
            types("package.json", TYPES_PACKAGE),
            types("index.d.ts", TYPES),
            types("objects.d.ts", TYPES_OBJECTS),
            types("services.d.ts", TYPES_SERVICES),
            types("globals.d.ts", TYPES_GLOBALS),
            types("README.md", TYPES_README),
        ]
    }

    fn in_rust(&self) -> Vec<File> {
        vec![
            ("src/main.rs".to_owned(), self.fill(self.code())),
            (
                "Cargo.toml".to_owned(),
                self.fill(include_str!("templates/rust/manifest.toml")),
            ),
            (
                ".cargo/config.toml".to_owned(),
                include_str!("templates/rust/config.toml").to_owned(),
            ),
        ]
    }

    const fn code(&self) -> &'static str {
        match (self.language, self.kind) {
            (Language::Js, Kind::Hyperty) => include_str!("templates/js/hyperty.js"),
            (Language::Js, Kind::Protostub) => include_str!("templates/js/protostub.js"),
            (Language::Js, Kind::IdpProxy) => include_str!("templates/js/idp-proxy.js"),
            (Language::Ts, Kind::Hyperty) => include_str!("templates/ts/hyperty.ts"),
            (Language::Ts, Kind::Protostub) => include_str!("templates/ts/protostub.ts"),
            (Language::Ts, Kind::IdpProxy) => include_str!("templates/ts/idp-proxy.ts"),
            (Language::Rust, Kind::Hyperty) => include_str!("templates/rust/hyperty.rs"),
            (Language::Rust, Kind::Protostub) => include_str!("templates/rust/protostub.rs"),
            (Language::Rust, Kind::IdpProxy) => include_str!("templates/rust/idp-proxy.rs"),
        }
    }

    const fn test(&self) -> &'static str {
        match self.kind {
            Kind::Hyperty => include_str!("templates/common/hyperty.test.json"),
            Kind::Protostub => include_str!("templates/common/protostub.test.json"),
            Kind::IdpProxy => include_str!("templates/common/idp-proxy.test.json"),
        }
    }

    fn descriptor(&self) -> String {
        let language = match self.language {
            Language::Js | Language::Ts => "javascript",
            Language::Rust => "native",
        };
        let mut descriptor = json!({
            "name": self.name, "language": language, "version": "0.1.0",
            "description": format!("{} of {}", self.what(), self.provider),
            "signature": "", "configuration": {}, "constraints": {},
        });
        if self.kind == Kind::Hyperty
            && let Some(members) = descriptor.as_object_mut()
        {
            members.insert("hypertyType".to_owned(), json!(["greeting"]));
            members.insert("dataObjects".to_owned(), json!([]));
        }
        format!("{descriptor:#}\n")
    }

    const fn folder(&self) -> &'static str {
        match self.kind {
            Kind::Hyperty => "hyperty",
            Kind::Protostub => "protocolstub",
            Kind::IdpProxy => "idp-proxy",
        }
    }

    const fn what(&self) -> &'static str {
        match self.kind {
            Kind::Hyperty => "hyperty",
            Kind::Protostub => "protocol stub",
            Kind::IdpProxy => "identity provider's proxy",
        }
    }

    // PROVIDER/.well-known/hyperty/NAME.hy.ENDING
    fn path(&self, ending: &str) -> String {
        let infix = match self.kind {
            Kind::Hyperty => "hy",
            Kind::Protostub => "ps",
            Kind::IdpProxy => "idp",
        };
        let (provider, folder, name) = (self.provider, self.folder(), self.name);
        format!("{provider}/.well-known/{folder}/{name}.{infix}.{ending}")
    }

    fn fill(&self, template: &str) -> String {
        let code = match self.language {
            Language::Js | Language::Ts => self.path("js"),
            Language::Rust => self.path("elf"),
        };
        let class = class_of(self.name);
        let package = self.name.to_lowercase();
        let (setup, made, files, ignored) = self.about_the_build(&code);
        let words: [(&str, &str); 14] = [
            ("name", self.name),
            ("class", &class),
            ("package", &package),
            ("provider", self.provider),
            ("component", &self.component()),
            ("what", self.what()),
            ("descriptor", &self.path("json")),
            ("code", &code),
            ("protocol", self.protocol),
            ("setup", setup),
            ("made", made),
            ("files", &files),
            ("ignored", &ignored),
            ("folder", self.folder()),
        ];
        let mut text = template.to_owned();
        for (word, value) in words {
            text = text.replace(&format!("{{{{{word}}}}}"), value);
        }
        text
    }

    fn about_the_client(&self) -> &'static str {
        if self.protocol.starts_with("path = \"protocol\"") {
            "| `protocol/` | the runtime's client library; a newer `hyperty new` writes a newer one |\n"
        } else {
            ""
        }
    }

    // For README and .gitignore: what to do first, a remark on the code, the files
    // of the build, and what is not to be kept.
    fn about_the_build(&self, code: &str) -> (&'static str, &'static str, String, String) {
        match self.language {
            Language::Js => ("", "", String::new(), "*.log".to_owned()),
            Language::Ts => (
                "npm install           # esbuild and the TypeScript compiler\n",
                ", made by `npm run build` from `src/`",
                format!(
                    "| `src/{}.ts` | what it is made of |\n\
                     | `build.mjs` | how |\n\
                     | `types/` | the runtime's declarations; `npm run check` reads them |\n",
                    self.name
                ),
                format!("node_modules/\n{code}\n{code}.map"),
            ),
            Language::Rust => (
                "hyperty build         # cargo build, and the program put in its place\n",
                ", put there by `hyperty build`",
                format!(
                    "| `src/main.rs`, `Cargo.toml` | what it is made of |\n\
                     | `.cargo/config.toml` | makes it one static file |\n{}",
                    self.about_the_client()
                ),
                format!("target/\n{code}"),
            ),
        }
    }
}

/// `my-echo` → `MyEcho`.
fn class_of(name: &str) -> String {
    let words = name.split(['-', '_']);
    words
        .map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            first.into_iter().chain(letters).collect::<String>()
        })
        .collect()
}

const TYPES_PACKAGE: &str =
    include_str!("../../../../../../sandbox-host/framework/types/package.json");
const TYPES: &str = include_str!("../../../../../../sandbox-host/framework/types/index.d.ts");
const TYPES_GLOBALS: &str =
    include_str!("../../../../../../sandbox-host/framework/types/globals.d.ts");
const TYPES_README: &str = include_str!("../../../../../../sandbox-host/framework/types/README.md");
const TYPES_OBJECTS: &str =
    include_str!("../../../../../../sandbox-host/framework/types/objects.d.ts");
const TYPES_SERVICES: &str =
    include_str!("../../../../../../sandbox-host/framework/types/services.d.ts");

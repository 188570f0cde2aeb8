//! Descriptor text → [`Descriptor`], in the shapes that were ever published.
//!
//! | shape | differs in |
//! |---|---|
//! | G2, a static file | everything beside the code file |
//! | G1, from a broker | any value may come as JSON text; code may be embedded as `sourcePackage` |
//!
//! Any member may be absent. Two published descriptors name no `language`: as
//! everything published they are JavaScript.
//!
//! What is not read here (`signature`, `messageSchemas`, `version`, …) may stand
//! there in any form. What is read and wrong is an error with its line.

use protocol::Code;
use protocol::api::connections::Pattern;
use protocol::frame::ComponentKind;
use protocol::nursery::Engine;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::limits::{CONFIGURATION_BYTES_MAX, WORD_BYTES_MAX, WORDS_MAX};
use super::{Descriptor, PackageFailure, base64, names};
use crate::limits::NETWORK_PER_DESCRIPTOR_MAX;
use crate::place::checked;
use crate::quota::{self, Asked};

/// Where a descriptor was found: what its text does not say.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// Its file, for humans.
    pub file: &'a str,
    /// The name its file has.
    pub name: &'a str,
    /// The folder it stands in.
    pub kind: ComponentKind,
    /// Whose folder that is.
    pub provider: &'a str,
    /// What `%domain%` stands for.
    pub domain: &'a str,
}

/// A descriptor, and what it says about its code.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// What is to be deployed.
    pub descriptor: Descriptor,
    /// `sha256:…` that the code must have.
    pub digest: Option<String>,
    /// The code itself, when the descriptor carries it.
    pub embedded: Option<Vec<u8>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    name: Option<String>,
    object_name: Option<String>,
    language: Option<String>,
    digest: Option<String>,
    configuration: Option<Value>,
    constraints: Option<Value>,
    hyperty_type: Option<Value>,
    data_objects: Option<Value>,
    network: Option<Value>,
    limits: Option<Value>,
    source_package: Option<Value>,
    interworking: Option<Value>,
}

/// Reads a descriptor.
pub fn parse(text: &[u8], found: Found<'_>) -> Result<Parsed, PackageFailure> {
    let reader = Reader { text, found };
    let raw = reader.raw()?;
    let engine = reader.engine(raw.language.as_deref())?;
    let own_name = [raw.name, raw.object_name].into_iter().flatten();
    let name = own_name
        .map(|name| name.trim().to_owned())
        .find(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| found.name.to_owned());
    reader.check_name(&name)?;
    let configuration = reader.object("configuration", raw.configuration)?;
    let bytes = serde_json::to_string(&configuration).map_or(usize::MAX, |text| text.len());
    if bytes > CONFIGURATION_BYTES_MAX {
        let reason = format!("`configuration` is longer than {CONFIGURATION_BYTES_MAX} bytes");
        return Err(reader.wrong("configuration", &reason));
    }
    let mut data_objects = reader.words("dataObjects", raw.data_objects)?;
    for url in &mut data_objects {
        *url = url.replace("%domain%", found.domain);
    }
    let embedded = raw
        .source_package
        .map(|package| reader.embedded(package))
        .transpose()?;
    Ok(Parsed {
        digest: raw
            .digest
            .map(|digest| reader.digest(&digest))
            .transpose()?
            .flatten(),
        embedded: embedded.flatten(),
        descriptor: Descriptor {
            name,
            kind: found.kind,
            engine,
            provider: found.provider.to_owned(),
            configuration,
            constraints: reader.object("constraints", raw.constraints)?,
            hyperty_type: reader.words("hypertyType", raw.hyperty_type)?,
            data_objects,
            interworking: unpacked(raw.interworking) == Some(Value::Bool(true)),
            network: reader.network(raw.network)?,
            limits: reader.limits(raw.limits)?,
        },
    })
}

struct Reader<'a> {
    text: &'a [u8],
    found: Found<'a>,
}

impl Reader<'_> {
    fn raw(&self) -> Result<Raw, PackageFailure> {
        // A list would be taken for the members in their order.
        if self.text.trim_ascii_start().first() != Some(&b'{') {
            let json = serde_json::from_slice::<IgnoredAny>(self.text);
            json.map_err(|e| self.not_json(&e))?;
            return Err(self.wrong("", "the descriptor is not a JSON object"));
        }
        serde_json::from_slice(self.text).map_err(|e| self.not_json(&e))
    }

    fn not_json(&self, e: &serde_json::Error) -> PackageFailure {
        let (line, column) = (e.line(), e.column());
        // The place stands in front already.
        let what = e.to_string();
        let what = what.split(" at line ").next().unwrap_or_default();
        failure(format!("{}:{line}:{column}: {what}", self.found.file))
    }

    /// A failure at the line where a member stands, or at the first one.
    fn wrong(&self, member: &str, reason: &str) -> PackageFailure {
        let quoted = format!("\"{member}\"");
        let text = String::from_utf8_lossy(self.text);
        let line = text
            .lines()
            .position(|line| line.contains(&quoted))
            .unwrap_or(0)
            + 1;
        failure(format!("{}:{line}: {reason}", self.found.file))
    }

    fn engine(&self, language: Option<&str>) -> Result<Engine, PackageFailure> {
        match language.map(str::to_ascii_lowercase).as_deref() {
            None | Some("javascript") => Ok(Engine::Script),
            Some("native") => Ok(Engine::Native),
            Some(other) => {
                let other = shown(other);
                let reason = format!("`language` is `{other}`: say `javascript` or `native`");
                Err(self.wrong("language", &reason))
            }
        }
    }

    // Names are printed and compared; unlike a file's, one may have spaces.
    fn check_name(&self, name: &str) -> Result<(), PackageFailure> {
        names::check_name(&name.replace(' ', "_")).map_err(|reason| self.wrong("name", &reason))
    }

    fn object(
        &self,
        member: &str,
        value: Option<Value>,
    ) -> Result<Map<String, Value>, PackageFailure> {
        match unpacked(value) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(members)) => Ok(members),
            Some(_) => {
                let reason = format!("`{member}` is neither an object nor JSON text of one");
                Err(self.wrong(member, &reason))
            }
        }
    }

    fn words(&self, member: &str, value: Option<Value>) -> Result<Vec<String>, PackageFailure> {
        let words = match unpacked(value) {
            None | Some(Value::Null) => Some(Vec::new()),
            Some(Value::String(word)) => Some(vec![word]),
            Some(Value::Array(members)) => members.into_iter().map(text).collect(),
            Some(_) => None,
        };
        let fits = |words: &Vec<String>| {
            words.len() <= WORDS_MAX && words.iter().all(|word| word.len() <= WORD_BYTES_MAX)
        };
        words.filter(fits).ok_or_else(|| {
            let reason = format!(
                "`{member}` is not a list of at most {WORDS_MAX} texts of at most \
                 {WORD_BYTES_MAX} bytes"
            );
            self.wrong(member, &reason)
        })
    }

    fn network(&self, value: Option<Value>) -> Result<Vec<Pattern>, PackageFailure> {
        let wrong = |reason: String| self.wrong("network", &format!("`network`: {reason}"));
        let places: Vec<Pattern> = match unpacked(value) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(value) => serde_json::from_value(value).map_err(|e| wrong(e.to_string()))?,
        };
        if places.len() > NETWORK_PER_DESCRIPTOR_MAX {
            return Err(wrong(format!(
                "{} places, and at most {NETWORK_PER_DESCRIPTOR_MAX} may be asked for",
                places.len()
            )));
        }
        let domain = self.found.domain;
        let read = |mut place: Pattern| {
            place.host = place.host.replace("%domain%", domain);
            checked(place).map_err(wrong)
        };
        places.into_iter().map(read).collect()
    }

    fn limits(&self, value: Option<Value>) -> Result<Asked, PackageFailure> {
        let members = self.object("limits", value)?;
        quota::asked(&members).map_err(|(member, reason)| self.wrong(&member, &reason))
    }

    fn digest(&self, digest: &str) -> Result<Option<String>, PackageFailure> {
        if digest.is_empty() {
            return Ok(None);
        }
        let hex = digest.strip_prefix("sha256:");
        let hex = hex.filter(|hex| hex.len() == 64 && hex.bytes().all(|c| c.is_ascii_hexdigit()));
        match hex {
            Some(hex) => Ok(Some(format!("sha256:{}", hex.to_ascii_lowercase()))),
            None => Err(self.wrong("digest", "`digest` is not `sha256:` and 64 hex digits")),
        }
    }

    fn embedded(&self, package: Value) -> Result<Option<Vec<u8>>, PackageFailure> {
        let mut package = self.object("sourcePackage", Some(package))?;
        let code = match package.remove("sourceCode") {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(code)) => code,
            Some(_) => return Err(self.wrong("sourceCode", "`sourceCode` is not a text")),
        };
        match package.get("encoding").and_then(Value::as_str) {
            None | Some("") => Ok(Some(code.into_bytes())),
            Some("base64") => {
                let decoded = base64::decode(&code);
                let wrong = |e| self.wrong("sourceCode", &format!("`sourceCode`: {e}"));
                decoded.map(Some).map_err(wrong)
            }
            Some(other) => {
                let reason = format!("`encoding` is `{}`: only base64 is known", shown(other));
                Err(self.wrong("encoding", &reason))
            }
        }
    }
}

/// JSON text → what it says; other texts stay as they are.
fn unpacked(value: Option<Value>) -> Option<Value> {
    match value {
        Some(Value::String(text)) if text.trim().is_empty() => None,
        Some(Value::String(text)) => {
            Some(serde_json::from_str(&text).unwrap_or(Value::String(text)))
        }
        other => other,
    }
}

fn failure(reason: String) -> PackageFailure {
    PackageFailure {
        code: Code::BAD_REQUEST,
        reason,
        elsewhere: None,
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// A foreign text as it may be printed: short, and without control characters.
fn shown(text: &str) -> String {
    text.chars()
        .take(40)
        .flat_map(char::escape_default)
        .collect()
}

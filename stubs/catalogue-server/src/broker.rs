//! The older interface: descriptors with what a broker adds, and code in envelopes.
//!
//! Published runtimes of the first generation ask a broker that holds
//! descriptors in a database (spec messaging §4.1, §11.3). What it would add is
//! made here from the same files: `cguid`, `sourcePackageURL`, and the envelope
//! of the code. They compare `version` to decide whether their copy is fresh; a
//! descriptor without one gets none, so they fetch it again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::StatusCode;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::answer::{self, Answer, Asked, refused};
use crate::limits::PARSED_BYTES_MAX;
use crate::paths::{Kind, descriptor_file, script_file};
use crate::shelf::{Stock, Unserved, hex};

/// A descriptor, or one member of it.
pub(crate) async fn descriptor(
    stock: &Stock,
    asked: &Asked,
    (kind, name): (Kind, &str),
    member: Option<&str>,
) -> Answer {
    let descriptor = match read(stock, asked, kind, name).await {
        Ok(descriptor) => descriptor,
        Err(refusal) => return refusal,
    };
    if let Some(constraints) = &asked.constraints
        && let Some(unmet) = unmet(&descriptor, constraints)
    {
        let reason = format!("no instance of `{name}` fits: it needs `{unmet}`");
        return refused(StatusCode::NOT_FOUND, &reason);
    }
    match member {
        None => answer::json(&Value::Object(descriptor)),
        Some(member) => match descriptor.get(member) {
            Some(value) => answer::value(value),
            None => refused(
                StatusCode::NOT_FOUND,
                &format!("`{name}` has no `{member}`"),
            ),
        },
    }
}

/// The code of a script, in its envelope or as it is.
pub(crate) async fn source(stock: &Stock, kind: Kind, name: &str, only_text: bool) -> Answer {
    let code = match stock.read(&script_file(kind, name), PARSED_BYTES_MAX).await {
        Ok(code) => code.bytes,
        Err(e) => return answer::unserved(&e),
    };
    let class = format!("{name}.{}", kind.infix);
    match std::str::from_utf8(&code) {
        Ok(text) if only_text => answer::value(&Value::from(text)),
        Ok(text) => answer::json(&json!({ "sourceCodeClassname": class, "sourceCode": text })),
        Err(_) => answer::json(&json!({
            "sourceCodeClassname": class,
            "encoding": "base64",
            "sourceCode": STANDARD.encode(&code),
        })),
    }
}

async fn read(
    stock: &Stock,
    asked: &Asked,
    kind: Kind,
    name: &str,
) -> Result<Map<String, Value>, Answer> {
    let file = stock
        .read(&descriptor_file(kind, name), PARSED_BYTES_MAX)
        .await;
    let file = file.map_err(|e| answer::unserved(&e))?;
    let parsed = serde_json::from_slice::<Map<String, Value>>(&file.bytes);
    let mut descriptor = parsed.map_err(|e| {
        let reason = format!("the descriptor of `{name}` is no JSON object: {e}");
        refused(StatusCode::INTERNAL_SERVER_ERROR, &reason)
    })?;
    let code = match stock.read(&script_file(kind, name), PARSED_BYTES_MAX).await {
        Ok(code) => Some(code.digest),
        Err(Unserved::Absent) => None,
        Err(e) => return Err(answer::unserved(&e)),
    };
    let cguid = Sha256::digest(file.digest + code.as_deref().unwrap_or_default());
    let cguid = hex(&cguid).get(..32).unwrap_or_default().to_owned();
    descriptor.entry("cguid").or_insert_with(|| cguid.into());
    if code.is_some() && !descriptor.contains_key("sourcePackage") {
        let Kind { infix, .. } = kind;
        let host = &asked.authority;
        let url = format!("hyperty-catalogue://{host}/.well-known/sourcepackage/{name}.{infix}");
        descriptor.insert("sourcePackageURL".to_owned(), url.into());
    }
    Ok(descriptor)
}

/// The first constraint of a descriptor that the asker does not meet.
fn unmet(descriptor: &Map<String, Value>, has: &Value) -> Option<String> {
    let needed = match descriptor.get("constraints") {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        Some(other) => other.clone(),
        None => return None,
    };
    let needed = needed.as_object()?;
    needed
        .iter()
        .find(|(name, value)| !fits(value, has.get(*name).unwrap_or(&Value::Null)))
        .map(|(name, _)| name.clone())
}

// Texts and numbers that read alike are alike; lists are parts of lists.
fn fits(needed: &Value, has: &Value) -> bool {
    match (needed, has) {
        (Value::Array(needed), Value::Array(has)) => needed
            .iter()
            .all(|one| has.iter().any(|other| fits(one, other))),
        (Value::Object(needed), Value::Object(has)) => needed
            .iter()
            .all(|(name, value)| fits(value, has.get(name).unwrap_or(&Value::Null))),
        // What is not needed may be there.
        (Value::Bool(false), _) => true,
        _ => needed == has || plain(needed).is_some_and(|text| Some(text) == plain(has)),
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_fits_who_has_all_that_it_needs() {
        let needs = |constraints: Value| {
            let descriptor = json!({ "constraints": constraints });
            descriptor.as_object().unwrap().clone()
        };
        let has = json!({ "browser": true, "level": 2, "codecs": ["opus", "vp8"] });

        assert_eq!(unmet(&needs(json!({ "browser": true })), &has), None);
        assert_eq!(
            unmet(&needs(json!({ "browser": "true", "level": "2" })), &has),
            None
        );
        assert_eq!(unmet(&needs(json!({ "codecs": ["vp8"] })), &has), None);
        assert_eq!(
            unmet(&needs(json!("{\"mic\":true}")), &has),
            Some("mic".to_owned())
        );
        assert_eq!(
            unmet(&needs(json!({ "codecs": ["h264"] })), &has),
            Some("codecs".to_owned())
        );
        assert_eq!(unmet(&needs(json!({ "mic": false })), &has), None);
        assert_eq!(unmet(&Map::new(), &has), None);
    }
}

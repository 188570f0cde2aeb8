//! The crate `protocol` as a project in Rust gets it: beside its own sources.
//!
//! It is on no registry, and a project is to be built where there is nothing of this
//! runtime but this program, now and when the runtime has moved on.

use toml::{Table, Value};

/// Where it is put, below the project.
pub(super) const FOLDER: &str = "protocol";

const SOURCES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/protocol_sources.rs"));
const README: &str = include_str!("../../../../../../protocol/README.md");
const LICENSE: &str = include_str!("../../../../../../LICENSE");
const MANIFEST: &str = include_str!("../../../../../../protocol/Cargo.toml");
const WORKSPACE: &str = include_str!("../../../../../../Cargo.toml");

/// Its files, by their paths in the project.
pub(super) fn files() -> Result<Vec<(String, String)>, toml::de::Error> {
    let manifest = manifest()?.to_string();
    let others = [
        ("Cargo.toml", manifest.as_str()),
        ("README.md", README),
        ("LICENSE", LICENSE),
    ];
    let all = SOURCES.iter().copied().chain(others);
    Ok(all
        .map(|(path, text)| (format!("{FOLDER}/{path}"), text.to_owned()))
        .collect())
}

/// Its manifest, for life without the workspace.
fn manifest() -> Result<Table, toml::de::Error> {
    let mut manifest: Table = MANIFEST.parse()?;
    let workspace: Table = WORKSPACE.parse()?;
    let inherited = |what: &str| workspace.get("workspace")?.get(what)?.as_table();
    for table in ["package", "dependencies"] {
        let own = manifest.get_mut(table).and_then(Value::as_table_mut);
        for (name, value) in own.into_iter().flatten() {
            let whole = inherited(table).and_then(|all| all.get(name));
            if let Some(whole) = whole {
                inherit(value, whole);
            }
        }
    }
    // Its tests are not here, and lints are for whoever changes it.
    manifest.remove("dev-dependencies");
    manifest.remove("lints");
    Ok(manifest)
}

/// What the workspace says, with what the crate adds to it.
fn inherit(value: &mut Value, whole: &Value) {
    let Some(own) = value.as_table_mut() else {
        return;
    };
    if own.remove("workspace").is_none() {
        return;
    }
    if own.is_empty() {
        *value = whole.clone();
        return;
    }
    let whole = match whole {
        Value::Table(whole) => whole.clone(),
        version => Table::from_iter([("version".to_owned(), version.clone())]),
    };
    for (key, said) in whole {
        match (own.get_mut(&key), said) {
            // Features add up.
            (Some(Value::Array(more)), Value::Array(said)) => more.extend(said),
            (Some(_), _) => {}
            (None, said) => drop(own.insert(key, said)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crate_is_whole_and_needs_no_workspace() {
        let files = files().unwrap();
        let text = |name: &str| &files.iter().find(|(path, _)| path == name).unwrap().1;
        let manifest: Table = text("protocol/Cargo.toml").parse().unwrap();

        assert!(text("protocol/src/lib.rs").contains("pub mod client;"));
        assert!(text("protocol/src/client/blocking/mod.rs").contains("Component"));
        assert!(!manifest.to_string().contains("workspace"), "{manifest}");
        assert_eq!(
            manifest["package"]["version"],
            Value::from(env!("CARGO_PKG_VERSION"))
        );
        assert_eq!(
            manifest["dependencies"]["tokio"]["optional"],
            Value::from(true)
        );
        assert!(manifest["dependencies"]["tokio"]["version"].is_str());
        assert!(manifest["dependencies"]["bincode"]["features"].is_array());
    }
}

//! Whose traffic a recording is that does not say so: what `hyperty tap --json` printed.
//!
//! A tap of one component shows its address in every message, and nobody else's
//! unless it talks with one peer only. Which file it was deployed from is nowhere
//! in the traffic; a catalogue with one component of its provider leaves no choice.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

use super::recording::{Head, SCHEMA};
use crate::cmd::build;

/// What the command line says about it.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Whose {
    /// Whose traffic a plain tap is: hyperty/NAME [default: the only one there is]
    #[arg(long, value_name = "COMPONENT")]
    pub(crate) component: Option<String>,

    /// The address it had [default: the one in every message]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) address: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Ends {
    from: String,
    to: String,
}

impl Whose {
    /// The first line that the recording would have had.
    pub(super) fn head(&self, text: &str, catalogue: &Path) -> Result<Head, String> {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let all: Vec<Ends> = lines
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()
            .map_err(|bad| format!("no line says whose traffic it is, and it is no tap: {bad}"))?;
        let address = match &self.address {
            Some(address) => address.clone(),
            None => in_every(&all)?,
        };
        let provider = domain(&address).to_owned();
        let component = match &self.component {
            Some(component) => component.clone(),
            None => only_one(catalogue, &provider)?,
        };
        let ends = all.iter().flat_map(|ends| [&ends.from, &ends.to]);
        let runtime = ends.map(String::as_str).find(|end| is_runtimes(end));
        Ok(Head {
            schema: SCHEMA.to_owned(),
            component,
            provider,
            address,
            // Without a word of the runtime's there is none to leave out.
            runtime: base(runtime.unwrap_or("hyperty-runtime://nobody/none")).to_owned(),
            ignore: Vec::new(),
        })
    }
}

fn in_every(all: &[Ends]) -> Result<String, String> {
    let of = |ends: &Ends| {
        let ends = [&ends.from, &ends.to].map(|end| base(end).to_owned());
        BTreeSet::from(ends)
    };
    let mut sets = all.iter().map(of);
    let first = sets.next().ok_or("it is empty")?;
    let common = sets.fold(first, |common, set| &common & &set);
    let common: Vec<String> = common.into_iter().filter(|end| !is_runtimes(end)).collect();
    match &common[..] {
        [address] => Ok(address.clone()),
        [] => Err("no address is in every message: say whose traffic it is with `--address`, or record it with `hyperty record`".to_owned()),
        several => Err(format!(
            "it may be the traffic of {}: say which with `--address`",
            several.join(" or ")
        )),
    }
}

// `hyperty/Echo`, when nothing else of the provider's is in the catalogue.
fn only_one(catalogue: &Path, provider: &str) -> Result<String, String> {
    let all = build::descriptors(catalogue);
    let is_its = |path: &&std::path::PathBuf| path.iter().any(|part| part == provider);
    let its: Vec<_> = all.iter().filter(is_its).collect();
    let its = if its.is_empty() {
        all.iter().collect()
    } else {
        its
    };
    let names: Vec<String> = its.iter().filter_map(|path| name(path)).collect();
    match &names[..] {
        [name] => Ok(name.clone()),
        [] => Err(format!(
            "`{}` holds no component of `{provider}`: say where one is with `--catalogue`",
            catalogue.display()
        )),
        several => Err(format!(
            "it may be the traffic of {}: say which with `--component`",
            several.join(", ")
        )),
    }
}

fn name(descriptor: &Path) -> Option<String> {
    let folder = descriptor.parent()?.file_name()?.to_str()?;
    let file = descriptor.file_name()?.to_str()?;
    let stem = file.strip_suffix(".json")?.rsplit_once('.')?.0;
    Some(format!("{folder}/{stem}"))
}

fn is_runtimes(address: &str) -> bool {
    address.starts_with("hyperty-runtime://") || address.starts_with("runtime://")
}

fn domain(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

// `scheme://domain/id`, without what is below it.
fn base(address: &str) -> &str {
    address
        .match_indices('/')
        .nth(3)
        .and_then(|(at, _)| address.get(..at))
        .unwrap_or(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = r#"{"schema":"hyperty.tap/1","from":"hyperty://a.example/1","to":"hyperty://echo.example/1/x","type":"read","id":1}"#;
    const B: &str = r#"{"schema":"hyperty.tap/1","from":"hyperty://echo.example/1","to":"hyperty-runtime://h/r/sm","type":"create","id":2}"#;

    fn named() -> Whose {
        Whose {
            component: Some("hyperty/Echo".to_owned()),
            address: None,
        }
    }

    #[test]
    fn it_is_whose_address_is_in_every_message() {
        let head = named()
            .head(&format!("{A}\n{B}\n"), Path::new("/nowhere"))
            .unwrap();

        assert_eq!(head.address, "hyperty://echo.example/1");
        assert_eq!(head.provider, "echo.example");
        assert_eq!(head.runtime, "hyperty-runtime://h/r");
    }

    #[test]
    fn two_who_talk_with_nobody_else_cannot_be_told_apart() {
        let whose = named();
        let reason = whose.head(A, Path::new("/nowhere")).unwrap_err();
        let told = Whose {
            address: Some("hyperty://a.example/1".to_owned()),
            ..whose
        };

        assert!(
            reason.contains("hyperty://a.example/1 or hyperty://echo.example/1"),
            "{reason}"
        );
        assert!(reason.contains("`--address`"), "{reason}");
        let head = told.head(A, Path::new("/nowhere")).unwrap();
        assert_eq!(head.provider, "a.example");
    }

    #[test]
    fn what_is_missing_is_named() {
        let whose = Whose::default();
        let nowhere = Path::new("/nowhere");

        let reason = |text: &str| whose.head(text, nowhere).unwrap_err();
        assert!(reason("").contains("empty"));
        assert!(reason("{}").contains("no tap"));
        assert!(reason(&format!("{A}\n{B}")).contains("`--catalogue`"));
    }
}

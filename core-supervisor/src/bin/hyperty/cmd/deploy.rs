//! `hyperty deploy` — components from a catalogue, one or all of it.

use std::path::{Path, PathBuf};

use protocol::api::catalogue::{self, Entry, Query};
use protocol::api::user_agent::{self, Component, Deploy};
use protocol::frame::{ComponentKind, Level};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::Context;
use crate::cmd::catalogue::elsewhere;
use crate::cmd::{Outcome, ps};
use crate::error::{Failure, Id};
use crate::output::{Style, Tone, clean};
use crate::session::{DEPLOY_WITHIN, Session};
use crate::sourcemap;

const EXAMPLES: &str = "\
Examples:
  hyperty deploy echo
  hyperty deploy acme.example/hyperty/echo
  hyperty deploy protocolstub/loopback --provider acme.example
  hyperty deploy Board --catalogue ./shop --set station=hyperty://acme.example/42
  hyperty deploy Chat --user ann@idp.example
  hyperty deploy https://alice.example/.well-known/hyperty/Chat
  hyperty deploy --all --catalogue ./shop --min-level L3";

/// Deploy components from a catalogue, and wait until they run
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// NAME of a hyperty, or [PROVIDER/]hyperty/NAME, protocolstub/NAME, idp-proxy/NAME
    #[arg(value_name = "COMPONENT", required_unless_present = "all")]
    components: Vec<String>,

    /// Deploy everything in the catalogue
    #[arg(long, conflicts_with = "components")]
    all: bool,

    /// Do not run it below this sandbox level: L1, L2 or L3
    #[arg(long, value_name = "LEVEL")]
    min_level: Option<Level>,

    #[command(flatten)]
    how: How,
}

/// How to deploy; shared with `run`.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct How {
    /// The directory that holds `.well-known/`, or https://HOST:PORT [default: the configured ones]
    #[arg(long, value_name = "DIR")]
    pub(crate) catalogue: Option<PathBuf>,

    /// The provider, when the catalogue holds several or names none
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) provider: Option<String>,

    /// For whom it acts: name@idp or user://idp/name [default: the runtime's user]
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,

    /// Replace a member of its configuration; the value is JSON or text
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) set: Vec<(String, Value)>,
}

/// What `deploy` answers.
#[derive(Debug, Serialize)]
struct Deployed {
    components: Vec<Component>,
}

/// Deploys what is named.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    let mut session = Session::open(context)?;
    let mut wanted: Vec<Deploy> = if args.all {
        everything(&mut session, &args.how)?
    } else {
        args.components
            .iter()
            .map(|name| args.how.wanted(name))
            .collect::<Result<_, _>>()?
    };
    let mut components = Vec::new();
    for deploy in &mut wanted {
        deploy.min_level = args.min_level;
        let component = one(&mut session, deploy)?;
        context.out.human(|style| line(&component, style))?;
        components.push(component);
    }
    let deployed = Deployed { components };
    context
        .out
        .answer("hyperty.deploy/1", &deployed, |_| String::new())?;
    Ok(())
}

impl How {
    // `acme.example/hyperty/echo` names its provider as well.
    fn parts<'a>(&'a self, component: &'a str) -> Result<(&'a str, &'a str), Failure> {
        let said = self.provider.as_deref().unwrap_or_default();
        let (provider, rest) = match component.split_once('/') {
            Some((provider, rest)) if rest.contains('/') => (provider, rest),
            _ => return Ok((said, component)),
        };
        if !said.is_empty() && said != provider {
            let what = format!("`{component}` is of `{provider}`, and --provider says `{said}`");
            return Err(Failure::new(Id::Usage, what).fix("to say it once", "leave --provider out"));
        }
        Ok((provider, rest))
    }

    /// The request for one component.
    pub(crate) fn wanted(&self, component: &str) -> Result<Deploy, Failure> {
        let (catalogue, component) = elsewhere::wanted(self.catalogue.as_deref(), component)?;
        let (provider, component) = self.parts(&component)?;
        let configuration: Map<_, _> = self.set.iter().cloned().collect();
        Ok(Deploy {
            catalogue,
            component: component.to_owned(),
            provider: provider.to_owned(),
            min_level: None,
            configuration: (!configuration.is_empty()).then_some(Value::Object(configuration)),
            user: self.user.clone(),
        })
    }
}

/// Deploys one component and waits until it runs; why it does not is told with places
/// as its author wrote them.
pub(crate) fn one(session: &mut Session, deploy: &Deploy) -> Result<Component, Failure> {
    let asked = session.ask_within(user_agent::PATH, "create", deploy, DEPLOY_WITHIN);
    asked.map_err(|failure| {
        sourcemap::in_words(failure, || match code_files(deploy) {
            files if files.is_empty() => configured_files(session, deploy),
            files => files,
        })
    })
}

// The code of a component in the catalogues that the supervisor knows.
fn configured_files(session: &mut Session, deploy: &Deploy) -> Vec<PathBuf> {
    let query = Query {
        catalogue: deploy.catalogue.clone(),
        ..Query::default()
    };
    let listing: Result<catalogue::Listing, _> = session.ask(catalogue::PATH, "read", &query);
    let named = |entry: &Entry| {
        let folder = folder(entry.kind);
        let name = file_name(entry);
        (deploy.provider.is_empty() || deploy.provider == entry.provider)
            && (deploy.component == name || deploy.component == format!("{folder}/{name}"))
    };
    let entries = listing.map(|listing| listing.entries).unwrap_or_default();
    let entries = entries.into_iter().filter(named);
    entries.map(|entry| PathBuf::from(entry.code)).collect()
}

/// A request for each sound entry of the catalogue, stubs before those who need them.
pub(crate) fn everything(session: &mut Session, how: &How) -> Result<Vec<Deploy>, Failure> {
    let directory = how
        .catalogue
        .as_deref()
        .map(absolute)
        .transpose()?
        .unwrap_or_default();
    let query = Query {
        catalogue: directory.clone(),
        ..Query::default()
    };
    let listing: catalogue::Listing = session.ask(catalogue::PATH, "read", &query)?;
    let mut entries: Vec<&Entry> = listing
        .entries
        .iter()
        .filter(|entry| {
            how.provider
                .as_ref()
                .is_none_or(|provider| *provider == entry.provider)
        })
        .collect();
    if entries.is_empty() {
        return Err(
            Failure::new(Id::NotFound, "the catalogue holds nothing to deploy")
                .fact("catalogue", directory)
                .fix("to see how it is laid out", "hyperty help files"),
        );
    }
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.kind));
    entries
        .into_iter()
        .map(|entry| {
            let mut deploy = how.wanted(&format!("{}/{}", folder(entry.kind), file_name(entry)))?;
            deploy.provider.clone_from(&entry.provider);
            Ok(deploy)
        })
        .collect()
}

/// Where the code of a component may be, as far as its request tells.
pub(crate) fn code_files(wanted: &Deploy) -> Vec<PathBuf> {
    let (folder, name) = wanted
        .component
        .split_once('/')
        .unwrap_or(("hyperty", &wanted.component));
    let infix = match folder {
        "hyperty" => "hy",
        "protocolstub" => "ps",
        _ => "idp",
    };
    let file = format!(".well-known/{folder}/{name}.{infix}.js");
    let catalogue = Path::new(&wanted.catalogue);
    let places = [
        catalogue.join(&file),
        catalogue.join(&wanted.provider).join(&file),
    ];
    places.into_iter().filter(|file| file.is_file()).collect()
}

// A component is named by its file: `name` in the descriptor may be another word.
fn file_name(entry: &Entry) -> &str {
    let file = entry.descriptor.rsplit('/').next().unwrap_or_default();
    file.strip_suffix(".json")
        .and_then(|stem| stem.rsplit_once('.'))
        .map_or(&entry.name, |s| s.0)
}

const fn folder(kind: ComponentKind) -> &'static str {
    match kind {
        ComponentKind::Hyperty => "hyperty",
        ComponentKind::ProtoStub => "protocolstub",
        ComponentKind::IdpProxy => "idp-proxy",
    }
}

/// One line that says what runs now, and where.
pub(crate) fn line(component: &Component, style: Style) -> String {
    let level = component
        .level
        .map_or_else(String::new, |level| format!("{level}, "));
    let pid = component
        .pid
        .map_or_else(|| "no process".to_owned(), |pid| format!("pid {pid}"));
    let signer = match component.signer.as_str() {
        "unsigned" => format!("  {}", style.paint(Tone::Odd, "unsigned")),
        signer if !component.version.is_empty() => {
            format!("  {} by {}", clean(&component.version), clean(signer))
        }
        _ => String::new(),
    };
    let waits = match component.waits.as_str() {
        "" => String::new(),
        waits => format!(
            "  version {} waits; to take it: hyperty approve {}\n",
            clean(waits),
            clean(&component.name)
        ),
    };
    format!(
        "{} {}  {}  {level}{pid}  {}{signer}\n{waits}",
        style.paint(ps::state_tone(&component.state), style.tick()),
        style.paint(Tone::Strong, &clean(&component.name)),
        clean(&component.state),
        style.paint(Tone::Name, &clean(&component.address)),
    )
}

/// The path as the supervisor can find it, whatever its working directory.
pub(crate) fn absolute(path: &Path) -> Result<String, Failure> {
    match path.canonicalize() {
        Ok(path) => Ok(path.to_string_lossy().into_owned()),
        Err(error) => {
            let what = format!("cannot find `{}`: {error}", path.display());
            Err(Failure::new(Id::NotFound, what))
        }
    }
}

/// Reads `NAME=VALUE`.
pub(crate) fn setting(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| format!("`{text}` is not NAME=VALUE"))?;
    if name.is_empty() {
        return Err(format!("`{text}` has no name before the `=`"));
    }
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cmd::ps::tests::component;

    #[test]
    fn a_setting_is_json_when_it_can_be_and_text_otherwise() {
        assert_eq!(setting("n=3"), Ok(("n".to_owned(), json!(3))));
        assert_eq!(
            setting("at=hyperty://a/1?x=2"),
            Ok(("at".to_owned(), json!("hyperty://a/1?x=2")))
        );
        assert_eq!(setting("on=true"), Ok(("on".to_owned(), json!(true))));
        assert!(setting("nothing").is_err());
        assert!(setting("=1").is_err());
    }

    #[test]
    fn a_component_may_be_named_with_its_provider() {
        let how = |provider: Option<&str>| How {
            provider: provider.map(str::to_owned),
            ..How::default()
        };
        let wanted = |how: &How, name: &str| how.wanted(name).map(|d| (d.provider, d.component));
        let told = |provider: &str, component: &str| (provider.to_owned(), component.to_owned());

        let full = "acme.example/hyperty/echo";
        let acme = how(Some("acme.example"));
        assert_eq!(
            wanted(&how(None), full),
            Ok(told("acme.example", "hyperty/echo"))
        );
        assert_eq!(
            wanted(&acme, full),
            Ok(told("acme.example", "hyperty/echo"))
        );
        assert_eq!(wanted(&acme, "echo"), Ok(told("acme.example", "echo")));
        assert_eq!(
            wanted(&how(None), "hyperty/echo"),
            Ok(told("", "hyperty/echo"))
        );
        let other = wanted(&how(Some("other.example")), full).unwrap_err();
        assert!(other.what().contains("--provider says `other.example`"));
    }

    #[test]
    fn a_deployed_component_is_told_in_one_line() {
        assert_eq!(
            line(&component("echo", "acme.example"), Style::PLAIN),
            "ok echo  running  L3, pid 4242  hyperty://acme.example/echo  unsigned\n"
        );
    }
}

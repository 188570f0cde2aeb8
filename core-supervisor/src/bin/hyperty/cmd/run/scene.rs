//! A scene: several components for several users, in order, with rules of their own.
//!
//! `scene.json` in a catalogue says what is deployed and when it is over. It plays
//! in a runtime of its own: the rules that it brings are not the reader's.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use protocol::api::user_agent::Deploy;
use serde::Deserialize;
use serde_json::Value;

use crate::Context;
use crate::args::Launch;
use crate::cmd::{Outcome, deploy, up};
use crate::error::{Exit, Failure, Id};
use crate::output::Tone;
use crate::scratch::Scratch;
use crate::supervisor::Supervisor;
use crate::watch::{Ended, Watch};

/// The file that makes a catalogue a scene.
const FILE: &str = "scene.json";

/// Components of one scene: more would not be followed by anybody.
const COMPONENTS_MAX: usize = 64;

/// What is played.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scene {
    /// One sentence.
    title: String,
    /// A folder of rules, below the scene's.
    #[serde(default)]
    policy: Option<String>,
    /// Deployed one after the other.
    components: Vec<Part>,
    /// The scene is over when a line of the log has this text.
    #[serde(default)]
    ends: Option<String>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    /// What later components call its address: `"$bob"`.
    #[serde(default, rename = "as")]
    name: Option<String>,
    component: String,
    provider: String,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    configuration: Option<Value>,
}

impl Scene {
    /// The scene of this folder, if it is one.
    pub(super) fn of(directory: &Path) -> Result<Option<Self>, Failure> {
        let file = directory.join(FILE);
        if !file.is_file() {
            return Ok(None);
        }
        let bad = |why: String| {
            let what = format!("`{}` is no scene: {why}", file.display());
            Failure::new(Id::Usage, what)
        };
        let text = fs::read(&file).map_err(|error| bad(error.to_string()))?;
        let scene: Self = serde_json::from_slice(&text).map_err(|error| bad(error.to_string()))?;
        match scene.components.len() {
            0 => Err(bad("it has no components".to_owned())),
            1..=COMPONENTS_MAX => Ok(Some(scene)),
            _ => Err(bad(format!("it has more than {COMPONENTS_MAX} components"))),
        }
    }

    /// Plays it until it is over, or Ctrl-C.
    pub(super) fn play(&self, directory: &Path, launch: &Launch, context: &Context) -> Outcome {
        let scratch = Scratch::new("scene")?;
        let mut launch = launch.clone();
        if let Some(policy) = &self.policy {
            launch.policy.push(directory.join(policy));
        }
        let config = scratch.path().join("hyperty.toml");
        // The reader's own configuration would change what there is to see.
        if launch.config.is_none() && fs::write(&config, "").is_ok() {
            launch.config = Some(config);
        }
        let (mut supervisor, session) = super::temporary(&launch, &scratch, context)?;
        let mut watch = Watch::new(session, context.out)?;
        watch.show_messages()?;
        watch.tell(Tone::Strong, &self.title)?;
        let outcome = self.perform(directory, &mut watch, &mut supervisor);
        up::end(&mut supervisor, context)?;
        outcome
    }

    fn perform(&self, directory: &Path, watch: &mut Watch, supervisor: &mut Supervisor) -> Outcome {
        let mut addresses = BTreeMap::new();
        watch.wait_for(self.ends.as_deref());
        for part in &self.components {
            let wanted = part.wanted(directory, &addresses)?;
            let component = watch.deploy_now(&wanted)?;
            if let Some(name) = &part.name {
                addresses.insert(name.clone(), component.address);
            }
        }
        let is_over = &mut |watch: &mut Watch| Ok(watch.has_come());
        match watch.follow_with(Some(supervisor), true, is_over)? {
            Ended::Satisfied => watch.show_rest(),
            Ended::Interrupted => Ok(()),
            Ended::NothingLeft => Err(Failure::new(Id::Failed, "nothing of it runs any more")),
            Ended::Supervisor(_) => Err(Failure::new(Id::LinkLost, "the supervisor ended")),
        }
    }
}

impl Part {
    fn wanted(
        &self,
        directory: &Path,
        addresses: &BTreeMap<String, String>,
    ) -> Result<Deploy, Failure> {
        let configuration = self.configuration.as_ref();
        Ok(Deploy {
            catalogue: deploy::absolute(directory)?,
            component: self.component.clone(),
            provider: self.provider.clone(),
            user: self.user.clone(),
            configuration: configuration
                .map(|value| filled(value, addresses))
                .transpose()?,
            ..Deploy::default()
        })
    }
}

// `"$bob"` becomes the address of the component that is called so.
fn filled(value: &Value, addresses: &BTreeMap<String, String>) -> Result<Value, Failure> {
    Ok(match value {
        Value::String(text) => match text.strip_prefix('$') {
            Some(name) => Value::String(addresses.get(name).cloned().ok_or_else(|| {
                let what = format!("`${name}` is called so by no component before");
                Failure::new(Id::Usage, what).exit_as(Exit::Usage)
            })?),
            None => value.clone(),
        },
        Value::Array(items) => {
            let items = items.iter().map(|item| filled(item, addresses));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, member)| Ok((name.clone(), filled(member, addresses)?)));
            Value::Object(members.collect::<Result<_, Failure>>()?)
        }
        other => other.clone(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Result<Option<Scene>, Failure> {
        let scratch = Scratch::new("test").unwrap();
        fs::write(scratch.path().join(FILE), text).unwrap();
        Scene::of(scratch.path())
    }

    #[test]
    fn a_folder_without_the_file_is_no_scene_and_a_bad_one_says_why() {
        let scratch = Scratch::new("test").unwrap();
        let why = |text: &str| read(text).unwrap_err().what().to_owned();

        assert_eq!(Scene::of(scratch.path()), Ok(None));
        assert!(why("{").contains("at line 1"));
        assert!(why(r#"{"title":"t","components":[]}"#).contains("no components"));
        assert!(why(r#"{"title":"t","component":[]}"#).contains("unknown field"));
    }

    #[test]
    fn addresses_of_those_before_go_into_the_configuration() {
        let addresses = BTreeMap::from([("bob".to_owned(), "hyperty://b/1".to_owned())]);

        let value = filled(&json!({"to": ["$bob", "x"], "n": 1}), &addresses);
        let unknown = filled(&json!("$ann"), &addresses);

        assert_eq!(value, Ok(json!({"to": ["hyperty://b/1", "x"], "n": 1})));
        assert!(unknown.unwrap_err().what().contains("`$ann`"));
    }
}

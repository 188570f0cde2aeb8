//! Short names for long addresses, for people.
//!
//! `hyperty://acme.example/3f0c…/chat` becomes `echo@acme.example/chat` once it
//! is known who owns it; a room becomes its path. JSON keeps the addresses.

use std::collections::{BTreeMap, BTreeSet};

use protocol::address::Address;
use protocol::api::registry::Entry;
use protocol::api::user_agent::Component;

use crate::output::clean;

/// Who owns which address, as last heard.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    runtime: String,
    own: String,
    known: BTreeMap<String, String>,
    strangers: BTreeSet<String>,
    components: Vec<Component>,
}

impl Names {
    /// Knows the rooms of this runtime, and the reader's own address.
    pub(crate) fn new(runtime: &str, own: &str) -> Self {
        let [runtime, own] = [runtime, own].map(canonical);
        Self {
            runtime,
            own,
            known: BTreeMap::new(),
            strangers: BTreeSet::new(),
            components: Vec::new(),
        }
    }

    /// Learns the names of these components.
    pub(crate) fn learn(&mut self, components: &[Component]) {
        // One whose package is still being read has no address yet.
        for component in components
            .iter()
            .filter(|component| !component.address.is_empty())
        {
            let name = format!("{}@{}", clean(&component.name), clean(&component.provider));
            self.known.insert(component.address.clone(), name);
        }
        components.clone_into(&mut self.components);
    }

    /// The components that were learned last.
    pub(crate) fn components(&self) -> &[Component] {
        &self.components
    }

    /// Learns whose the data objects are; after the components, whose names they take.
    pub(crate) fn learn_objects(&mut self, entries: &[Entry]) {
        for entry in entries.iter().filter(|entry| entry.kind == "object") {
            let scheme = entry.address.split(':').next().unwrap_or_default();
            if let Some(owner) = self.known.get(&entry.owner) {
                let name = format!("{owner}:{}", clean(scheme));
                self.known.insert(entry.address.clone(), name);
            }
        }
    }

    /// Whether this address has no short form and was not asked about before.
    pub(crate) fn is_news(&mut self, address: &str) -> bool {
        self.is_stranger(address) && self.strangers.insert(address.to_owned())
    }

    /// Whether `short` would show this address as it is although somebody of
    /// this runtime may own it.
    fn is_stranger(&self, address: &str) -> bool {
        let address = canonical(address);
        !is_below(&address, &self.runtime)
            && !is_below(&address, &self.own)
            && self.owner(&address).is_none()
    }

    /// The short form.
    pub(crate) fn short(&self, address: &str) -> String {
        let address = canonical(address);
        let tail = |base: &str| clean(address.get(base.len()..).unwrap_or_default()).into_owned();
        if is_below(&address, &self.own) {
            return format!("you{}", tail(&self.own));
        }
        if let Some((base, name)) = self.owner(&address) {
            return format!("{name}{}", tail(base));
        }
        if is_below(&address, &self.runtime) {
            return match tail(&self.runtime) {
                path if path.is_empty() => "runtime".to_owned(),
                path => path,
            };
        }
        clean(&address).into_owned()
    }

    // The longest known address that this one is, or lies below.
    fn owner(&self, address: &str) -> Option<(&str, &str)> {
        let mut base = address;
        loop {
            if let Some((base, name)) = self.known.get_key_value(base) {
                return Some((base, name));
            }
            base = base.rsplit_once('/')?.0;
        }
    }
}

/// The canonical spelling, or the text itself when it is no address.
fn canonical(address: &str) -> String {
    address
        .parse::<Address>()
        .map_or_else(|_| address.to_owned(), |address| address.to_string())
}

fn is_below(address: &str, base: &str) -> bool {
    !base.is_empty()
        && address
            .strip_prefix(base)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmd::ps::tests::component;

    fn names() -> Names {
        let mut names = Names::new(
            "hyperty-runtime://here.example/r1",
            "hyperty-runtime://here.example/r1/op/1",
        );
        let mut echo = component("echo", "acme.example");
        echo.address = "hyperty://acme.example/42".to_owned();
        names.learn(&[echo]);
        names
    }

    #[test]
    fn a_component_is_called_by_name_and_provider() {
        assert_eq!(
            names().short("hyperty://acme.example/42"),
            "echo@acme.example"
        );
        assert_eq!(
            names().short("hyperty://acme.example/42/chat"),
            "echo@acme.example/chat"
        );
        assert_eq!(
            names().short("hyperty://acme.example/421"),
            "hyperty://acme.example/421"
        );
    }

    #[test]
    fn a_room_is_called_by_its_path_in_either_spelling() {
        assert_eq!(names().short("runtime://here.example/r1/ua"), "/ua");
        assert_eq!(
            names().short("hyperty-runtime://here.example/r1/"),
            "runtime"
        );
        assert_eq!(
            names().short("hyperty-runtime://here.example/r1/op/1"),
            "you"
        );
    }

    #[test]
    fn a_data_object_is_called_after_its_owner() {
        let mut names = names();
        let entry = Entry {
            address: "weather://acme.example/7f3a".to_owned(),
            kind: "object".to_owned(),
            provider: "acme.example".to_owned(),
            name: "echo".to_owned(),
            owner: "hyperty://acme.example/42".to_owned(),
            status: "live".to_owned(),
            route: Vec::new(),
        };
        names.learn_objects(&[entry]);

        let short = names.short("weather://acme.example/7f3a/changes");

        assert_eq!(short, "echo@acme.example:weather/changes");
    }

    #[test]
    fn an_unknown_address_is_news_once() {
        let mut names = names();

        assert!(names.is_news("hyperty://acme.example/43"));
        assert!(!names.is_news("hyperty://acme.example/43"));
        assert!(!names.is_news("hyperty://acme.example/42"));
    }

    #[test]
    fn only_addresses_that_have_no_short_form_are_strangers() {
        assert!(names().is_stranger("hyperty://acme.example/43"));
        assert!(!names().is_stranger("hyperty://acme.example/42/x"));
        assert!(!names().is_stranger("runtime://here.example/r1/pep"));
    }
}

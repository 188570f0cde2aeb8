//! A domain elsewhere, whose stub comes and goes while messages for it wait.

use core_supervisor::ids::LinkId;

use super::chance::FAR;
use super::{Simulation, provider_of};

impl Simulation {
    // The stub can be had or not, at once or only later; or it is removed.
    pub(super) fn change_far(&mut self) {
        let package = format!("protocolstub/default@{FAR}");
        match self.dice.roll(6) {
            0 => drop(self.story.on_demand.remove(&package)),
            1 => drop(self.story.on_demand.insert(package)),
            2 | 3 => self.story.holds_packages = true,
            4 => self.story.packages_come(),
            _ => {
                if let Some(stub) = self.far_stub.take() {
                    let body = format!(r#"{{"resource":"{stub}"}}"#);
                    self.story.ask_operator("delete", "ua", &body);
                }
            }
        }
    }

    /// A component was sent to a sandbox: it may be the stub.
    pub(super) fn loaded(&mut self, link: LinkId, component: String) {
        if component.contains("/protostub/") {
            self.far_links.insert(link);
            self.far_stub = Some(component);
        }
    }

    /// A message left through the stub. It may have waited: the rules of now permit it,
    /// not those of then.
    pub(super) fn left(&mut self, link: LinkId, kind: &str, from: String, to: String, id: u64) {
        assert!(
            self.rules.permit(provider_of(&from), FAR) && self.far_links.contains(&link),
            "I5: {kind} from `{from}` left without a permit"
        );
        self.far_arrived += 1;
        if kind != "event" {
            self.asked.push((link, to, from, id));
        }
    }
}

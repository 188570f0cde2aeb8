//! Which foreign addresses the components listen to: the core is told once each.

use std::collections::BTreeMap;

use protocol::Address;

/// Per component and address, how many listeners there are.
#[derive(Debug, Default)]
pub(super) struct Listens {
    counts: BTreeMap<(String, String), u32>,
}

impl Listens {
    /// One listener more; true when the core must hear of it.
    pub(super) fn add(&mut self, component: &str, address: &str) -> bool {
        let count = self.counts.entry(key(component, address)).or_default();
        *count += 1;
        *count == 1
    }

    /// One listener less; true when the core must hear of it.
    pub(super) fn remove(&mut self, component: &str, address: &str) -> bool {
        let key = key(component, address);
        match self.counts.get_mut(&key) {
            Some(count) if *count > 1 => {
                *count -= 1;
                false
            }
            Some(_) => self.counts.remove(&key).is_some(),
            None => false,
        }
    }

    /// The components that listen to this address.
    pub(super) fn listeners(&self, address: &str) -> Vec<String> {
        let here = self.counts.keys().filter(|(_, wanted)| wanted == address);
        here.map(|(component, _)| component.clone()).collect()
    }
}

fn key(component: &str, address: &str) -> (String, String) {
    (component.to_owned(), address.to_owned())
}

/// Whether a listener of `component` on `url` concerns the core.
///
/// Not for `*`, which never leaves the sandbox, nor for what has no scheme, nor
/// for the component's own addresses: those are delivered in any case.
pub(super) fn is_foreign(component: &str, url: &str) -> Result<bool, String> {
    if url == "*" || !url.contains(':') {
        return Ok(false);
    }
    let address: Address = url.parse().map_err(|error| format!("{error}"))?;
    let own = component
        .parse::<Address>()
        .is_ok_and(|own| address.is_within(&own));
    Ok(!own && !address.scheme().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: &str = "runtime://here/rt/p2phandler/1";

    #[test]
    fn the_core_hears_of_the_first_listener_and_of_the_end_of_the_last() {
        let mut listens = Listens::default();

        let heard = [
            listens.add("a", "x"),
            listens.add("a", "x"),
            listens.add("b", "x"),
        ];
        let ended = [
            listens.remove("a", "x"),
            listens.remove("a", "x"),
            listens.remove("a", "x"),
        ];

        assert_eq!(heard, [true, false, true]);
        assert_eq!(ended, [false, true, false]);
    }

    #[test]
    fn only_foreign_addresses_concern_the_core() {
        assert_eq!(is_foreign(ME, "comm://here/1/changes"), Ok(true));
        assert_eq!(is_foreign(ME, "runtime://here/rt/p2phandler/12"), Ok(true));
        assert_eq!(is_foreign(ME, "*"), Ok(false));
        assert_eq!(is_foreign(ME, "plain.example"), Ok(false));
        assert_eq!(is_foreign(ME, ME), Ok(false));
        assert_eq!(
            is_foreign(ME, "hyperty-runtime://here/rt/p2phandler/1/status/"),
            Ok(false)
        );
        assert!(is_foreign(ME, "comm://here/a b").is_err());
    }
}

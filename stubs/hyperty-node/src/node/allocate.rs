//! # Address allocation — `domain://msg-node.<domain>/…address-allocation`
//!
//! Answers:  create `{scheme?, value: {number?, allocationKey?}}` → `{allocated: [...]}`;
//!           delete `{resource: <key>}` or `{childrenResources: [...]}` (spec §7.2)
//! Keeps:    blocks that have a key, so that the same key gives the same addresses
//! Holds:    a key is one runtime's and one scheme's: keys of different askers never meet

use std::collections::BTreeMap;

use protocol::{Address, Code};
use serde::Deserialize;

use super::Node;
use crate::answer::Answer;
use crate::envelope::Envelope;
use crate::event::LinkId;
use crate::limits::{BLOCK_MAX, BLOCKS_PER_RUNTIME_MAX, KEY_BYTES_MAX};
use crate::rows::{BlockRow, Row, Table};

/// Addresses when a request does not say how many: the published default.
const NUMBER: u64 = 5;

/// Schemes that are never given out: they name others than hyperties and objects.
const RESERVED: [&str; 9] = [
    "domain",
    "domain-idp",
    "global",
    "http",
    "https",
    "hyperty-catalogue",
    "hyperty-runtime",
    "user",
    "user-guid",
];

/// Whose, of which scheme, under which key.
type Key = (Address, String, String);

/// The blocks that have a key.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    blocks: BTreeMap<Key, Vec<Address>>,
    owners: BTreeMap<Address, Address>,
}

impl Blocks {
    pub(super) fn owner(&self, address: &Address) -> Option<&Address> {
        self.owners.get(address)
    }

    pub(super) fn owned(&self, runtime: &Address) -> impl Iterator<Item = &Address> {
        let from = (runtime.clone(), String::new(), String::new());
        let blocks = self.blocks.range(from..);
        let blocks = blocks.take_while(move |((owner, ..), _)| owner == runtime);
        blocks.flat_map(|(_, addresses)| addresses)
    }

    fn count(&self, runtime: &Address) -> usize {
        let from = (runtime.clone(), String::new(), String::new());
        let blocks = self.blocks.range(from..);
        blocks
            .take_while(|((owner, ..), _)| owner == runtime)
            .count()
    }

    fn insert(&mut self, key: Key, addresses: Vec<Address>) {
        for address in &addresses {
            self.owners.insert(address.clone(), key.0.clone());
        }
        self.blocks.insert(key, addresses);
    }

    fn remove(&mut self, key: &Key) -> Vec<Address> {
        let addresses = self.blocks.remove(key).unwrap_or_default();
        for address in &addresses {
            self.owners.remove(address);
        }
        addresses
    }

    /// Takes a row of the store or of another node.
    pub(super) fn learn(&mut self, row: &Row) {
        let Some(key) = read_key(&row.key) else {
            return;
        };
        self.remove(&key);
        if let Some(block) = row.read::<BlockRow>() {
            let parsed = block.addresses.iter().map(|address| address.parse());
            self.insert(key, parsed.filter_map(Result::ok).collect());
        }
    }
}

#[derive(Debug, Deserialize)]
struct Create {
    scheme: Option<String>,
    #[serde(default)]
    value: Wish,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wish {
    number: Option<u64>,
    allocation_key: Option<String>,
    scheme: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Release {
    resource: Option<String>,
    #[serde(default)]
    children_resources: Vec<String>,
}

impl Node {
    /// `scheme` is what the address of the service says, when it says one.
    pub(super) fn allocate(
        &mut self,
        link: LinkId,
        runtime: &Address,
        asked: &Envelope<'_>,
        scheme: Option<&str>,
    ) {
        let done = match asked.kind.as_ref() {
            "create" => self.allocate_block(runtime, asked, scheme),
            "delete" => self.release_block(runtime, asked, scheme),
            kind => Err(failed(format!(
                "address allocation does not understand `{kind}`: say create or delete"
            ))),
        };
        match done {
            Ok((rows, answer)) => self.keep_and_answer(link, asked, rows, &answer),
            Err(refusal) => self.send(link, refusal.to(asked)),
        }
    }

    fn allocate_block(
        &mut self,
        runtime: &Address,
        asked: &Envelope<'_>,
        of_service: Option<&str>,
    ) -> Result<(Vec<Row>, Answer), Answer> {
        let body: Create = asked
            .body()
            .map_err(|error| failed(format!("`body`: {error}")))?;
        let asked_for = body.scheme.or(body.value.scheme);
        // Objects have many schemes, hyperties have one.
        let scheme = match (of_service, asked_for) {
            (Some("hyperty"), _) => "hyperty".to_owned(),
            (Some(scheme), None) => scheme.to_owned(),
            (_, Some(scheme)) => scheme,
            (None, None) => return Err(failed("`scheme` says what the addresses are for".into())),
        };
        if RESERVED.contains(&scheme.as_str()) {
            return Err(failed(format!(
                "addresses of the scheme `{scheme}` are not given out"
            )));
        }
        let number = body.value.number.unwrap_or(NUMBER);
        if number == 0 || number > BLOCK_MAX {
            return Err(failed(format!(
                "`number` is {number}, not 1 to {BLOCK_MAX}"
            )));
        }
        match body.value.allocation_key {
            None => self.allocate_fresh(runtime, &scheme, number),
            Some(key) => self.allocate_kept(runtime, scheme, key, number),
        }
    }

    // For as long as the session lasts, or until they are registered.
    fn allocate_fresh(
        &mut self,
        runtime: &Address,
        scheme: &str,
        number: u64,
    ) -> Result<(Vec<Row>, Answer), Answer> {
        let addresses = self.make(scheme, number)?;
        for address in &addresses {
            let claimed = self.claim(runtime, address);
            claimed.map_err(|(code, why)| Answer::refused(code, why))?;
        }
        Ok((Vec::new(), allocated(&addresses)))
    }

    fn allocate_kept(
        &mut self,
        runtime: &Address,
        scheme: String,
        key: String,
        number: u64,
    ) -> Result<(Vec<Row>, Answer), Answer> {
        if key.is_empty() || key.len() > KEY_BYTES_MAX {
            return Err(failed(format!(
                "`allocationKey` has 1 to {KEY_BYTES_MAX} bytes"
            )));
        }
        let key = (runtime.clone(), scheme, key);
        if let Some(addresses) = self.blocks.blocks.get(&key) {
            return Ok((Vec::new(), allocated(addresses)));
        }
        if self.blocks.count(runtime) >= BLOCKS_PER_RUNTIME_MAX {
            let why = format!("a runtime keeps {BLOCKS_PER_RUNTIME_MAX} blocks: delete some");
            return Err(Answer::refused(Code::BUSY, why));
        }
        let addresses = self.make(&key.1, number)?;
        let block = BlockRow {
            runtime: runtime.to_string(),
            addresses: addresses.iter().map(Address::to_string).collect(),
        };
        let row = Row::put(Table::Block, write_key(&key), &block);
        for address in &addresses {
            self.follow(address);
        }
        let answer = allocated(&addresses);
        self.blocks.insert(key, addresses);
        Ok((vec![row], answer))
    }

    fn release_block(
        &mut self,
        runtime: &Address,
        asked: &Envelope<'_>,
        of_service: Option<&str>,
    ) -> Result<(Vec<Row>, Answer), Answer> {
        let body: Release = asked
            .body()
            .map_err(|error| failed(format!("`body`: {error}")))?;
        let mut rows = Vec::new();
        if let Some(resource) = body.resource {
            let is_it = |(owner, scheme, key): &&Key| {
                let is_scheme = of_service != Some("hyperty") || scheme == "hyperty";
                owner == runtime && *key == resource && is_scheme
            };
            let keys: Vec<_> = self.blocks.blocks.keys().filter(is_it).cloned().collect();
            for key in keys {
                for address in self.blocks.remove(&key) {
                    self.unfollow(&address);
                }
                rows.push(Row::remove(Table::Block, write_key(&key)));
            }
        }
        // Published runtimes name resources here and not addresses (spec §7.2): those
        // are nobody's, and there is nothing to release.
        for address in body
            .children_resources
            .iter()
            .filter_map(|text| text.parse().ok())
        {
            self.release_claim(runtime, &address);
        }
        Ok((rows, Answer::ok()))
    }

    fn release_claim(&mut self, runtime: &Address, address: &Address) {
        let session = self.sessions.get_mut(runtime);
        if session.is_some_and(|session| session.claims.remove(address)) {
            self.routes.disown(address, runtime);
            self.unfollow(address);
        }
    }

    fn make(&mut self, scheme: &str, number: u64) -> Result<Vec<Address>, Answer> {
        let domain = &self.settings.domain;
        let names = &mut self.settings.names;
        let made = (0..number).map(|_| format!("{scheme}://{domain}/{}", names.uuid()).parse());
        made.collect::<Result<_, _>>()
            .map_err(|why| failed(format!("`{scheme}`: {why}")))
    }
}

fn allocated(addresses: &[Address]) -> Answer {
    let list: Vec<_> = addresses.iter().map(Address::published).collect();
    Answer::ok().with("value", serde_json::json!({ "allocated": list }))
}

fn failed(why: String) -> Answer {
    Answer::refused(Code::FAILED, why)
}

// As JSON: no choice of words makes two keys into one.
fn write_key((runtime, scheme, key): &Key) -> String {
    serde_json::json!([runtime.as_str(), scheme, key]).to_string()
}

fn read_key(text: &str) -> Option<Key> {
    let (runtime, scheme, key): (String, String, String) = serde_json::from_str(text).ok()?;
    Some((runtime.parse().ok()?, scheme, key))
}

//! The shipped rules and the schema, part of the program so that it works alone.

use super::text::PolicyFile;

/// The schema that every rule is checked against.
pub(super) const SCHEMA: &str = include_str!("../../../../policies/message/schema.cedarschema");

macro_rules! shipped {
    ($($name:literal),*) => {
        [$((
            concat!("policies/message/", $name),
            include_str!(concat!("../../../../policies/message/", $name)),
        )),*]
    };
}

const FILES: [(&str, &str); 7] = shipped![
    "00-guard.cedar",
    "10-operator.cedar",
    "20-rooms.cedar",
    "30-providers.cedar",
    "40-domains.cedar",
    "50-applications.cedar",
    "60-network.cedar"
];

/// The shipped rules; what the operator and the user say is added to them.
pub fn shipped() -> Vec<PolicyFile> {
    let file = |&(name, text): &(&str, &str)| PolicyFile {
        name: name.to_owned(),
        text: text.to_owned(),
    };
    FILES.iter().map(file).collect()
}

//! The entities that rules name must be ones that can exist.

use cedar_policy::{EntityUid, Policy};
use protocol::Address;

/// Rooms there are and will be; another name in a rule is a slip of the pen.
const ROOMS: [&str; 17] = [
    "runtime",
    "bus",
    "registry",
    "pep",
    "idm",
    "ua",
    "catalogue",
    "sm",
    "address-allocation",
    "graph",
    "discovery",
    "sandboxes",
    "status",
    "storage",
    "subscriptions",
    "connections",
    // Below each data object: the core on its reporter's behalf.
    "subscription",
];

/// What is wrong with the entities that a rule names, and what to write instead.
///
/// Cedar takes any text as an entity's id; one that no party can have would make
/// a rule that never applies, which nobody notices in a `forbid`.
pub(super) fn wrong_literals(policy: &Policy) -> Vec<(String, String)> {
    policy
        .entity_literals()
        .iter()
        .filter_map(wrong_literal)
        .collect()
}

fn wrong_literal(uid: &EntityUid) -> Option<(String, String)> {
    let id = uid.id().unescaped();
    match uid.type_name().to_string().as_str() {
        "Room" if !ROOMS.contains(&id) => {
            let message = format!("there is no room `{id}`");
            Some((message, format!("the rooms are {}", ROOMS.join(", "))))
        }
        "Operator" if id != "operator" => {
            let message = format!("there is no operator `{id}`");
            Some((message, "there is one: `Operator::\"operator\"`".to_owned()))
        }
        "Provider" | "Hyperty" | "ProtoStub" | "IdpProxy" | "Application" | "Remote" | "Host" => {
            match id.parse::<Address>() {
                Ok(address) if address.as_str() == id => None,
                Ok(address) => {
                    let message = format!("`{id}` is not in the form that addresses have here");
                    Some((message, format!("write `{address}`")))
                }
                Err(e) => Some((format!("`{id}` is no address: {e}"), String::new())),
            }
        }
        _ => None,
    }
}

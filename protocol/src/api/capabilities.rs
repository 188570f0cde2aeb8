//! What a runtime has for components: the names that descriptors' `constraints` use
//! (spec messaging §4.3), and how each is met.

use serde::{Deserialize, Serialize};

/// How a runtime meets what a component asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Met {
    /// It is there.
    Here,
    /// It is there for whom policy grants it; without, each use is refused.
    Granted,
    /// It is not there: each use is refused. The component starts, because it says
    /// that it can do without, or because a window's page would have been asked.
    RefusedInUse,
}

/// What every component finds.
pub const HERE: [&str; 4] = ["browser", "node", "native", "windowSandbox"];

/// What policy grants, each time anew.
pub const GRANTED: [&str; 4] = ["http", "https", "ws", "wss"];

/// What has a name in the field and is not there.
pub const ABSENT: [&str; 7] = [
    "mic",
    "camera",
    "sensor",
    "webrtc",
    "ortc",
    "datachannel",
    "coap",
];

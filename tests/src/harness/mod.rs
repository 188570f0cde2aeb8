//! A real supervisor with real children, as sentences.
//!
//! ```no_run
//! # use hyperty_tests::harness::{Catalogue, Runtime, eventually};
//! let runtime = Runtime::with(Catalogue::demo()).start();
//! let station = runtime.deploy("weather.example/hyperty/Station");
//! eventually("the station reports", || runtime.log_says(&station, "reports weather://"));
//! ```
//!
//! Nothing here sleeps or measures time; everything waits for a named condition
//! with a bound, and what it started is gone when it is dropped.

mod application;
mod catalogue;
mod command;
mod hosts;
mod member;
pub mod nats;
mod nats_server;
mod node;
mod operator;
mod options;
mod pair;
mod place;
mod ports;
mod process;
mod prosody;
mod runtime;
pub mod social;
mod wait;
mod watcher;

pub use application::Application;
pub use catalogue::{Catalogue, class, script};
pub use command::{Outcome, Running, hyperty, start as start_hyperty};
pub use hosts::{Cable, Host, Hosts};
pub use member::Member;
pub use nats_server::NatsServer;
pub use node::{Kind, Node};
pub use operator::{Answer, Operator};
pub use options::Options;
pub use pair::{Between, Pair, is_live};
pub use place::{TempDir, is_root, program, source_dir};
pub use ports::free_port;
pub use process::{Process, Victim, children_of, running};
pub use prosody::{Client as XmppClient, Prosody};
pub use runtime::Runtime;
pub use wait::{WAIT_MAX, eventually, never_again, some_time};

//! Runtimes that share a domain through real NATS servers.

use std::fs;
use std::path::PathBuf;

use protocol::api::user_agent::Component;
use serde_json::{Value, json};

use super::catalogue::Catalogue;
use super::nats_server::NatsServer;
use super::place::TempDir;
use super::runtime::Runtime;
use super::wait::eventually;

/// The domain that everything in these tests belongs to.
pub const DOMAIN: &str = "example.org";

/// The program of the server, where runtimes can dial as well; else a line that says
/// why the test is skipped.
///
/// # Panics
///
/// When a runtime does not start.
pub fn reachable() -> Option<PathBuf> {
    let program = NatsServer::program()?;
    let runtime = Runtime::with(Catalogue::new()).start();
    let dials = runtime
        .operator()
        .ask_room("read", "connections", &json!({}));
    if dials.code != 200 {
        eprintln!("skipped: this runtime has no connector, so no stub reaches a server");
        return None;
    }
    Some(program)
}

/// A runtime whose domain is a NATS cluster.
#[derive(Debug)]
pub struct Place {
    /// The runtime.
    pub runtime: Runtime,
    /// Its stub.
    pub stub: Component,
}

impl Place {
    /// Starts a runtime with this catalogue and its stub, and waits until the stub
    /// has reached the domain.
    ///
    /// # Panics
    ///
    /// When it does not.
    #[track_caller]
    pub fn start(catalogue: Catalogue, servers: &[NatsServer]) -> Self {
        let place = Self::deaf(catalogue, TempDir::new(), servers, &Value::Null);
        place.is_live();
        place
    }

    /// The same in directories that were used before.
    ///
    /// # Panics
    ///
    /// When the stub does not reach the domain.
    #[track_caller]
    pub fn again(catalogue: Catalogue, home: TempDir, servers: &[NatsServer]) -> Self {
        let place = Self::deaf(catalogue, home, servers, &Value::Null);
        place.is_live();
        place
    }

    /// The same without waiting for the domain, with credentials.
    ///
    /// # Panics
    ///
    /// When the runtime or the stub do not run.
    #[track_caller]
    pub fn deaf(
        catalogue: Catalogue,
        home: TempDir,
        servers: &[NatsServer],
        credentials: &Value,
    ) -> Self {
        let mut arguments = vec!["--domain".to_owned(), DOMAIN.to_owned()];
        for server in servers {
            arguments.extend(["--node".to_owned(), server.url()]);
        }
        if !credentials.is_null() {
            let file = catalogue.path().join("credentials.json");
            fs::write(&file, credentials.to_string()).expect("a file can be written");
            arguments.extend(["--node-secret".to_owned(), file.display().to_string()]);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let runtime = Runtime::with(catalogue)
            .home(home)
            .arguments(&arguments)
            .start();
        runtime.watch();
        let stub = |runtime: &Runtime| {
            let all = runtime.components().into_iter();
            all.into_iter()
                .find(|component| component.name == "stub-nats")
        };
        eventually("the stub runs", || stub(&runtime).is_some());
        let stub = stub(&runtime).expect("a stub");
        Self { runtime, stub }
    }

    /// Waits until the stub has reached the domain.
    ///
    /// # Panics
    ///
    /// When it does not.
    #[track_caller]
    pub fn is_live(&self) {
        eventually("the domain is reached", || self.said("live: the domain"));
    }

    /// Whether the stub's log has a line with this text.
    pub fn said(&self, text: &str) -> bool {
        self.runtime.log_says(&self.stub, text)
    }
}

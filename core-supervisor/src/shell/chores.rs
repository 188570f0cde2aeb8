//! Long work: what the core asks for, done with files, told as an event.

use protocol::api::connections::Grant;

use super::config::{Config, Origin};
use super::network::Network;
use super::package::{Catalogues, Nodes, Programs};
use super::policy_files::{self, PolicyDir};
use crate::event::{Event, Job};
use crate::rooms::catalogue::trust::Unsigned;
use crate::rooms::policy::{PolicySet, Problems};

/// Everything that long work needs to know. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Chores {
    catalogues: Catalogues,
    policies: Vec<PolicyDir>,
    homes: Vec<String>,
    nodes: Vec<Grant>,
    network: Network,
}

impl Chores {
    /// As configured; sealed programs go to `programs`.
    pub fn new(config: &Config, programs: Programs) -> Self {
        let directories = config.catalogues.value.clone();
        let domain = config.domain.value.clone();
        let nodes = Nodes::new(config, &domain);
        let (homes, named) = (nodes.domains(), nodes.grants());
        let data = &config.data_dir.value;
        // All programs of one build stand in one directory.
        let own = config.sandbox_host.value.parent();
        let network_programs = programs.clone();
        let catalogues = Catalogues::new(directories, domain, programs).with_nodes(nodes);
        Self {
            network: Network::new(config, network_programs),
            catalogues: catalogues
                .fetching(data, config.fetch.value, own)
                .unsigned(config.unsigned.value == Unsigned::All),
            policies: policy_dirs(config),
            homes,
            nodes: named,
        }
    }

    /// The domains that the runtime belongs to.
    pub fn homes(&self) -> Vec<String> {
        self.homes.clone()
    }

    /// The nodes of these, which their stubs may reach.
    pub fn nodes(&self) -> Vec<Grant> {
        self.nodes.clone()
    }

    /// The rules as the files have them now.
    pub fn compile(&self) -> Result<PolicySet, Problems> {
        policy_files::load(&self.policies)
    }

    /// Does one piece of work.
    ///
    /// Some comes back as an event, some does not.
    pub(super) fn act(&self, job: Job) -> Option<Event<'static>> {
        Some(match job {
            Job::DropRelease { digest } => {
                self.catalogues.drop_release(&digest);
                return None;
            }
            Job::KeepReleases { digests } => {
                self.catalogues.keep_releases(&digests);
                return None;
            }
            Job::ReadPackage { ticket, wanted } => Event::PackageRead {
                ticket,
                result: Box::new(self.catalogues.read(&wanted)),
            },
            Job::ReadCatalogue {
                ticket,
                catalogue,
                check,
            } => Event::CatalogueRead {
                ticket,
                listing: self.catalogues.list(&catalogue, check),
            },
            Job::ReadSchema {
                ticket,
                wanted,
                is_here,
            } => {
                let (result, elsewhere) = self.catalogues.schema(&wanted, is_here);
                Event::SchemaRead {
                    ticket,
                    result,
                    elsewhere,
                }
            }
            Job::Keep { ticket, arrived } => Event::Kept {
                ticket,
                result: Box::new(self.catalogues.keep(*arrived)),
            },
            Job::Manage { ticket, managed } => Event::Kept {
                ticket,
                result: Box::new(self.catalogues.manage(&managed)),
            },
            Job::ReadConnector { ticket } => Event::ConnectorRead {
                ticket,
                result: self.network.connector(),
            },
            Job::ReadNames => Event::NamesRead {
                names: self.network.names(),
            },
            Job::ReadRoots { ticket } => Event::RootsRead {
                ticket,
                result: self.network.roots(),
            },
            Job::CompilePolicy { ticket } => Event::PolicyCompiled {
                ticket,
                result: Box::new(self.compile()),
            },
        })
    }
}

/// The configured directories; the one that nobody named may be absent.
pub fn policy_dirs(config: &Config) -> Vec<PolicyDir> {
    let is_optional = config.policies.origin == Origin::BuiltIn;
    let directory = |path: &std::path::PathBuf| PolicyDir {
        path: path.clone(),
        is_optional,
    };
    config.policies.value.iter().map(directory).collect()
}

//! `hyperty-node serve`

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use hyperty_node::limits::CONNECTIONS_MAX;
use hyperty_node::shell::{self, Options, Ready};
use protocol::Address;
use tracing_subscriber::EnvFilter;

use super::answer;
use super::failure::Failure;

/// How a node is run.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The domain that the node speaks for, e.g. example.org
    #[arg(long, value_name = "DOMAIN")]
    domain: String,

    /// Where to listen; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8086")]
    listen: SocketAddr,

    /// Certificate chain, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The certificate's key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// Listen without TLS elsewhere than on loopback: something before the node does it
    #[arg(long)]
    plain: bool,

    /// The file of access tokens; SIGHUP reads it again
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,

    /// Let everybody in, elsewhere than on loopback
    #[arg(long, conflicts_with = "tokens")]
    open: bool,

    /// A web page's origin that may connect without a token; may be repeated
    #[arg(long, value_name = "ORIGIN")]
    origin: Vec<String>,

    /// What must survive the node [default: ~/.local/state/hyperty-node/DOMAIN]
    #[arg(
        long,
        value_name = "DIR",
        env = "HYPERTY_NODE_DATA_DIR",
        hide_env_values = true
    )]
    data_dir: Option<PathBuf>,

    /// Share the domain with other nodes on this NATS server, instead of a store
    #[arg(long, value_name = "URL", conflicts_with = "data_dir")]
    nats: Option<String>,

    /// The credentials file for NATS (JWT and key)
    #[arg(long, value_name = "FILE", requires = "nats")]
    nats_credentials: Option<PathBuf>,

    /// Show numbers here: `/metrics` and `/live`, over plain HTTP
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,

    /// Connections at one time
    #[arg(long, value_name = "COUNT", default_value_t = CONNECTIONS_MAX)]
    connections_max: usize,

    /// What is logged: error, warn, info or debug
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log: EnvFilter,
}

pub(super) fn run(args: &Args, is_json: bool) -> Result<(), Failure> {
    let options = args.options()?;
    tracing_subscriber::fmt()
        .with_env_filter(args.log.to_string())
        .with_writer(io::stderr)
        .with_ansi(false)
        .init();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("cannot start: {error}")))?;
    let ready = |ready: &Ready| {
        let said = answer(is_json, "hyperty-node.ready/1", ready, || {
            let Ready { domain, url, .. } = ready;
            format!("the node of {domain} listens at {url}\n")
        });
        if let Err(failure) = said {
            failure.print(is_json);
        }
    };
    runtime
        .block_on(shell::run(options, ready))
        .map_err(|error| Failure::failed(error.to_string()))
}

impl Args {
    fn options(&self) -> Result<Options, Failure> {
        self.check_domain()?;
        self.check_exposure()?;
        let tls = self.tls_cert.clone().zip(self.tls_key.clone());
        Ok(Options {
            domain: self.domain.clone(),
            listen: self.listen,
            tls,
            tokens: self.tokens.clone(),
            origins: self.origin.clone(),
            data_dir: self.data_dir()?,
            nats: self
                .nats
                .clone()
                .map(|url| (url, self.nats_credentials.clone())),
            metrics: self.metrics,
            connections_max: self.connections_max,
        })
    }

    fn check_domain(&self) -> Result<(), Failure> {
        let is_domain = |address: Address| address.domain() == self.domain;
        if self.domain.parse().is_ok_and(is_domain) {
            return Ok(());
        }
        let what = format!("`{}` is not a domain in lower case", self.domain);
        Err(Failure::usage(what).fix("for example", "--domain example.org"))
    }

    // What is open to a network is so because somebody said it.
    fn check_exposure(&self) -> Result<(), Failure> {
        if self.listen.ip().is_loopback() {
            return Ok(());
        }
        let at = self.listen;
        if self.tls_cert.is_none() && !self.plain {
            let what = format!("without TLS everybody on the way to `{at}` could read along");
            return Err(Failure::usage(what)
                .fix("with a certificate", "--tls-cert FILE --tls-key FILE")
                .fix("behind a proxy that does TLS", "--plain"));
        }
        if self.tokens.is_none() && !self.open {
            let what = format!("without tokens everybody who reaches `{at}` gets in");
            return Err(Failure::usage(what)
                .fix("to ask for tokens", "--tokens FILE")
                .fix("to let everybody in", "--open"));
        }
        Ok(())
    }

    fn data_dir(&self) -> Result<PathBuf, Failure> {
        if let Some(directory) = &self.data_dir {
            return Ok(directory.clone());
        }
        let named = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let state = named("XDG_STATE_HOME").map(PathBuf::from).or_else(|| {
            let home = named("HOME").map(PathBuf::from);
            home.map(|home| home.join(".local/state"))
        });
        match state {
            Some(state) => Ok(state.join("hyperty-node").join(&self.domain)),
            None if self.nats.is_some() => Ok(PathBuf::new()),
            None => Err(
                Failure::usage("there is no home directory to keep anything in")
                    .fix("to say where", "--data-dir DIR"),
            ),
        }
    }
}

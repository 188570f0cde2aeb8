//! The options; `hyperty catalogue serve` has the same.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;

/// Serve a catalogue directory over HTTPS
#[derive(Debug, Parser)]
#[command(name = "catalogue-server", version, max_term_width = 100)]
pub(crate) struct Args {
    /// The directory that holds `.well-known/`, or a folder for each provider that does
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,

    /// Where to listen; port 0 for any free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8443")]
    pub(crate) listen: SocketAddr,

    /// Whose catalogue it is, whatever host name is asked for
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) provider: Option<String>,

    /// A certificate chain in PEM, instead of one made for development
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// Its private key in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,

    /// A further host name for the development certificate; may be repeated
    #[arg(long, value_name = "HOST", conflicts_with = "tls_cert")]
    pub(crate) name: Vec<String>,

    /// Where the development certificate is kept
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,

    /// Print JSON, a line for each request
    #[arg(long)]
    pub(crate) json: bool,
}

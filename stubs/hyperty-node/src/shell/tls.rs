//! The node's certificate.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file.
    #[error("cannot read the {what} `{path}`: {why}")]
    File {
        /// Certificate or key.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The two do not belong together, or are of no use.
    #[error("cannot use the certificate `{path}` with its key: {why}")]
    Pair {
        /// The certificate.
        path: PathBuf,
        /// What is wrong.
        why: rustls::Error,
    },
}

/// Reads a certificate chain and its key, both PEM.
pub(super) fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let failed = |what, path: &Path, why: String| TlsError::File {
        what,
        path: path.to_owned(),
        why,
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(certificate)
        .map_err(|why| failed("certificate", certificate, why.to_string()))?
        .collect();
    let chain = chain.map_err(|why| failed("certificate", certificate, why.to_string()))?;
    if chain.is_empty() {
        let why = "no certificate in it".to_owned();
        return Err(failed("certificate", certificate, why));
    }
    let key =
        PrivateKeyDer::from_pem_file(key).map_err(|why| failed("key", key, why.to_string()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let pair = |why| TlsError::Pair {
        path: certificate.to_owned(),
        why,
    };
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(pair)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(pair)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

//! TLS over any stream, trusting the roots that the core handed in.

use std::io;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::dial::BoxStream;
use crate::error::{Error, TlsProblem, causes, quoted};
use crate::limits::{ROOTS_BYTES_MAX, TLS_WAIT};
use crate::tasks::{Tasks, within};

/// Sessions that are kept for a quicker handshake with the same host.
const SESSIONS_MAX: usize = 16;

/// What is spoken inside the TLS connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inside {
    /// What the caller speaks; nothing is negotiated.
    Bytes,
    /// HTTP/1.1 only, as a WebSocket needs it.
    Http1,
    /// HTTP/2 where the other end can, else HTTP/1.1.
    Http,
}

/// Whom this machine trusts, made ready.
pub(crate) struct Tls {
    bytes: TlsConnector,
    http1: TlsConnector,
    http: TlsConnector,
}

impl Tls {
    /// Reads PEM roots; those that are no certificates are left out.
    pub(crate) fn trusting(pem: &[u8]) -> Result<Self, Error> {
        if pem.len() > ROOTS_BYTES_MAX {
            let text = format!("the roots have more than {ROOTS_BYTES_MAX} bytes");
            return Err(Error::Roots(text));
        }
        let mut roots = RootCertStore::empty();
        let found = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok);
        roots.add_parsable_certificates(found);
        if roots.is_empty() {
            let text = "no root certificates are known; install `ca-certificates`, \
                        or name a PEM file with `hyperty up --tls-roots FILE`";
            return Err(Error::Roots(text.to_owned()));
        }
        let roots = Arc::new(roots);
        Ok(Self {
            bytes: connector(&roots, &[])?,
            http1: connector(&roots, &[b"http/1.1"])?,
            http: connector(&roots, &[b"h2", b"http/1.1"])?,
        })
    }

    /// Shakes hands; the other end must prove to be `host`.
    pub(crate) async fn connect(
        &self,
        tasks: &dyn Tasks,
        host: &str,
        inside: Inside,
        stream: BoxStream,
    ) -> Result<TlsStream<BoxStream>, Error> {
        let failed = |problem| Error::Tls {
            host: host.to_owned(),
            problem,
        };
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| failed(TlsProblem::Other("this is no name of a host".to_owned())))?;
        let connector = match inside {
            Inside::Bytes => &self.bytes,
            Inside::Http1 => &self.http1,
            Inside::Http => &self.http,
        };
        match within(tasks, TLS_WAIT, connector.connect(name, stream)).await {
            Some(Ok(stream)) => Ok(stream),
            Some(Err(error)) => Err(failed(problem(&error))),
            None => Err(Error::Late {
                host: host.to_owned(),
                what: "finish the TLS handshake",
                wait: TLS_WAIT,
            }),
        }
    }
}

// One provider, named here: a default of the process would depend on who else
// is linked in.
fn connector(roots: &Arc<RootCertStore>, protocols: &[&[u8]]) -> Result<TlsConnector, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Roots(error.to_string()))?;
    let mut config = builder
        .with_root_certificates(Arc::clone(roots))
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    config.resumption = Resumption::in_memory_sessions(SESSIONS_MAX);
    Ok(TlsConnector::from(Arc::new(config)))
}

/// What a failure of the handshake means for whoever reads it.
fn problem(error: &io::Error) -> TlsProblem {
    let inner = error.get_ref();
    let Some(error) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        return TlsProblem::Other(causes(error));
    };
    match error {
        rustls::Error::InvalidCertificate(flaw) => certificate(flaw),
        rustls::Error::InvalidMessage(_) => TlsProblem::NotTls,
        rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol) => {
            TlsProblem::Refused("it speaks no HTTP".to_owned())
        }
        rustls::Error::AlertReceived(alert) => TlsProblem::Refused(format!("{alert:?}")),
        other => TlsProblem::Other(causes(other)),
    }
}

fn certificate(flaw: &CertificateError) -> TlsProblem {
    match flaw {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsProblem::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            TlsProblem::NotYetValid
        }
        CertificateError::NotValidForName => TlsProblem::WrongHost {
            presented: "another name".to_owned(),
        },
        CertificateError::NotValidForNameContext { presented, .. } => TlsProblem::WrongHost {
            presented: names(presented),
        },
        CertificateError::UnknownIssuer => TlsProblem::UnknownIssuer,
        CertificateError::Revoked => TlsProblem::Revoked,
        other => TlsProblem::Certificate(quoted(&other.to_string())),
    }
}

// They come from whoever is at the other end.
fn names(presented: &[String]) -> String {
    let some: Vec<_> = presented.iter().take(3).map(|name| name_of(name)).collect();
    match (some.len(), presented.len() - some.len()) {
        (0, _) => "no name at all".to_owned(),
        (_, 0) => some.join(", "),
        (_, more) => format!("{} and {more} more", some.join(", ")),
    }
}

// `DnsName("example.org")` and the like.
fn name_of(presented: &str) -> String {
    let inner = presented.split_once('"').map(|(_, rest)| rest);
    let name = inner.and_then(|rest| rest.strip_suffix("\")"));
    format!("`{}`", quoted(name.unwrap_or(presented)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_without_a_certificate_name_the_remedy() {
        for pem in [
            &b""[..],
            b"<html>no certificates here</html>",
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            let error = Tls::trusting(pem).err().map(|error| error.to_string());

            let error = error.unwrap_or_default();
            assert!(error.contains("--tls-roots FILE"), "{error}");
        }
    }

    #[test]
    fn a_wrong_name_is_told_with_the_right_ones() {
        let presented = ["a.example", "b.example", "c.example", "d.example"];
        let presented: Vec<_> = presented
            .iter()
            .map(|n| format!("DnsName(\"{n}\")"))
            .collect();

        assert_eq!(names(&presented[..1]), "`a.example`");
        assert_eq!(
            names(&presented),
            "`a.example`, `b.example`, `c.example` and 1 more"
        );
        assert_eq!(names(&[]), "no name at all");
    }
}

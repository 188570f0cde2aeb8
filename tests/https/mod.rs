//! HTTPS by hand: a client that trusts exactly what it is told to.

#![allow(dead_code, reason = "each test file uses some of it")]

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// Whose certificates are believed.
pub(crate) struct Trust(Arc<ClientConfig>);

impl Trust {
    /// Those in this text, and no others.
    pub(crate) fn pem(pem: &[u8]) -> Self {
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(pem) {
            roots.add(root.expect("a certificate")).expect("a root");
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self(Arc::new(config))
    }

    /// Nobody's.
    pub(crate) fn nobody() -> Self {
        Self::pem(b"")
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    /// Its code.
    pub(crate) status: u16,
    head: String,
    body: Vec<u8>,
}

impl Reply {
    /// A header by its name in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One GET over a connection of its own.
pub(crate) fn get(
    address: &str,
    host: &str,
    path: &str,
    headers: &[(&str, &str)],
    trust: &Trust,
) -> io::Result<Reply> {
    let mut head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.extend([*name, ": ", *value, "\r\n"]);
    }
    exchange(address, host, &(head + "\r\n"), trust)
}

/// One request with a body.
pub(crate) fn send(
    method: &str,
    address: &str,
    (host, path): (&str, &str),
    body: &str,
    trust: &Trust,
) -> io::Result<Reply> {
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    exchange(address, host, &request, trust)
}

fn exchange(address: &str, host: &str, request: &str, trust: &Trust) -> io::Result<Reply> {
    let socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(Duration::from_secs(20)))?;
    let name = ServerName::try_from(host.to_owned()).expect("a host name");
    let session = ClientConnection::new(Arc::clone(&trust.0), name).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(session, socket);
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let at = bytes.windows(4).position(|part| part == b"\r\n\r\n");
    let at = at.ok_or_else(|| io::Error::other("no head"))?;
    let body = bytes.split_off(at + 4);
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok(Reply {
        status: status.ok_or_else(|| io::Error::other("no status"))?,
        head,
        body,
    })
}

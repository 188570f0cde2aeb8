//! The machine's files about the network, and the connector's program: read by the
//! thread for files, handed on as they are.

use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use protocol::api::connections::Names;
use protocol::limits::ROOTS_BYTES_MAX;

use super::config::Config;
use super::package::Programs;
use crate::event::ConnectorRead;
use crate::ids::ProgramId;

/// What is read of `resolv.conf`: three name servers and a few domains fit easily.
const RESOLV_CONF_BYTES_MAX: u64 = 64 * 1024;

/// What is read of `hosts`: it goes to the connector in one frame. The rest of a
/// longer one is left out, line by line.
const HOSTS_BYTES_MAX: u64 = 512 * 1024;

/// Where systems keep the certificates of the authorities that they trust.
const ROOTS: [&str; 7] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/pki/tls/cacert.pem",
    "/var/lib/ca-certificates/ca-bundle.pem",
];

/// What there is to read, and where. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Network {
    connector: PathBuf,
    resolver: Option<SocketAddr>,
    tls_roots: PathBuf,
    programs: Programs,
}

impl Network {
    pub(super) fn new(config: &Config, programs: Programs) -> Self {
        Self {
            connector: config.connector.value.clone(),
            resolver: config.resolver.value,
            tls_roots: config.tls_roots.value.clone(),
            programs,
        }
    }

    /// The connector's program, sealed, and what it is to know of names.
    pub(super) fn connector(&self) -> Result<ConnectorRead, String> {
        let shown = self.connector.display();
        let file = File::open(&self.connector)
            .map_err(|error| format!("cannot read its program `{shown}`: {error}"))?;
        let program = self.programs.seal("connector", file);
        Ok(ConnectorRead {
            program: program.map_err(|reason| format!("its program `{shown}` {reason}"))?,
            names: self.names(),
        })
    }

    /// What the machine's files, or the operator, say about names.
    pub(super) fn names(&self) -> Names {
        let resolver = self.resolver.map(|server| server.to_string());
        Names {
            resolv_conf: text("/etc/resolv.conf", RESOLV_CONF_BYTES_MAX),
            hosts: text("/etc/hosts", HOSTS_BYTES_MAX),
            resolver: resolver.unwrap_or_default(),
        }
    }

    /// The authorities' certificates in sealed memory, and how many bytes they are.
    pub(super) fn roots(&self) -> Result<(ProgramId, u32), String> {
        let named = &self.tls_roots;
        let pem = if named.as_os_str().is_empty() {
            let found = ROOTS.iter().find_map(|path| pem(Path::new(path)).ok());
            found.ok_or_else(|| {
                "this machine has no list of authorities where one is looked for: install \
                 `ca-certificates`, or name a PEM file with `--tls-roots FILE`"
                    .to_owned()
            })?
        } else {
            pem(named)?
        };
        let bytes = u32::try_from(pem.len()).map_err(|error| error.to_string())?;
        Ok((self.programs.keep("roots", &pem)?, bytes))
    }
}

// A file that is not there says nothing, as it does to the C library.
fn text(path: &str, max: u64) -> String {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(max).read_to_end(&mut bytes));
    if read.is_err() {
        return String::new();
    }
    if bytes.len() as u64 == max {
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
        bytes.truncate(whole);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn pem(path: &Path) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let mut bytes = Vec::new();
    let limit = ROOTS_BYTES_MAX as u64 + 1;
    File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(|error| format!("cannot read the certificates `{shown}`: {error}"))?;
    if bytes.len() > ROOTS_BYTES_MAX {
        return Err(format!(
            "the certificates `{shown}` are longer than {ROOTS_BYTES_MAX} bytes"
        ));
    }
    let begins = b"-----BEGIN ";
    if !bytes.windows(begins.len()).any(|part| part == begins) {
        return Err(format!("`{shown}` holds no certificates in PEM form"));
    }
    Ok(bytes)
}

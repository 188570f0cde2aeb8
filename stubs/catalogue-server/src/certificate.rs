//! The server's certificate: the author's own, or one made here for development.
//!
//! One made here signs itself, is good for the names of this machine and stays
//! the same from run to run, so that a runtime that trusts its file once
//! (`hyperty up --tls-roots FILE`) goes on trusting it. Its file says in front
//! for which names and until when; where these do not fit any more, a new one
//! takes its place.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use rcgen::{CertificateParams, DistinguishedName, DnType, IsCa, KeyPair, date_time_ymd};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;

use crate::args::Args;
use crate::shelf::hex;

/// How long a development certificate is good: what browsers accept.
const GOOD_FOR: Duration = Duration::from_hours(398 * 24);

/// It is made anew this long before its end, so that no session meets it.
const RENEWED_BEFORE: Duration = Duration::from_hours(7 * 24);

/// A clock that is behind must not call it not yet valid.
const BACKDATED: Duration = Duration::from_hours(24);

/// Who this server says it is.
pub(crate) struct Identity {
    /// For connections.
    pub(crate) tls: Arc<ServerConfig>,
    /// The certificate's file.
    pub(crate) file: PathBuf,
    /// SHA-256 of the certificate, in hex.
    pub(crate) fingerprint: String,
    /// Whether it was made here and nobody trusts it by itself.
    pub(crate) is_development: bool,
}

impl Identity {
    /// Reads the certificate, or makes one.
    pub(crate) fn of(args: &Args) -> anyhow::Result<Self> {
        let own = args.tls_cert.clone().zip(args.tls_key.clone());
        let is_development = own.is_none();
        let (cert, key) = match own {
            Some(own) => own,
            None => development(&state(args)?, &names(args))?,
        };
        let chain = chain(&cert)?;
        let key = PrivateKeyDer::from_pem_file(&key)
            .with_context(|| format!("cannot read a private key from `{}`", key.display()))?;
        let fingerprint = chain
            .first()
            .map(|first| hex(&Sha256::digest(first)))
            .unwrap_or_default();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .context("cannot set up TLS")?
            .with_no_client_auth();
        let mut tls = config
            .with_single_cert(chain, key)
            .with_context(|| format!("the key does not go with `{}`", cert.display()))?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self {
            tls: Arc::new(tls),
            file: cert,
            fingerprint,
            is_development,
        })
    }
}

fn chain(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let unread = || format!("cannot read a certificate from `{}`", file.display());
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file)
        .with_context(unread)?
        .collect();
    let chain = chain.with_context(unread)?;
    if chain.is_empty() {
        bail!("`{}` holds no certificate", file.display());
    }
    Ok(chain)
}

fn names(args: &Args) -> Vec<String> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    let address = args.listen.ip();
    if !address.is_unspecified() {
        names.push(address.to_string());
    }
    names.extend(args.name.iter().cloned());
    names.sort();
    names.dedup();
    names
}

fn state(args: &Args) -> anyhow::Result<PathBuf> {
    if let Some(state) = &args.state {
        return Ok(state.clone());
    }
    let absolute = |variable: &str| {
        let path = std::env::var_os(variable).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    absolute("XDG_DATA_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
        .map(|base| base.join("hyperty/catalogue-server"))
        .context("neither XDG_DATA_HOME nor HOME is set: say where with `--state DIR`")
}

/// The files of the development certificate; made when there is none that is good.
fn development(state: &Path, names: &[String]) -> anyhow::Result<(PathBuf, PathBuf)> {
    let (cert, key) = (state.join("certificate.pem"), state.join("key.pem"));
    let now = SystemTime::now();
    if key.is_file() && fs::read_to_string(&cert).is_ok_and(|text| is_good(&text, names, now)) {
        return Ok((cert, key));
    }
    let made = DirBuilder::new().recursive(true).mode(0o700).create(state);
    made.with_context(|| format!("cannot make `{}`", state.display()))?;
    let (certificate, private) = make(names, now).context("cannot make a certificate")?;
    // The key first: whoever finds a good certificate finds its key.
    write(&key, 0o600, &private)?;
    write(&cert, 0o644, &certificate)?;
    Ok((cert, key))
}

fn make(names: &[String], now: SystemTime) -> anyhow::Result<(String, String)> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names)?;
    let epoch = date_time_ymd(1970, 1, 1);
    let since = |at: SystemTime| at.duration_since(UNIX_EPOCH).unwrap_or_default();
    params.not_before = epoch + since(now).saturating_sub(BACKDATED);
    params.not_after = epoch + (since(now) + GOOD_FOR);
    params.is_ca = IsCa::ExplicitNoCa;
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, "hyperty catalogue serve (development)");
    params.distinguished_name = name;
    let certificate = params.self_signed(&key)?;
    let ends = since(now + GOOD_FOR).as_secs();
    let head = format!("names: {}\nends: {ends}\n", names.join(" "));
    Ok((head + &certificate.pem(), key.serialize_pem()))
}

fn is_good(text: &str, names: &[String], now: SystemTime) -> bool {
    let member = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    let ends = member("ends: ").and_then(|text| text.parse().ok());
    let ends = ends.and_then(|s| UNIX_EPOCH.checked_add(Duration::from_secs(s)));
    let is_lasting = ends.is_some_and(|ends| now + RENEWED_BEFORE < ends);
    is_lasting && member("names: ") == Some(names.join(" ").as_str())
}

// Beside it first, so that whoever reads it meanwhile reads one or the other.
fn write(file: &Path, mode: u32, text: &str) -> anyhow::Result<()> {
    let beside = file.with_extension("new");
    let _ = fs::remove_file(&beside);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&beside)
        .and_then(|mut opened| opened.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&beside, file));
    written.with_context(|| format!("cannot write `{}`", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_serves_until_its_names_or_its_end_do_not_fit() {
        let now = SystemTime::now();
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let (text, _) = make(&names, now).unwrap();
        let at = |days: u64| now + Duration::from_hours(days * 24);

        assert!(is_good(&text, &names, now));
        assert!(is_good(&text, &names, at(390)));
        assert!(!is_good(&text, &names, at(392)));
        assert!(!is_good(&text, &names[..1], now));
        assert!(!is_good("-----BEGIN CERTIFICATE-----", &names, now));
    }
}

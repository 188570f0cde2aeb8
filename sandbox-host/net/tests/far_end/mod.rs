//! The far ends that the tests speak to: real servers on loopback, honest and not.

#![allow(dead_code, reason = "each test file uses some of it")]

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::serve::Listener;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd,
};
use sandbox_net::{Direct, Network};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Somebody who issues certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

/// When a certificate is valid.
#[derive(Clone, Copy)]
pub(crate) enum Valid {
    Now,
    Before,
    Later,
}

impl Authority {
    pub(crate) fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        let issuer = Issuer::new(params, key);
        Self { issuer, pem }
    }

    /// A server's configuration for `name`; both versions of HTTP unless one is named.
    pub(crate) fn server(&self, name: &str, valid: Valid, protocols: &[&str]) -> Arc<ServerConfig> {
        let (certificate, key) = self.issued(name, valid);
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let mut config = builder
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a configuration");
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        Arc::new(config)
    }

    /// A certificate for `name` and its key, both PEM.
    pub(crate) fn certificate(&self, name: &str, valid: Valid) -> (String, String) {
        let (certificate, key) = self.issued(name, valid);
        (certificate.pem(), key.serialize_pem())
    }

    fn issued(&self, name: &str, valid: Valid) -> (Certificate, KeyPair) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        (params.not_before, params.not_after) = match valid {
            Valid::Now => (date_time_ymd(2020, 1, 1), date_time_ymd(2040, 1, 1)),
            Valid::Before => (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1)),
            Valid::Later => (date_time_ymd(2039, 1, 1), date_time_ymd(2040, 1, 1)),
        };
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        (certificate, key)
    }

    /// A network that trusts this authority alone.
    pub(crate) fn network(&self) -> Network {
        Network::new(Direct::trusting(self.pem.clone()))
    }
}

/// A network that trusts nobody: for what is not encrypted.
pub(crate) fn network() -> Network {
    Network::new(Direct::default())
}

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    (listener, port)
}

/// Serves HTTP without TLS, and returns the port.
pub(crate) async fn web(router: Router) -> u16 {
    let (listener, port) = listener().await;
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

/// Serves HTTP over TLS, and returns the port.
pub(crate) async fn secure(router: Router, config: Arc<ServerConfig>) -> u16 {
    let (tcp, port) = listener().await;
    let tls = TlsAcceptor::from(config);
    tokio::spawn(async move { axum::serve(Secure { tcp, tls }, router).await });
    port
}

struct Secure {
    tcp: TcpListener,
    tls: TlsAcceptor,
}

impl Listener for Secure {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, from) = self.tcp.accept().await.expect("a caller");
            if let Ok(stream) = self.tls.accept(stream).await {
                return (stream, from);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

/// Serves each caller by `act`, byte by byte, and returns the port.
pub(crate) async fn raw<F>(act: impl Fn(TcpStream) -> F + Send + 'static) -> u16
where
    F: Future<Output = ()> + Send + 'static,
{
    let (listener, port) = listener().await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(act(stream));
        }
    });
    port
}

/// Answers every caller's first head with these bytes, and closes.
pub(crate) async fn answering(bytes: impl Into<Vec<u8>>) -> u16 {
    let bytes: Arc<[u8]> = bytes.into().into();
    raw(move |mut stream| {
        let bytes = Arc::clone(&bytes);
        async move {
            head(&mut stream).await;
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
    })
    .await
}

/// Reads up to the empty line, and returns what was read as text.
pub(crate) async fn head(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let mut byte = [0];
    while !read.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte).await {
            Ok(1) => read.push(byte[0]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&read).into_owned()
}

/// Shakes hands as a server, byte by byte.
pub(crate) async fn accept(stream: &mut TcpStream) {
    let asked = head(stream).await;
    let key = asked
        .lines()
        .find_map(|line| line.strip_prefix("sec-websocket-key: "));
    let proof = derive_accept_key(key.expect("a key").trim().as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-accept: {proof}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
}

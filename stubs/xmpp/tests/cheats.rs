//! Servers that cheat, or whoever sits between: none learns the password or is believed.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::sync::Arc;
use std::time::Duration;

use sandbox_net::{Direct, Network};
use stub_xmpp::config::Config;
use stub_xmpp::scram::NotProved;
use stub_xmpp::session::{NotOpen, open};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

const OPEN: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' id='1' \
                    version='1.0' xmlns:stream='http://etherx.jabber.org/streams'>";
const STARTTLS: &str = "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\
                        </stream:features>";
const PROCEED: &str = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

fn features(mechanism: &str) -> String {
    format!(
        "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
         <mechanism>{mechanism}</mechanism></mechanisms></stream:features>"
    )
}

fn sasl(name: &str, text: &str) -> String {
    format!("<{name} xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{text}</{name}>")
}

/// What comes of a server that says these one after the other, whatever it hears, and
/// what it has heard.
async fn meets(security: &str, lines: &[String]) -> (NotOpen, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let made = rcgen::generate_simple_self_signed(["x.example".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let tls = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let network = Network::new(Direct::trusting(made.cert.pem()));
    let account = r#""account":"bot@x.example","password":"secret""#;
    let place = format!(r#""server":"127.0.0.1:{port}","security":"{security}""#);
    let config = Config::read(&format!("{{{account},{place}}}")).unwrap();
    let serve = async {
        let mut heard = String::new();
        let (mut stream, _) = listener.accept().await.unwrap();
        if security == "starttls" {
            say(&mut stream, lines, &mut heard).await;
        } else {
            let acceptor = TlsAcceptor::from(Arc::new(tls));
            let mut stream = acceptor.accept(stream).await.unwrap();
            say(&mut stream, lines, &mut heard).await;
        }
        heard
    };
    let both = async { tokio::join!(open(&network, &config), serve) };
    let (opened, heard) = tokio::time::timeout(Duration::from_mins(1), both)
        .await
        .expect("it ends");
    (opened.err().expect("it is not believed"), heard)
}

// Until the other end has had enough.
async fn say<S>(stream: &mut S, lines: &[String], heard: &mut String)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let mut piece = [0; 4096];
    let mut lines = lines.iter();
    while let Ok(count @ 1..) = stream.read(&mut piece).await {
        *heard += &String::from_utf8_lossy(&piece[..count]);
        match lines.next() {
            Some(line) => stream.write_all(line.as_bytes()).await.unwrap(),
            None => return,
        }
    }
}

#[tokio::test]
async fn nothing_is_said_without_tls() {
    let offer = format!("{OPEN}{}", features("PLAIN"));

    let (why, heard) = meets("starttls", &[offer]).await;

    assert!(matches!(why, NotOpen::Plain), "{why}");
    assert!(why.is_lasting() && !heard.contains("<auth"), "{heard}");
}

#[tokio::test]
async fn what_was_put_in_before_tls_is_not_taken_for_the_servers() {
    let injected = format!("{PROCEED}{OPEN}{}", features("PLAIN"));

    let (why, _) = meets("starttls", &[format!("{OPEN}{STARTTLS}"), injected]).await;

    assert!(matches!(why, NotOpen::Unexpected("wait for TLS")), "{why}");
}

#[tokio::test]
async fn who_does_not_prove_to_know_the_account_is_not_believed() {
    let offer = format!("{OPEN}{}", features("SCRAM-SHA-256"));

    let (at_once, heard) = meets("direct", &[offer.clone(), sasl("success", "")]).await;
    let (nonce, _) = meets(
        "direct",
        &[offer, sasl("challenge", "cj14LHM9QUFBQSxpPTQwOTY=")],
    )
    .await;

    assert!(
        matches!(at_once, NotOpen::NotProved(NotProved::Server)),
        "{at_once}"
    );
    assert!(
        matches!(nonce, NotOpen::NotProved(NotProved::Nonce)),
        "{nonce}"
    );
    assert!(!heard.contains("secret"), "{heard}");
}

#[tokio::test]
async fn a_server_that_knows_nothing_in_common_or_fails_says_so() {
    let strange = format!("{OPEN}{}", features("X-OAUTH2"));
    let failed = format!(
        "{OPEN}<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>\
         </stream:error>"
    );
    let refused = sasl("failure", "<not-authorized/>");
    let plain = format!("{OPEN}{}", features("PLAIN"));

    let (strange, _) = meets("direct", &[strange]).await;
    let (failed, _) = meets("direct", &[failed]).await;
    let (refused, _) = meets("direct", &[plain, refused]).await;
    let (garbage, _) = meets("direct", &["HTTP/1.1 400 Bad\r\n\r\n<html>".to_owned()]).await;

    assert!(matches!(strange, NotOpen::Mechanisms(_)), "{strange}");
    assert!(
        failed.to_string().contains("host-unknown") && !failed.is_lasting(),
        "{failed}"
    );
    assert!(
        refused.to_string().contains("not-authorized") && refused.is_lasting(),
        "{refused}"
    );
    assert!(matches!(garbage, NotOpen::Read(_)), "{garbage}");
}

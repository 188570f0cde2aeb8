//! The stub's client in the test's own process.

#![allow(dead_code, unreachable_pub)] // each test program uses its part
#![allow(clippy::expect_used, clippy::indexing_slicing)]

pub mod core;

use std::time::Duration;

use hyperty_tests::harness::NatsServer;
use protocol::Address;
use serde_json::json;
use stub_nats::client::{
    BoxFuture, BoxStream, Client, Dial, DialError, Event, Options, Server, Servers,
};
use stub_nats::credentials::Credentials;
use stub_nats::names::Names;
use tokio::net::TcpStream;
use tokio::task::LocalSet;
use tokio::time::timeout;

use self::core::Core;

/// How long anything may take that is waited for.
pub const WITHIN: Duration = Duration::from_mins(1);

/// The address that the second runtime has in [`with_two`].
pub const BOB: &str = "hyperty://example.org/bob";

/// Two runtimes at a real server, the second with [`BOB`]; nothing where no server is
/// installed.
pub async fn with_two(story: impl AsyncFnOnce(Core, Core, &NatsServer)) {
    let Some(server) = NatsServer::if_installed("") else {
        return;
    };
    let config = json!({ "servers": [server.url()] });
    let both = async {
        let a = Core::live("a", &config).await;
        let mut b = Core::live("b", &config).await;
        b.subscribe(&[BOB]).await;
        story(a, b, &server).await;
    };
    LocalSet::new().run_until(both).await;
}

/// Dials by itself, which only a test may.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tcp;

impl Dial for Tcp {
    fn dial(&self, server: &Server) -> BoxFuture<Result<BoxStream, DialError>> {
        let place = (server.host.clone(), server.port);
        Box::pin(async move {
            let stream = TcpStream::connect(place).await;
            let stream = stream.map_err(|error| DialError::Failed(error.to_string()))?;
            let _ = stream.set_nodelay(true);
            Ok(Box::new(stream) as BoxStream)
        })
    }

    fn secure(&self, _: BoxStream, _: &Server) -> BoxFuture<Result<BoxStream, DialError>> {
        Box::pin(async { Err(DialError::Failed("no TLS in this test".to_owned())) })
    }
}

pub fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

/// A client of the runtime `id` of `example.org`.
pub fn client(id: &str, urls: &[String], credentials: Credentials) -> Client<Tcp> {
    let runtime = address(&format!("hyperty-runtime://example.org/{id}"));
    let options = Options {
        name: id.to_owned(),
        servers: Servers::new(urls).expect("servers"),
        credentials,
        names: Names::new("hy", &runtime).expect("names"),
    };
    Client::new(Tcp, options)
}

/// Drives a client until it is up.
pub async fn up<D: Dial + 'static>(client: &mut Client<D>) {
    let up = async { while !matches!(client.next().await, Event::Up(_)) {} };
    timeout(WITHIN, up).await.expect("a connection in time");
}

/// Drives a client while something else is waited for.
pub async fn with<D: Dial + 'static, T>(
    client: &mut Client<D>,
    other: impl Future<Output = T>,
) -> T {
    let mut other = std::pin::pin!(other);
    let both = async {
        loop {
            tokio::select! {
                value = &mut other => return value,
                _ = client.next() => {}
            }
        }
    };
    timeout(WITHIN, both).await.expect("done in time")
}

/// What a runtime of `example.org` has to be permitted, and nothing else: the list
/// of the README, as JSON for the server's configuration.
pub fn permissions(id: &str) -> serde_json::Value {
    let r = format!("example=dorg_{id}");
    serde_json::json!({
        "pub": [
            format!("hy.to.*.{r}"),
            format!("hy.re.*.{r}.*"),
            format!("hy.mail.*.{r}"),
            format!("$KV.hy-book.*.*.{r}"),
            format!("$KV.hy-registry.*.*.*.*.{r}"),
            "$JS.API.STREAM.INFO.KV_hy-book",
            "$JS.API.STREAM.INFO.KV_hy-registry",
            "$JS.API.STREAM.INFO.hy-mail",
            "$JS.API.STREAM.MSG.GET.KV_hy-book",
            "$JS.API.STREAM.MSG.GET.KV_hy-registry",
            format!("$JS.API.CONSUMER.CREATE.hy-mail.{r}.hy.mail.{r}.*"),
            format!("$JS.API.CONSUMER.MSG.NEXT.hy-mail.{r}"),
            format!("$JS.ACK.hy-mail.{r}.>"),
        ],
        "sub": [
            format!("hy.to.{r}.*"),
            format!("hy.re.{r}.>"),
            "$KV.hy-book.sub.>",
        ],
    })
}

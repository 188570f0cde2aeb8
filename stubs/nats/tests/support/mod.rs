//! A real `nats-server`, or several, and a client in the test's own process.

#![allow(dead_code, unreachable_pub)] // each test program uses its part
#![allow(clippy::expect_used, clippy::indexing_slicing)]

pub mod core;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use protocol::Address;
use stub_nats::client::{
    BoxFuture, BoxStream, Client, Dial, DialError, Event, Options, Server, Servers,
};
use stub_nats::credentials::Credentials;
use stub_nats::names::Names;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long anything may take that is waited for.
pub const WITHIN: Duration = Duration::from_secs(30);

/// The program, or the line to print when the test has to be skipped.
pub fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    folders.push("/usr/sbin".into());
    let found = folders.into_iter().map(|folder| folder.join("nats-server"));
    let found = found.into_iter().find(|file| file.is_file());
    if found.is_none() {
        eprintln!("skipped: nats-server is not installed (apt-get install nats-server)");
    }
    found
}

/// A folder that goes with the test.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("hyperty-nats-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a folder can be made");
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// One running server.
#[derive(Debug)]
pub struct Running {
    child: Child,
    program: PathBuf,
    config: PathBuf,
    pub port: u16,
    folder: Folder,
}

impl Running {
    /// Starts one by itself, with further lines of configuration.
    pub fn start(program: &Path, more: &str) -> Self {
        Self::start_at(program, free_port(), more)
    }

    pub fn start_at(program: &Path, port: u16, more: &str) -> Self {
        let folder = Folder::new();
        let store = folder.path().join("store");
        let config = folder.path().join("server.conf");
        let text = format!(
            "listen: \"127.0.0.1:{port}\"\nserver_name: s{port}\n\
             jetstream {{ store_dir: \"{}\" }}\n{more}\n",
            store.display()
        );
        fs::write(&config, text).expect("a file can be written");
        Self {
            child: spawn(program, &config, folder.path()),
            program: program.to_owned(),
            config,
            port,
            folder,
        }
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub fn start_again(&mut self) {
        self.child = spawn(&self.program, &self.config, self.folder.path());
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- the log of the server at {}\n{}", self.port, self.log());
        }
    }
}

fn spawn(program: &Path, config: &Path, folder: &Path) -> Child {
    let log = fs::File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"))
        .expect("a log can be written");
    Command::new(program)
        .arg("-c")
        .arg(config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("the server starts")
}

/// Servers that know each other.
pub fn cluster(program: &Path, count: usize, more: &str) -> Vec<Running> {
    let ports: Vec<(u16, u16)> = (0..count).map(|_| (free_port(), free_port())).collect();
    let routes: Vec<String> = ports
        .iter()
        .map(|(_, route)| format!("\"nats://127.0.0.1:{route}\""))
        .collect();
    let routes = routes.join(", ");
    let start = |&(port, route): &(u16, u16)| {
        let cluster = format!(
            "cluster {{ name: test, listen: \"127.0.0.1:{route}\", routes: [{routes}] }}\n{more}"
        );
        Running::start_at(program, port, &cluster)
    };
    ports.iter().map(start).collect()
}

/// A port that nobody listens at now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has an address").port()
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

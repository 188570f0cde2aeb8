//! The peers: what relays, who echoes behind it, and how the bench speaks to it.

use std::fs::File;
use std::io::{self, Read};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hyperty_tests::harness::TempDir;

use crate::caller::{Caller, Wire};
use crate::{dbus, nats, raw, redis};

const START_WAIT: Duration = Duration::from_secs(10);

/// A process that is ended with whoever started it.
pub(crate) struct Started(pub(crate) Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A relay with an echo behind it.
pub(crate) struct Peer {
    /// What the table calls it.
    pub(crate) name: &'static str,
    /// The bench's own end.
    pub(crate) caller: Caller,
    server: Started,
    _echo: Started,
    // What must stay open or in place as long as the server runs.
    _kept: Option<OwnedFd>,
    _home: TempDir,
}

impl Peer {
    /// The relaying process.
    pub(crate) fn server(&self) -> u32 {
        self.server.0.id()
    }

    /// The bare relay, for bodies of this size.
    pub(crate) fn raw(body_bytes: usize) -> Self {
        let (near, relay_near) = UnixStream::pair().expect("a socket pair");
        let (relay_far, far) = UnixStream::pair().expect("a socket pair");
        let server = this(
            &["pass"],
            relay_near.into(),
            Stdio::from(OwnedFd::from(relay_far)),
        );
        let echo = this(
            &["echo", "raw", &body_bytes.to_string()],
            far.into(),
            Stdio::piped(),
        );
        let input = near.try_clone().expect("a second descriptor");
        let wire = Box::new(raw::Wire::new(body_bytes));
        Self {
            name: "RAW",
            caller: Caller::over(input.into(), near.into(), wire),
            server,
            _echo: ready(echo),
            _kept: None,
            _home: TempDir::new(),
        }
    }

    /// Every broker that can be had, and why the others cannot.
    pub(crate) fn brokers() -> (Vec<Self>, Vec<String>) {
        let (mut peers, mut absent) = (Vec::new(), Vec::new());
        for start in [Self::redis, Self::nats, Self::dbus_broker, Self::busd] {
            match start() {
                Ok(peer) => peers.push(peer),
                Err(why) => absent.push(why),
            }
        }
        if !peers.iter().any(|peer| peer.name == "dbus-broker") {
            match Self::dbus_daemon() {
                Ok(peer) => peers.push(peer),
                Err(why) => absent.push(why),
            }
        }
        (peers, absent)
    }

    fn redis() -> Result<Self, String> {
        let home = TempDir::new();
        let path = home.join("r").display().to_string();
        let arguments = [
            "--port",
            "0",
            "--save",
            "",
            "--appendonly",
            "no",
            "--unixsocket",
            &path,
        ];
        let server = server(
            "redis-server",
            on_leash(&have("redis-server")?)
                .args(arguments)
                .current_dir(home.path()),
        )?;
        Self::connect("Redis", server, "redis", &path, home, None)
    }

    fn nats() -> Result<Self, String> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .map_err(|error| format!("no port for NATS: {error}"))?
            .port()
            .to_string();
        let arguments = ["-a", "127.0.0.1", "-p", &port];
        let server = server(
            "nats-server",
            on_leash(&have("nats-server")?).args(arguments),
        )?;
        let address = format!("127.0.0.1:{port}");
        Self::connect("NATS", server, "nats", &address, TempDir::new(), None)
    }

    fn dbus_broker() -> Result<Self, String> {
        let home = TempDir::new();
        let path = home.join("d");
        let (child, controller) = dbus::start_broker(&have("dbus-broker")?, &path)
            .map_err(|error| format!("dbus-broker does not start: {error}"))?;
        let address = path.display().to_string();
        Self::connect(
            "dbus-broker",
            Started(child),
            "dbus",
            &address,
            home,
            Some(controller),
        )
    }

    fn busd() -> Result<Self, String> {
        let home = TempDir::new();
        let path = home.join("b").display().to_string();
        let address = format!("unix:path={path}");
        let server = server(
            "busd",
            on_leash(&have("busd")?).args(["--address", &address]),
        )?;
        Self::connect("busd", server, "dbus", &path, home, None)
    }

    fn dbus_daemon() -> Result<Self, String> {
        let home = TempDir::new();
        let path = home.join("d").display().to_string();
        let address = format!("--address=unix:path={path}");
        let arguments = ["--session", "--nofork", "--nopidfile", &address];
        let server = server(
            "dbus-daemon",
            on_leash(&have("dbus-daemon")?).args(arguments),
        )?;
        Self::connect("dbus-daemon", server, "dbus", &path, home, None)
    }

    fn connect(
        name: &'static str,
        server: Started,
        wire: &str,
        address: &str,
        home: TempDir,
        kept: Option<OwnedFd>,
    ) -> Result<Self, String> {
        let failed = |error: io::Error| format!("{name} does not answer: {error}");
        let caller = caller(wire, address, "a").map_err(failed)?;
        let nothing = File::open("/dev/null").map_err(failed)?;
        let echo = this(&["echo", wire, address], nothing.into(), Stdio::piped());
        Ok(Self {
            name,
            caller,
            server,
            _echo: ready(echo),
            _kept: kept,
            _home: home,
        })
    }
}

/// Echoes, as a process of its own: over descriptor 0 or at an address.
pub(crate) fn echo(wire: &str, address: &str) {
    end_with_parent();
    let mut caller = if wire == "raw" {
        let stdin = || rustix::io::dup(io::stdin()).expect("descriptor 0");
        let body_bytes = address.parse().unwrap_or_default();
        Caller::over(stdin(), stdin(), Box::new(raw::Wire::new(body_bytes)))
    } else {
        caller(wire, address, "b").expect("the broker takes the echo")
    };
    println!("ready");
    caller.echo();
}

// `a` asks `b`.
fn caller(wire: &str, address: &str, name: &str) -> io::Result<Caller> {
    let (input, output, wire): (OwnedFd, OwnedFd, Box<dyn Wire>) = match wire {
        "nats" => {
            let stream = patiently(|| TcpStream::connect(address))?;
            stream.set_nodelay(true)?;
            nats::greet(&stream, name)?;
            (
                stream.try_clone()?.into(),
                stream.into(),
                Box::new(nats::Wire::of(name)),
            )
        }
        "redis" => {
            let input = patiently(|| UnixStream::connect(address))?;
            let output = UnixStream::connect(address)?;
            redis::greet(&input, &output, name)?;
            (input.into(), output.into(), Box::new(redis::Wire::of(name)))
        }
        _ => {
            let stream = patiently(|| UnixStream::connect(address))?;
            let wire = dbus::greet(&stream, name)?;
            (stream.try_clone()?.into(), stream.into(), Box::new(wire))
        }
    };
    Ok(Caller::over(input, output, wire))
}

fn patiently<T>(mut connect: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let end = Instant::now() + START_WAIT;
    loop {
        match connect() {
            Err(_) if Instant::now() < end => std::thread::park_timeout(Duration::from_millis(10)),
            outcome => return outcome,
        }
    }
}

fn this(arguments: &[&str], stdin: OwnedFd, stdout: Stdio) -> Started {
    let program = std::env::current_exe().expect("the bench knows its own program");
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::from(stdin))
        .stdout(stdout)
        .spawn();
    Started(child.expect("the bench can start itself"))
}

// Waits for the line that says that it listens.
fn ready(mut echo: Started) -> Started {
    let mut line = [0; 6];
    let stdout = echo.0.stdout.as_mut().expect("its output is piped");
    stdout.read_exact(&mut line).expect("the echo gets ready");
    echo
}

/// Becomes another program that ends when its parent does.
pub(crate) fn leashed(words: &[&str]) {
    use std::os::unix::process::CommandExt;

    end_with_parent();
    if let [program, arguments @ ..] = words {
        let error = Command::new(program).args(arguments).exec();
        eprintln!("{program} does not start: {error}");
    }
}

/// Ends this process when its parent ends.
pub(crate) fn end_with_parent() {
    let kill = Some(rustix::process::Signal::KILL);
    rustix::process::set_parent_process_death_signal(kill).expect("a process may choose its end");
}

/// A command that is ended with the bench, however the bench ends.
pub(crate) fn on_leash(program: &Path) -> Command {
    let this = std::env::current_exe().expect("the bench knows its own program");
    let mut command = Command::new(this);
    command.arg("leashed").arg(program);
    command
}

fn server(name: &str, command: &mut Command) -> Result<Started, String> {
    let quiet = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let child = quiet
        .spawn()
        .map_err(|error| format!("{name} does not start: {error}"))?;
    Ok(Started(child))
}

/// Where a program of somebody else's is.
pub(crate) fn have(name: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    folders.push(Path::new("/usr/sbin").to_path_buf());
    let found = folders
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|file| file.is_file());
    found.ok_or_else(|| format!("{name} is not installed"))
}

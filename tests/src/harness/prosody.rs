//! A real XMPP server, and an ordinary client of it.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::place::TempDir;
use super::ports::free_port;
use super::wait::{WAIT_MAX, some_time};

/// The domain that it serves, on loopback.
const DOMAIN: &str = "chat.example";

/// A `prosody` with its own configuration and data; it is killed when it is dropped.
#[derive(Debug)]
pub struct Prosody {
    child: Child,
    program: PathBuf,
    folder: TempDir,
    /// Where clients speak in clear, and may agree on TLS.
    pub plain: u16,
    /// Where they speak TLS from the first byte.
    pub direct: u16,
}

impl Prosody {
    /// Starts one with these accounts of `chat.example`, whose passwords are
    /// `secret-NAME`, and a certificate with its key; nothing, with a line that says so,
    /// where the program is not installed.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[track_caller]
    pub fn if_installed(accounts: &[&str], (certificate, key): (&str, &str)) -> Option<Self> {
        let places = ["/usr/bin/prosody", "/usr/local/bin/prosody"].map(PathBuf::from);
        let Some(program) = places.into_iter().find(|file| file.is_file()) else {
            eprintln!("skipped: prosody is not installed (apt-get install prosody)");
            return None;
        };
        let folder = TempDir::new();
        let write = |name: &str, text: &str| {
            let file = folder.join(name);
            fs::create_dir_all(file.parent().expect("it is below a folder")).expect("a folder");
            fs::write(file, text).expect("a file can be written");
        };
        write("certificate.pem", certificate);
        write("key.pem", key);
        for name in accounts {
            let account = format!("return {{ [\"password\"] = \"secret-{name}\" }};\n");
            write(
                &format!("data/chat%2eexample/accounts/{name}.dat"),
                &account,
            );
        }
        let (plain, direct) = (free_port(), free_port());
        write("prosody.cfg.lua", &config(folder.path(), plain, direct));
        let child = spawn(&program, &folder);
        let server = Self {
            child,
            program,
            folder,
            plain,
            direct,
        };
        server.listens();
        Some(server)
    }

    /// Kills it as it stands.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again with what it had stored.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.kill();
        self.child = spawn(&self.program, &self.folder);
        self.listens();
    }

    /// What it has written.
    pub fn log(&self) -> String {
        let read = |name: &str| fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        read("log") + &read("out")
    }

    /// An ordinary client, signed in and present.
    ///
    /// # Panics
    ///
    /// When it is not let in.
    #[track_caller]
    pub fn client(&self, name: &str) -> Client {
        Client::open(self.plain, name)
    }

    // It tells nobody when it listens.
    #[track_caller]
    fn listens(&self) {
        for port in [self.plain, self.direct] {
            some_time(&format!("prosody listens at {port}"), || {
                TcpStream::connect(("127.0.0.1", port)).ok()
            });
        }
    }
}

impl Drop for Prosody {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- the log of prosody\n{}", self.log());
        }
    }
}

fn spawn(program: &Path, folder: &TempDir) -> Child {
    let out = || {
        let file = File::options()
            .create(true)
            .append(true)
            .open(folder.join("out"));
        file.expect("a log can be written")
    };
    Command::new(program)
        .arg("--config")
        .arg(folder.join("prosody.cfg.lua"))
        .arg("-F")
        .stdin(Stdio::null())
        .stdout(out())
        .stderr(out())
        .spawn()
        .expect("the server starts")
}

fn config(folder: &Path, plain: u16, direct: u16) -> String {
    let folder = folder.display();
    format!(
        r#"
run_as_root = true
data_path = "{folder}/data"
pidfile = "{folder}/pid"
log = {{ {{ levels = {{ min = "info" }}, to = "file", filename = "{folder}/log" }} }}
modules_enabled = {{ "saslauth", "tls", "roster", "presence", "message", "iq", "ping", "disco" }}
modules_disabled = {{ "s2s", "offline", "posix" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {plain} }}
c2s_direct_tls_ports = {{ {direct} }}
s2s_ports = {{ }}
http_ports = {{ }}
https_ports = {{ }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_hashed"
storage = "internal"
ssl = {{ certificate = "{folder}/certificate.pem", key = "{folder}/key.pem" }}
c2s_direct_tls_ssl = {{ certificate = "{folder}/certificate.pem", key = "{folder}/key.pem" }}
VirtualHost "{DOMAIN}"
"#
    )
}

/// An ordinary client, in clear over loopback: it shares nothing with the stub.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    heard: String,
}

impl Client {
    #[track_caller]
    fn open(port: u16, name: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
        let wait = Some(Duration::from_millis(200));
        stream.set_read_timeout(wait).expect("a limit can be set");
        let mut client = Self {
            stream,
            heard: String::new(),
        };
        let open = format!(
            "<?xml version='1.0'?><stream:stream to='{DOMAIN}' version='1.0' \
             xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
        );
        client.say(&open);
        client.hears("</stream:features>");
        client.say(&format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{}</auth>",
            base64(format!("\0{name}\0secret-{name}").as_bytes())
        ));
        client.hears("<success");
        client.say(&open);
        client.hears("</stream:features>");
        client.say(
            "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>\
             <presence/>",
        );
        client.hears("</iq>");
        client
    }

    /// Sends a stanza as it stands.
    ///
    /// # Panics
    ///
    /// When the connection has ended.
    #[track_caller]
    pub fn say(&mut self, stanza: &str) {
        self.stream
            .write_all(stanza.as_bytes())
            .expect("the server reads");
    }

    /// Waits until this is said; everything up to its end, which is taken.
    ///
    /// # Panics
    ///
    /// When it is not said in time.
    #[track_caller]
    pub fn hears(&mut self, what: &str) -> String {
        let end = std::time::Instant::now() + WAIT_MAX;
        loop {
            if let Some(at) = self.heard.find(what) {
                let rest = self.heard.split_off(at + what.len());
                return std::mem::replace(&mut self.heard, rest);
            }
            let mut piece = [0; 4096];
            match self.stream.read(&mut piece) {
                Ok(0) => panic!("the server ended it before `{what}`: {}", self.heard),
                Ok(count) => self.heard += &String::from_utf8_lossy(&piece[..count]),
                // Nothing for a while.
                Err(_) => {}
            }
            let is_late = std::time::Instant::now() > end;
            assert!(!is_late, "`{what}` was not said: {}", self.heard);
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = bytes.chunks(3).map(|group| {
        let three = [0, 1, 2].map(|n| u32::from(group.get(n).copied().unwrap_or(0)));
        let all = (three[0] << 16) | (three[1] << 8) | three[2];
        let digit = |n: usize| {
            if n > group.len() {
                return '=';
            }
            char::from(DIGITS[((all >> (18 - 6 * n)) & 63) as usize])
        };
        [0, 1, 2, 3].map(digit).iter().collect::<String>()
    });
    groups.collect()
}

//! What attempts are aimed at: everything here is looked at before and after.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::process;

const SECRET: &[u8] = b"the user's own words";

/// One set of victims, made for one case.
#[derive(Debug)]
pub(crate) struct Victims {
    folder: PathBuf,
    store: PathBuf,
    child: Child,
    core: Option<u32>,
    endpoint: PathBuf,
    tcp: TcpListener,
    udp: UdpSocket,
    local: UnixListener,
    datagram: UnixDatagram,
    named: UnixListener,
    name: String,
    before: Option<Seen>,
}

#[derive(Debug)]
struct Seen {
    secret: Vec<u8>,
    attributes: Vec<u64>,
    extended: bool,
    entries: BTreeSet<String>,
    child: process::Seen,
    core: Option<process::Seen>,
    host: String,
    keys: usize,
    shared: usize,
}

impl Victims {
    /// Makes them below `home`; the core and its store are those of the runtime under attack.
    pub(crate) fn new(
        home: &Path,
        id: &str,
        core: Option<u32>,
        endpoint: &Path,
        store: &Path,
    ) -> Result<Self> {
        let folder = home.join(format!("victims-{id}"));
        fs::create_dir_all(&folder)?;
        // Whoever may reach it may change it: only the sandbox keeps an attempt from it.
        let open_to_all =
            |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
        open_to_all(&folder, 0o777)?;
        let secret = folder.join("secret");
        fs::write(&secret, SECRET)?;
        open_to_all(&secret, 0o666)?;
        let child = Command::new(std::env::current_exe()?)
            .arg("--victim")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .context("starting a process to be attacked")?;
        let tcp = TcpListener::bind(("127.0.0.1", 0))?;
        let udp = UdpSocket::bind(("127.0.0.1", 0))?;
        let local = UnixListener::bind(folder.join("local"))?;
        let datagram = UnixDatagram::bind(folder.join("datagram"))?;
        open_to_all(&folder.join("local"), 0o777)?;
        open_to_all(&folder.join("datagram"), 0o777)?;
        let name = format!("hyperty-escape-{}-{id}", std::process::id());
        let named = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
        tcp.set_nonblocking(true)?;
        udp.set_nonblocking(true)?;
        local.set_nonblocking(true)?;
        datagram.set_nonblocking(true)?;
        named.set_nonblocking(true)?;
        let mut victims = Self {
            folder,
            store: store.to_owned(),
            child,
            core,
            endpoint: endpoint.to_owned(),
            tcp,
            udp,
            local,
            datagram,
            named,
            name,
            before: None,
        };
        victims.before = Some(victims.look());
        Ok(victims)
    }

    /// What an attempt is told about them.
    pub(crate) fn configuration(&self, id: &str) -> Result<Value> {
        Ok(json!({
            "attempt": id,
            "mark": mark(),
            "folder": self.folder,
            "secret": self.folder.join("secret"),
            "store": self.store,
            "process": self.child.id(),
            "at": process::writable_place(self.child.id()).unwrap_or(0),
            "core": self.core.unwrap_or_else(|| self.child.id()),
            "endpoint": self.endpoint,
            "tcp": self.tcp.local_addr()?.port(),
            "udp": self.udp.local_addr()?.port(),
            "local": self.folder.join("local"),
            "datagram": self.folder.join("datagram"),
            "abstract": self.name,
        }))
    }

    /// What was done to them, one line for each.
    pub(crate) fn harm(&self) -> Vec<String> {
        let mut harm = Vec::new();
        let Some(before) = &self.before else {
            return harm;
        };
        let now = self.look();
        let mut note = |is_harmed: bool, what: &str| {
            if is_harmed {
                harm.push(what.to_owned());
            }
        };
        note(now.secret != before.secret, "the secret file was changed");
        note(
            now.attributes != before.attributes,
            "the secret file's mode, owner, links or times were changed",
        );
        note(now.extended, "the secret file got an extended attribute");
        note(now.keys > before.keys, "a key was added to the user's ring");
        note(now.shared > before.shared, "a System V object was made");
        note(now.host != before.host, "the host was renamed");
        note(self.tcp.accept().is_ok(), "somebody connected by TCP");
        note(
            self.local.accept().is_ok(),
            "somebody connected to the local socket",
        );
        note(
            self.named.accept().is_ok(),
            "somebody connected to the abstract socket",
        );
        note(received(self.udp.recv(&mut [0; 8])), "a UDP datagram came");
        note(
            received(self.datagram.recv(&mut [0; 8])),
            "a local datagram came",
        );
        for made in now.entries.difference(&before.entries) {
            harm.push(format!("`{made}` was made"));
        }
        for gone in before.entries.difference(&now.entries) {
            harm.push(format!("`{gone}` was removed"));
        }
        harm.extend(
            now.child
                .changes(&before.child)
                .iter()
                .map(|it| format!("the other process: {it}")),
        );
        if let (Some(now), Some(before)) = (&now.core, &before.core) {
            harm.extend(
                now.changes(before)
                    .iter()
                    .map(|it| format!("the core: {it}")),
            );
        }
        harm
    }

    fn look(&self) -> Seen {
        let secret = self.folder.join("secret");
        let data = fs::metadata(&secret).ok();
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        Seen {
            attributes: data.map_or_else(Vec::new, |it| {
                vec![
                    it.mode().into(),
                    it.uid().into(),
                    it.gid().into(),
                    it.nlink(),
                    it.mtime().cast_unsigned(),
                ]
            }),
            extended: rustix::fs::getxattr(&secret, "user.taken", &mut [0_u8; 8]).is_ok(),
            secret: fs::read(&secret).unwrap_or_default(),
            entries: entries
                .map(|it| it.file_name().to_string_lossy().into_owned())
                .collect(),
            child: process::look(self.child.id()),
            core: self.core.map(process::look),
            host: fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default(),
            keys: count("/proc/keys", "hyperty-escape"),
            shared: ["shm", "sem", "msg"]
                .iter()
                .map(|kind| count(&format!("/proc/sysvipc/{kind}"), "1752788992"))
                .sum(),
        }
    }
}

impl Drop for Victims {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The name of a process that an attempt means to leave behind: 15 bytes at most.
pub(crate) fn mark() -> String {
    format!("escape-{}", std::process::id())
}

fn received(got: std::io::Result<usize>) -> bool {
    !got.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

fn count(file: &str, word: &str) -> usize {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().filter(|line| line.contains(word)).count()
}

/// The life of the process that is attacked: it waits until its starter is gone.
pub(crate) fn live() {
    let mut nothing = String::new();
    let _ = std::io::stdin().read_line(&mut nothing);
}

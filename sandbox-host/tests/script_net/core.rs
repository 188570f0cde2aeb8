//! The core's part: a locked script host, and connections for it to certain hosts.

use std::io::{IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use protocol::dial::NotDialled;
use protocol::frame::{ComponentKind, CoreFrame, HostFrame, Load};
use protocol::version::PROTOCOL;
use protocol::{Code, codec};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

pub(crate) const ME: &str = "hyperty://here.example/me";

/// Starts servers, which live as long as the test program.
pub(crate) fn serving<T, F>(act: impl FnOnce() -> F + Send + 'static) -> T
where
    T: Send + 'static,
    F: Future<Output = T>,
{
    let (made, wait) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build().unwrap();
        runtime.block_on(async {
            made.send(act().await).unwrap();
            std::future::pending::<()>().await;
        });
    });
    wait.recv().unwrap()
}

/// A locked script host and what it may reach: `localhost`, and nothing else.
pub(crate) struct Core {
    child: Child,
    link: UnixStream,
    bytes: Vec<u8>,
    roots: String,
    sockets: Vec<TcpStream>,
    /// Sockets that the host has closed.
    pub(crate) hung: Vec<u64>,
    /// Host and port of each dial.
    pub(crate) dialled: Vec<String>,
}

impl Core {
    pub(crate) fn new() -> Self {
        Self::trusting("")
    }

    /// A host whose machine trusts these roots.
    pub(crate) fn trusting(roots: &str) -> Self {
        let (link, theirs) = UnixStream::pair().unwrap();
        link.set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_sandbox-host"))
            .args([
                "script",
                "--profile",
                "script",
                "--min-level",
                "L2",
                "--max-level",
                "L2",
            ])
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut core = Self {
            child,
            link,
            bytes: Vec::new(),
            roots: roots.to_owned(),
            sockets: Vec::new(),
            hung: Vec::new(),
            dialled: Vec::new(),
        };
        let version = PROTOCOL;
        let nonce = [7; 16];
        core.say(&CoreFrame::Welcome { version, nonce }, None);
        core
    }

    /// A component that runs `body`; what it logs is what it has to say.
    pub(crate) fn load(&mut self, body: &str) {
        self.load_at(ME, body);
    }

    pub(crate) fn load_at(&mut self, component: &str, body: &str) {
        let source = format!("module.exports = async (url, bus, config, factory) => {{ {body} }}");
        let load = Load {
            component,
            name: "me",
            kind: ComponentKind::Hyperty,
            config: "{}",
            file: "me.js",
        };
        self.say(&CoreFrame::Load(load, source.as_bytes()), None);
    }

    pub(crate) fn unload(&mut self) {
        self.say(&CoreFrame::Unload { component: ME }, None);
    }

    /// Takes the n-th connection back, as a core does whose user revoked the grant.
    pub(crate) fn revoke(&mut self, socket: usize, reason: &str) {
        self.sockets[socket].shutdown(Shutdown::Both).unwrap();
        let socket = socket as u64;
        self.say(&CoreFrame::Hungup { socket, reason }, None);
    }

    /// The next line that a component logs; dials are answered meanwhile.
    pub(crate) fn line(&mut self) -> String {
        loop {
            if let Some(line) = self.step() {
                return line;
            }
        }
    }

    /// Serves until the host has closed so many sockets.
    pub(crate) fn until_hung(&mut self, count: usize) {
        while self.hung.len() < count {
            self.step();
        }
    }

    /// Serves until the host has closed every socket that it was handed; how many those are.
    pub(crate) fn until_all_hung(&mut self) -> usize {
        while self.hung.len() < self.sockets.len() {
            self.step();
        }
        self.hung.len()
    }

    fn step(&mut self) -> Option<String> {
        let bytes = self.next();
        let raw = codec::split(&bytes).unwrap().unwrap();
        match HostFrame::decode(raw).unwrap() {
            HostFrame::Log(_, text) => return Some(String::from_utf8(text.to_vec()).unwrap()),
            HostFrame::Dial(dial) => {
                let (request, host, port) = (dial.request, dial.host.to_owned(), dial.port);
                self.dial(request, &host, port);
            }
            HostFrame::Hangup { socket } => self.hung.push(socket),
            HostFrame::TakeRoots => self.give_roots(),
            HostFrame::LoadFailed(failed) => panic!("{failed:?}"),
            _ => {}
        }
        None
    }

    fn dial(&mut self, request: u64, host: &str, port: u16) {
        self.dialled.push(format!("{host}:{port}"));
        if host != "localhost" {
            let told = NotDialled {
                request,
                code: Code::FORBIDDEN,
                reason: "it has no network grant",
                decision: "d-7",
            };
            return self.say(&CoreFrame::NotDialled(told), None);
        }
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nonblocking(true).unwrap();
        let socket = self.sockets.len() as u64;
        let peer = "127.0.0.1:1";
        let told = CoreFrame::Socket {
            request,
            socket,
            peer,
        };
        self.say(&told, Some(&stream.as_fd().try_clone_to_owned().unwrap()));
        self.sockets.push(stream);
    }

    fn give_roots(&mut self) {
        if self.roots.is_empty() {
            let reason = "none are installed";
            return self.say(&CoreFrame::NoRoots { reason }, None);
        }
        let memory = memfd_create("roots", MemfdFlags::CLOEXEC).unwrap();
        let mut file = std::fs::File::from(memory.try_clone().unwrap());
        file.write_all(self.roots.as_bytes()).unwrap();
        let bytes = u32::try_from(self.roots.len()).unwrap();
        self.say(&CoreFrame::Roots { bytes }, Some(&memory));
    }

    fn say(&mut self, frame: &CoreFrame<'_>, descriptor: Option<&OwnedFd>) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes).unwrap();
        let Some(descriptor) = descriptor else {
            return self.link.write_all(&bytes).unwrap();
        };
        let descriptors = [descriptor.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        assert!(control.push(SendAncillaryMessage::ScmRights(&descriptors)));
        let sent = sendmsg(
            &self.link,
            &[IoSlice::new(&bytes)],
            &mut control,
            SendFlags::empty(),
        );
        assert_eq!(sent.unwrap(), bytes.len());
    }

    fn next(&mut self) -> Vec<u8> {
        loop {
            if let Some(raw) = codec::split(&self.bytes).unwrap() {
                let length = raw.bytes.len();
                return self.bytes.drain(..length).collect();
            }
            let mut chunk = [0; 8_192];
            let count = self.link.read(&mut chunk).expect("the host says nothing");
            assert!(count > 0, "the host has ended: {:?}", self.child.wait());
            self.bytes.extend_from_slice(&chunk[..count]);
        }
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

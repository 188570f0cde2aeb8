//! Machines of their own: network namespaces with cables between them, which can fail.
//!
//! No namespace has a name: each lives as long as a process that waits for the end of a
//! pipe from this one. However the test ends, the kernel takes everything away.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use super::place::is_root;
use super::wait::eventually;

/// Where the node of a domain is reached from each of the other machines.
const NODE: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

/// The end of a cable at a runtime's machine.
const NEAR: &str = "cable";

// What is to be lost goes here: to a device that nobody reads.
const VOID: [&str; 2] = ["void", "abyss"];

/// A machine, as programs see one: this one, or a network namespace.
#[derive(Debug, Clone)]
pub struct Host {
    network: Option<Arc<Namespace>>,
    address: Ipv4Addr,
}

impl Host {
    /// This machine, reached by loopback.
    pub const fn here() -> Self {
        Self {
            network: None,
            address: Ipv4Addr::LOCALHOST,
        }
    }

    /// Where servers listen on it.
    pub const fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// A program, to be started on it.
    pub fn command(&self, program: &Path) -> Command {
        let Some(network) = &self.network else {
            return Command::new(program);
        };
        let mut command = Command::new("nsenter");
        let network = format!("--net=/proc/{}/ns/net", network.holder.id());
        command.arg(network).arg("--").arg(program);
        command
    }

    fn new(address: Ipv4Addr) -> Self {
        let network = Some(Arc::new(Namespace::new()));
        let host = Self { network, address };
        host.must("ip link set lo up");
        host
    }

    fn pid(&self) -> String {
        let network = self.network.as_ref();
        network.map_or_else(|| "self".into(), |network| network.holder.id().to_string())
    }

    // A line of `ip` or `tc`; what it complains of.
    fn runs(&self, line: &str) -> Result<(), String> {
        let mut words = line.split(' ');
        let program = words.next().unwrap_or_default();
        let output = self.command(Path::new(program)).args(words).output();
        let output = output.map_err(|error| format!("{line}: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        let complaint = String::from_utf8_lossy(&output.stderr);
        Err(format!("{line}: {}", complaint.trim()))
    }

    #[track_caller]
    fn must(&self, line: &str) {
        if let Err(complaint) = self.runs(line) {
            panic!("{complaint}");
        }
    }
}

#[derive(Debug)]
struct Namespace {
    holder: Child,
}

impl Namespace {
    fn new() -> Self {
        let holder = Command::new("unshare")
            .args(["--net", "cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("`unshare` can be started");
        let file = format!("/proc/{}/ns/net", holder.id());
        let ours = fs::read_link("/proc/self/ns/net").ok();
        eventually("there is another network", || {
            let its = fs::read_link(&file).ok();
            its.is_some() && its != ours
        });
        Self { holder }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Two runtimes' machines and the node's between them; the runtimes' do not see each other.
#[derive(Debug, Clone)]
pub struct Hosts {
    /// The first runtime's.
    pub one: Host,
    /// The node's.
    pub node: Host,
    /// The second runtime's.
    pub other: Host,
}

impl Hosts {
    /// Makes the three; nothing, and a line that says why, where that is not possible.
    ///
    /// # Panics
    ///
    /// When one step of it fails that should not.
    pub fn apart() -> Option<Self> {
        if let Err(reason) = is_possible() {
            eprintln!("skipped: {reason}");
            return None;
        }
        let node = Host::new(NODE);
        node.must(&format!("ip addr add {NODE}/32 dev lo"));
        let [one, other] = [1, 2].map(|number| {
            let host = Host::new(Ipv4Addr::new(10, 77, number, 2));
            wire(&host, &node, number);
            host
        });
        Some(Self { one, node, other })
    }

    /// The cable between the node's machine and the first runtime's.
    pub const fn to_one(&self) -> Cable<'_> {
        Cable {
            ends: [(&self.one, NEAR), (&self.node, "cable1")],
        }
    }

    /// The cable between the node's machine and the second runtime's.
    pub const fn to_other(&self) -> Cable<'_> {
        Cable {
            ends: [(&self.other, NEAR), (&self.node, "cable2")],
        }
    }
}

/// What connects two machines. It works until it is told otherwise.
#[derive(Debug, Clone, Copy)]
pub struct Cable<'hosts> {
    ends: [(&'hosts Host, &'static str); 2],
}

impl Cable<'_> {
    /// Loses one packet in eight, each way.
    ///
    /// By the packet's identifier, which each sending counts up: what is sent again has
    /// another. `netem` would be the tool, and few small kernels have it.
    ///
    /// # Panics
    ///
    /// When the kernel does not take it.
    #[track_caller]
    pub fn loses_packets(self) {
        self.drops("u16 0x0003 0x0007 at 4");
    }

    /// Lets nothing through, and tells nobody: what was connected does not hear of it.
    ///
    /// # Panics
    ///
    /// When the kernel does not take it.
    #[track_caller]
    pub fn is_silent(self) {
        self.drops("u32 0 0");
    }

    /// Works again.
    ///
    /// # Panics
    ///
    /// When the kernel does not take it.
    #[track_caller]
    pub fn is_mended(self) {
        for (host, device) in self.ends {
            host.must(&format!("tc qdisc del dev {device} clsact"));
        }
    }

    #[track_caller]
    fn drops(self, what: &str) {
        for (host, device) in self.ends {
            host.must(&format!("tc qdisc add dev {device} clsact"));
            host.must(&filter(device, what));
        }
    }
}

fn filter(device: &str, what: &str) -> String {
    let [void, _] = VOID;
    format!(
        "tc filter add dev {device} egress protocol ip u32 match {what} \
         action mirred egress redirect dev {void}"
    )
}

fn is_possible() -> Result<(), String> {
    if !is_root() {
        return Err("only root makes network namespaces".to_owned());
    }
    for (program, package) in [("ip", "iproute2"), ("nsenter", "util-linux")] {
        let asked = Command::new(program).arg("-V").output();
        asked.map_err(|_| format!("`{program}` is not installed (apt-get install {package})"))?;
    }
    let made = Command::new("unshare").args(["--net", "true"]).output();
    if !made.is_ok_and(|output| output.status.success()) {
        return Err("this machine lets nobody make network namespaces".to_owned());
    }
    let host = Host::new(NODE);
    dig(&host).and_then(|()| {
        host.runs("tc qdisc add dev lo clsact")?;
        host.runs(&filter("lo", "u32 0 0"))
    })
}

fn dig(host: &Host) -> Result<(), String> {
    let [void, abyss] = VOID;
    host.runs(&format!("ip link add {void} type veth peer name {abyss}"))?;
    VOID.iter()
        .try_for_each(|device| host.runs(&format!("ip link set dev {device} up")))
}

#[track_caller]
fn wire(host: &Host, node: &Host, number: u8) {
    let (far, pid) = (format!("cable{number}"), node.pid());
    host.must(&format!(
        "ip link add {NEAR} type veth peer name {far} netns {pid}"
    ));
    for (end, device, last) in [(host, NEAR, 2), (node, &far[..], 1)] {
        end.must(&format!(
            "ip addr add 10.77.{number}.{last}/30 dev {device}"
        ));
        end.must(&format!("ip link set dev {device} up"));
    }
    host.must(&format!("ip route add default via 10.77.{number}.1"));
    if let Err(complaint) = dig(host) {
        panic!("{complaint}");
    }
    // Both of the node's cables lose to one void.
    if number == 1
        && let Err(complaint) = dig(node)
    {
        panic!("{complaint}");
    }
}

//! PR, KR, FD: what is seen of processes from outside.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use protocol::client::Incoming;
use protocol::client::blocking::Client;
use protocol::frame::{Hello, HostFrame, Role};
use protocol::message::{Header, Message};
use protocol::{Code, MessageKind, Reply, version};
use serde_json::json;

use super::{Play, Stage, escaped, heard, held, player, twin, until};
use crate::arena;
use crate::runtime::{PROVIDER, Setup};
use crate::verdict::Verdict;

/// Id, title and play of each.
pub(super) const CASES: &[(&str, &str, Play)] = &[
    (
        "PR-12a",
        "get the number of a dead component's process, and claim to be it",
        reborn,
    ),
    ("PR-12b", "greet as a sandbox at the endpoint", stranger),
    ("KR-12", "a thread that is not locked", threads),
    (
        "FD-03",
        "a supervisor whose starter leaks two hundred descriptors",
        leaks,
    ),
];

// Who it is, is its link; a process number is nobody.
fn reborn(stage: &mut Stage<'_>) -> Result<Verdict> {
    let victim = stage.runtime.deploy_of(PROVIDER, "Player", json!({}))?;
    let pid = victim.pid.context("it has a process")?;
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(i32::try_from(pid)?),
        nix::sys::signal::Signal::SIGKILL,
    )?;
    let (runtime, address) = (&mut *stage.runtime, victim.address.as_str());
    until("the component is started again", || {
        let now = runtime.component(address)?;
        Ok(now.is_some_and(|it| it.state == "running" && it.pid != Some(pid)))
    })?;
    twin(
        heard(stage.runtime, &victim.address).is_ok(),
        "the component itself is there again",
    )?;
    // As root the number can be had again; for others it comes round after millions.
    let wanted = fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).is_ok();
    let mut claimant = Command::new(std::env::current_exe()?)
        .arg("--claim")
        .arg(&stage.runtime.endpoint)
        .arg(&victim.address)
        .arg(stage.witness)
        .stdout(Stdio::piped())
        .spawn()?;
    let has_number = claimant.id() == pid;
    let mut said = String::new();
    let mut output = claimant.stdout.take().context("its output is piped")?;
    output.read_to_string(&mut said)?;
    claimant.wait()?;
    let now = stage.runtime.component(&victim.address)?;
    stage.runtime.remove(&victim.address)?;
    if said.contains("200") || said.is_empty() {
        return escaped(format!("it spoke as the component: {said}"));
    }
    if now.is_none_or(|it| it.state != "running") {
        return escaped("the component was taken for dead");
    }
    let number = match (has_number, wanted) {
        (true, _) => "with its number",
        (false, true) => "its number was taken by another meanwhile",
        (false, false) => "its number cannot be had by an ordinary user",
    };
    held(format!("{} ({number})", said.trim()))
}

/// The life of the process that claims to be a component: an application that says so.
pub(crate) fn claim(words: &[String]) -> Result<()> {
    let [endpoint, address, witness] = words else {
        anyhow::bail!("endpoint, component and witness");
    };
    let role = Role::Application {
        provider: PROVIDER,
        name: "claimant",
        token: "",
    };
    let mut client = Client::connect(endpoint, role)?;
    let header = Header {
        id: 9_000,
        kind: MessageKind::Read,
        from: address,
        to: witness,
        code: Code::NONE,
        reply: Reply::Within(2000),
        members: "",
    };
    client.out().post(&Message {
        header,
        body: b"{}",
    })?;
    client.flush()?;
    match client.recv_within(crate::runtime::PATIENCE) {
        Ok((Incoming::Message(message), _)) => {
            println!(
                "answered {}: {}",
                message.header.code,
                String::from_utf8_lossy(message.body)
            );
        }
        Ok((other, _)) => println!("not answered: {other:?}"),
        Err(error) => println!("not answered: {error}"),
    }
    Ok(())
}

fn stranger(stage: &mut Stage<'_>) -> Result<Verdict> {
    let greet = |role: Role<'_>| -> Result<usize> {
        let mut link = UnixStream::connect(&stage.runtime.endpoint)?;
        link.set_read_timeout(Some(crate::runtime::PATIENCE))?;
        let mut welcome = [0_u8; 64];
        let got = link.read(&mut welcome)?;
        let nonce = nonce_of(welcome.get(..got).unwrap_or_default())?;
        let mut bytes = Vec::new();
        let hello = Hello {
            version: version::PROTOCOL,
            nonce,
            role,
            build: "",
        };
        HostFrame::Hello(hello).encode(&mut bytes)?;
        link.write_all(&bytes)?;
        Ok(link.read(&mut welcome).unwrap_or(0))
    };
    let twin_role = Role::Application {
        provider: PROVIDER,
        name: "twin",
        token: "",
    };
    twin(greet(twin_role)? > 0, "an application is welcome")?;
    match greet(Role::Sandbox)? {
        0 => held("cut off: a sandbox is what the core has started"),
        _ => escaped("it was taken for a sandbox"),
    }
}

/// The nonce in a `Welcome`.
pub(super) fn nonce_of(bytes: &[u8]) -> Result<[u8; 16]> {
    let raw = protocol::codec::split(bytes)?.context("a whole frame")?;
    match protocol::CoreFrame::decode(raw)? {
        protocol::CoreFrame::Welcome { nonce, .. } => Ok(nonce),
        other => anyhow::bail!("greeted by {other:?}"),
    }
}

fn threads(stage: &mut Stage<'_>) -> Result<Verdict> {
    let script = stage.runtime.deploy_of(PROVIDER, "Player", json!({}))?;
    let native = stage
        .runtime
        .deploy("Attempts", json!({ "attempt": "threads" }))?;
    let mut seen = 0;
    let mut open = Vec::new();
    let (runtime, address) = (&mut *stage.runtime, native.address.as_str());
    until("the program has its threads", || {
        Ok(runtime.said(address).iter().any(|line| line == "threads"))
    })?;
    for (pid, least) in [(script.pid, 1), (native.pid, 9)] {
        let pid = pid.context("it has a process")?;
        let tasks = fs::read_dir(format!("/proc/{pid}/task"))?.flatten();
        let mut of_it = 0;
        for task in tasks {
            let status = fs::read_to_string(task.path().join("status"))?;
            of_it += 1;
            for wanted in ["Seccomp:\t2", "NoNewPrivs:\t1"] {
                if !status.contains(wanted) && stage.level >= protocol::frame::Level::L2 {
                    open.push(format!("{}: not {wanted:?}", task.path().display()));
                }
            }
        }
        twin(
            of_it >= least,
            &format!("{of_it} threads are seen, {least} at least"),
        )?;
        seen += of_it;
    }
    let own = fs::read_to_string("/proc/self/status")?;
    twin(own.contains("Seccomp:\t"), "the kernel tells of filters")?;
    stage.runtime.remove(&script.address)?;
    stage.runtime.remove(&native.address)?;
    if !open.is_empty() {
        return escaped(open.join("; "));
    }
    held(format!(
        "{seen} threads of two processes, each with the filter"
    ))
}

fn leaks(stage: &mut Stage<'_>) -> Result<Verdict> {
    // Not closed when a program is executed: what a careless starter does.
    let null = fs::File::open("/dev/null")?;
    let leaked: Vec<OwnedFd> = (0..200)
        .map(|_| rustix::io::dup(&null))
        .collect::<Result<_, _>>()?;
    let started = stage.own_with(Setup::default());
    drop(leaked);
    let mut runtime = started?;
    let config = json!({ "attempt": "FD-01" });
    let report = arena::in_runtime(&mut runtime, "Attempts", config)?;
    twin(report.began, "a component runs there")?;
    let script = player(&mut runtime, PROVIDER, json!({}))?;
    let pid = runtime
        .component(&script)?
        .and_then(|it| it.pid)
        .context("it has a process")?;
    // Only root may look into a process that lets nobody look into it.
    let of_script = fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
    if report.end == Some(0) || of_script > 16 {
        return escaped(format!(
            "{}; a script's process has {of_script}",
            report.said.join("; ")
        ));
    }
    held(format!(
        "a program has none of them; a script's process has {of_script} descriptors"
    ))
}

//! A desktop application that brings its own runtime: `example-app SUPERVISOR CATALOGUE HOME`.
//!
//! It spawns `core-supervisor --sidecar`, has one component of its own provider
//! deployed, calls its methods, is called back by it and listens to it. The supervisor's standard input is the
//! leash: when this process ends, however it ends, the pipe ends, and so does
//! the runtime. What happens is told line by line, as JSON.

use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use protocol::api::user_agent::Deploy;
use protocol::client::Incoming;
use protocol::client::blocking::Client;
use protocol::frame::Role;
use protocol::message::MessageKind;
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const ANSWER_WAIT: Duration = Duration::from_secs(15);

fn main() -> Outcome<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [supervisor, catalogue, home] = arguments.as_slice() else {
        return Err("usage: example-app SUPERVISOR CATALOGUE HOME".into());
    };
    let mut sidecar = spawn(supervisor, home)?;
    tell("spawned", &json!(sidecar.id()));

    let ready = ready_line(&mut sidecar)?;
    tell("ready", &ready);

    let mut client = connect(&ready)?;
    tell("connected", &json!(client.address()));

    let clock = client.deploy(&Deploy {
        catalogue: catalogue.clone(),
        component: "hyperty/Clock".to_owned(),
        provider: "app.example".to_owned(),
        ..Deploy::default()
    })?;
    tell("deployed", &json!(clock));

    let answer = client.request(MessageKind::Read, &clock.address, b"{}", ANSWER_WAIT)?;
    tell("answered", &json!(answer.code.0));

    let sum: u32 = client
        .hyperty(&clock.address)
        .call("add", &[json!(20), json!(22)])?
        .read()?;
    tell("called", &json!(sum));
    called_back(&mut client, &clock.address)?;

    listen(&mut client, &clock.address)
}

// Lends the clock a function, and takes it back after its first call.
fn called_back(client: &mut Client, clock: &str) -> Outcome<()> {
    let mut api = client.hyperty(clock);
    let tick = api.callback("tick")?;
    api.call("onTick", &[tick.to_value()])?;
    loop {
        let (incoming, out) = client.recv()?;
        if let Incoming::Message(message) = incoming
            && let Some(called) = out.called(&message)
        {
            tell("called-back", &json!(called.args));
            out.answer_call(&called, Ok(&json!(null)))?;
            break;
        }
    }
    client.hyperty(clock).call("onTick", &[json!(null)])?;
    Ok(())
}

fn spawn(supervisor: &str, home: &str) -> Outcome<Child> {
    let child = Command::new(supervisor)
        .args(["--sidecar", "--data-dir", &format!("{home}/data")])
        .args(["--runtime-dir", &format!("{home}/run")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    Ok(child)
}

fn ready_line(sidecar: &mut Child) -> Outcome<Value> {
    let stdout = sidecar
        .stdout
        .as_mut()
        .ok_or("the supervisor has no output")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}

fn connect(ready: &Value) -> Outcome<Client> {
    let text = |name: &str| ready.get(name).and_then(Value::as_str).unwrap_or_default();
    let token = text("token");
    let role = Role::Application {
        provider: "app.example",
        name: "example",
        token,
    };
    Ok(Client::connect(text("endpoint"), role)?)
}

// Tells of the first tick, then goes on hearing them until the end.
fn listen(client: &mut Client, clock: &str) -> Outcome<()> {
    client.listen(&format!("{clock}/ticks"))?;
    let mut has_told = false;
    loop {
        match client.recv()?.0 {
            Incoming::Message(message) if !has_told => {
                tell("heard", &serde_json::from_slice(message.body)?);
                has_told = true;
            }
            Incoming::Message(_) | Incoming::Response(_) | Incoming::Network(_) => {}
            Incoming::Listening(listening) => tell("listening", &json!(listening.code.0)),
            Incoming::Stop { .. } | Incoming::Closed => return Ok(()),
        }
    }
}

fn tell(what: &str, value: &Value) {
    println!("{}", json!({ what: value }));
}

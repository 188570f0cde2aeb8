//! A native component for measuring: echoes what it is asked, and measures how
//! long its own requests take.
//!
//! `execute` with `{"peer":ADDRESS,"samples":N,"depth":D,"bytes":B}` is answered
//! with `{"code":200,"value":{"nanoseconds":[…]}}`: one number per round trip for
//! depth 1, one for all of them otherwise. With `"check":true` each body is another,
//! and must come back as it was. `{"calls":N}` has it make so many system calls, and
//! is answered with the time of all. Everything else is echoed.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use protocol::Code;
use protocol::client::blocking::Component;
use protocol::client::{Error, Incoming};
use protocol::message::MessageKind;
use serde_json::{Value, json};

const BODY_BYTES: usize = 512;
const ANSWER_WAIT: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    match serve() {
        Ok(()) | Err(Error::Closed) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve() -> Result<(), Error> {
    let mut link = Component::attach()?;
    loop {
        let order = match link.recv()? {
            (Incoming::Message(message), out) => {
                if message.header.kind != MessageKind::Execute {
                    out.reply(&message, Code::OK, message.body)?;
                    continue;
                }
                Order::read(message.header.id, message.header.from, message.body)
            }
            (Incoming::Stop { .. } | Incoming::Closed, _) => return Ok(()),
            _ => continue,
        };
        let nanoseconds = order.carry_out(&mut link)?;
        let body = json!({ "code": 200, "value": { "nanoseconds": nanoseconds } }).to_string();
        let own = link.address().to_owned();
        let asked = protocol::Message::new(MessageKind::Execute, &order.from, &own, b"");
        link.out()
            .post(&asked.with_id(order.id).answer(Code::OK, body.as_bytes()))?;
        link.flush()?;
    }
}

struct Order {
    id: u64,
    from: String,
    peer: String,
    samples: usize,
    depth: usize,
    calls: usize,
    body: Vec<u8>,
    is_checked: bool,
}

impl Order {
    fn read(id: u64, from: &str, body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let number = |name: &str, otherwise: usize| {
            let number = body.get(name).and_then(Value::as_u64);
            let number = number.and_then(|number| usize::try_from(number).ok());
            number.unwrap_or(otherwise)
        };
        Self {
            id,
            from: from.to_owned(),
            peer: body
                .get("peer")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            samples: number("samples", 1),
            depth: number("depth", 1),
            calls: number("calls", 0),
            body: body_of(number("bytes", BODY_BYTES)),
            is_checked: body.get("check").and_then(Value::as_bool) == Some(true),
        }
    }

    fn carry_out(&self, link: &mut Component) -> Result<Vec<u64>, Error> {
        if self.calls > 0 {
            return Ok(vec![self.called()]);
        }
        if self.depth > 1 {
            return Ok(vec![self.pipelined(link)?]);
        }
        if self.is_checked {
            return self.checked(link).map(|()| Vec::new());
        }
        (0..self.samples)
            .map(|_| {
                let start = Instant::now();
                link.request(MessageKind::Read, &self.peer, &self.body, ANSWER_WAIT)?;
                Ok(nanoseconds_since(start))
            })
            .collect()
    }

    fn checked(&self, link: &mut Component) -> Result<(), Error> {
        let mut body = self.body.clone();
        for sample in 0..self.samples {
            let inner = body.len().saturating_sub(1).max(1);
            let letter = b'a' + u8::try_from(sample % 26).unwrap_or_default();
            if let Some(inner) = body.get_mut(1..inner) {
                inner.fill(letter);
            }
            let answer = link.request(MessageKind::Read, &self.peer, &body, ANSWER_WAIT)?;
            if answer.body != body {
                return Err(Error::Unexpected(
                    "a body that is not the one that was sent",
                ));
            }
        }
        Ok(())
    }

    fn called(&self) -> u64 {
        let start = Instant::now();
        for _ in 0..self.calls {
            std::hint::black_box(rustix::process::getppid());
        }
        nanoseconds_since(start)
    }

    // Keeps `depth` requests in flight until all samples are answered.
    fn pipelined(&self, link: &mut Component) -> Result<u64, Error> {
        let start = Instant::now();
        let (mut asked, mut answered) = (0, 0);
        while answered < self.samples {
            while asked < self.samples && asked - answered < self.depth {
                link.ask(MessageKind::Read, &self.peer, &self.body, ANSWER_WAIT)?;
                asked += 1;
            }
            match link.recv()?.0 {
                Incoming::Response(_) => answered += 1,
                Incoming::Closed => return Err(Error::Closed),
                _ => {}
            }
        }
        Ok(nanoseconds_since(start))
    }
}

// A JSON text of this length: what leaves the machine is looked at.
fn body_of(bytes: usize) -> Vec<u8> {
    let mut body = vec![b' '; bytes];
    if bytes >= 2 {
        for end in [0, bytes - 1] {
            body.get_mut(end).into_iter().for_each(|byte| *byte = b'"');
        }
    }
    body
}

fn nanoseconds_since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

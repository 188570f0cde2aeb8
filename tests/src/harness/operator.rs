//! The operator's hand in a test: requests to any address, with their answers.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use protocol::client::blocking::Client;
use protocol::client::{Error, Incoming};
use protocol::frame::Role;
use protocol::message::MessageKind;
use serde_json::{Value, json};

use super::wait::WAIT_MAX;

/// How long an answer may take that waits behind many others.
const MANY_WAIT: Duration = Duration::from_mins(2);

/// What came back for a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Its number.
    pub code: u16,
    /// Its whole body.
    pub body: Value,
}

impl Answer {
    /// The body's `value`.
    pub fn value(&self) -> &Value {
        &self.body["value"]
    }

    /// The sentence of a failure.
    pub fn reason(&self) -> &str {
        self.body["desc"].as_str().unwrap_or_default()
    }
}

/// A link to the supervisor's endpoint.
#[derive(Debug)]
pub struct Operator {
    client: Mutex<Client>,
}

impl Operator {
    /// Connects as the operator.
    ///
    /// # Panics
    ///
    /// When the supervisor does not take the link.
    #[track_caller]
    pub fn connect(endpoint: &Path) -> Self {
        Self::connect_as(endpoint, Role::Operator).expect("the endpoint takes the operator's link")
    }

    /// Connects in another role.
    pub fn connect_as(endpoint: &Path, role: Role<'_>) -> Result<Self, Error> {
        let client = Mutex::new(Client::connect(endpoint, role)?);
        Ok(Self { client })
    }

    /// The runtime's address.
    ///
    /// # Panics
    ///
    /// When a thread died while it used the link.
    pub fn runtime(&self) -> String {
        self.client.lock().unwrap().runtime().to_owned()
    }

    /// Its own address.
    ///
    /// # Panics
    ///
    /// When a thread died while it used the link.
    pub fn address(&self) -> String {
        self.client.lock().unwrap().address().to_owned()
    }

    /// Sends a request of this `type` and waits for its answer.
    ///
    /// # Panics
    ///
    /// When the supervisor does not answer at all.
    #[track_caller]
    pub fn ask(&self, kind: &str, to: &str, body: &Value) -> Answer {
        self.try_ask(kind, to, body)
            .expect("every request is answered")
    }

    /// The same, and the link may break.
    ///
    /// # Panics
    ///
    /// When a thread died while it used the link.
    pub fn try_ask(&self, kind: &str, to: &str, body: &Value) -> Result<Answer, Error> {
        self.ask_bytes(kind, to, body.to_string().as_bytes(), WAIT_MAX)
    }

    /// The same with any bytes for a body and a time limit.
    ///
    /// # Panics
    ///
    /// When a thread died while it used the link.
    pub fn ask_bytes(
        &self,
        kind: &str,
        to: &str,
        body: &[u8],
        within: Duration,
    ) -> Result<Answer, Error> {
        let mut client = self.client.lock().unwrap();
        let response = client.request(MessageKind::parse(kind), to, body, within)?;
        let body = serde_json::from_slice(response.body).unwrap_or(Value::Null);
        Ok(Answer {
            code: response.code.0,
            body,
        })
    }

    /// Sends a message that wants no answer.
    ///
    /// # Panics
    ///
    /// When the link is broken.
    #[track_caller]
    pub fn tell(&self, kind: &str, to: &str, body: &Value) {
        let mut client = self.client.lock().unwrap();
        client
            .send(MessageKind::parse(kind), to, body.to_string().as_bytes())
            .expect("it is sent");
        client.flush().expect("it is sent");
    }

    /// Asks one of the runtime's rooms.
    ///
    /// # Panics
    ///
    /// When the supervisor does not answer at all.
    #[track_caller]
    pub fn ask_room(&self, kind: &str, room: &str, body: &Value) -> Answer {
        self.ask(kind, &format!("{}/{room}", self.runtime()), body)
    }

    /// Sends the same request `count` times before it reads an answer; how
    /// often each number came back.
    ///
    /// # Panics
    ///
    /// When a request is not answered.
    #[track_caller]
    pub fn ask_room_many(
        &self,
        kind: &str,
        room: &str,
        body: &Value,
        count: usize,
    ) -> BTreeMap<u16, usize> {
        let mut client = self.client.lock().unwrap();
        let (to, body) = (format!("{}/{room}", client.runtime()), body.to_string());
        for _ in 0..count {
            let asked = client.ask(MessageKind::parse(kind), &to, body.as_bytes(), MANY_WAIT);
            asked.expect("the request can be sent");
        }
        let mut answers = BTreeMap::new();
        while answers.values().sum::<usize>() < count {
            let (incoming, _) = client
                .recv_within(MANY_WAIT)
                .expect("every request is answered");
            if let Incoming::Response(response) = incoming {
                *answers.entry(response.code.0).or_default() += 1;
            }
        }
        answers
    }

    /// Sends a request with each of these bodies before it reads an answer; what numbers
    /// each was answered with, and one is as it should be.
    ///
    /// # Panics
    ///
    /// When a request is not answered at all.
    #[track_caller]
    pub fn ask_many(
        &self,
        kind: &str,
        to: &str,
        bodies: &[Value],
        within: Duration,
    ) -> Vec<Vec<u16>> {
        let mut client = self.client.lock().unwrap();
        let mut asked = BTreeMap::new();
        for (place, body) in bodies.iter().enumerate() {
            let body = body.to_string();
            let id = client.ask(MessageKind::parse(kind), to, body.as_bytes(), within);
            asked.insert(id.expect("the request can be sent"), place);
        }
        let mut answers = vec![Vec::new(); bodies.len()];
        // The core answers in order: a second answer to any of them comes before this one's.
        let mut last = None;
        loop {
            let (incoming, _) = client.recv_within(MANY_WAIT).expect("each is answered");
            if let Incoming::Response(response) = incoming {
                let (id, code) = (response.id, response.code.0);
                match asked.get(&id) {
                    Some(place) => answers[*place].push(code),
                    None if last == Some(id) => return answers,
                    None => {}
                }
            }
            if last.is_none() && answers.iter().all(|codes| !codes.is_empty()) {
                let room = format!("{}/bus", client.runtime());
                let asked = client.ask(MessageKind::Read, &room, b"{}", MANY_WAIT);
                last = Some(asked.expect("the request can be sent"));
            }
        }
    }

    /// What a room shows when it is read.
    ///
    /// # Panics
    ///
    /// When it shows nothing.
    #[track_caller]
    pub fn read_room(&self, room: &str) -> Value {
        let answer = self.ask_room("read", room, &json!({}));
        assert_eq!(answer.code, 200, "{room} could not be read: {answer:?}");
        answer.value().clone()
    }
}

//! What is at the other end of the network in a test: an echo, and a name server.

#![allow(dead_code, reason = "each test file uses some of it")]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;

/// Sends back what it is sent, on loopback, and counts who called.
pub(crate) struct Echo {
    pub(crate) address: SocketAddr,
    callers: Arc<Mutex<usize>>,
    gone: Arc<Mutex<usize>>,
}

impl Echo {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let echo = Self {
            address: listener.local_addr().unwrap(),
            callers: Arc::default(),
            gone: Arc::default(),
        };
        let (callers, gone) = (Arc::clone(&echo.callers), Arc::clone(&echo.gone));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                *callers.lock().unwrap() += 1;
                let gone = Arc::clone(&gone);
                thread::spawn(move || {
                    send_back(stream);
                    *gone.lock().unwrap() += 1;
                });
            }
        });
        echo
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn callers(&self) -> usize {
        *self.callers.lock().unwrap()
    }

    pub(crate) fn gone(&self) -> usize {
        *self.gone.lock().unwrap()
    }
}

fn send_back(mut stream: TcpStream) {
    let mut bytes = [0; 1024];
    while let Ok(read) = stream.read(&mut bytes) {
        if read == 0 || stream.write_all(&bytes[..read]).is_err() {
            return;
        }
    }
}

/// A name server on loopback. Names it has are answered in turn, `silent.test` never,
/// everything else does not exist.
pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl NameServer {
    pub(crate) fn start(names: &[(&str, &[Ipv4Addr])]) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: socket.local_addr().unwrap(),
            asked: Arc::default(),
        };
        let asked = Arc::clone(&server.asked);
        let names: BTreeMap<String, Vec<Ipv4Addr>> = names
            .iter()
            .map(|(name, answers)| ((*name).to_owned(), answers.to_vec()))
            .collect();
        thread::spawn(move || {
            let mut question = [0; 512];
            while let Ok((bytes, from)) = socket.recv_from(&mut question) {
                if let Some(answer) = answer(&question[..bytes], &names, &asked) {
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        server
    }

    pub(crate) fn argument(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn asked(&self, name: &str) -> usize {
        self.asked.lock().unwrap().get(name).copied().unwrap_or(0)
    }
}

// RFC 1035 §4.1: the question comes back with a header that says what there is.
fn answer(
    question: &[u8],
    names: &BTreeMap<String, Vec<Ipv4Addr>>,
    asked: &Mutex<BTreeMap<String, usize>>,
) -> Option<Vec<u8>> {
    const A: u16 = 1;
    let mut at = 12;
    let mut labels = Vec::new();
    while *question.get(at)? != 0 {
        let length = usize::from(question[at]);
        labels.push(String::from_utf8_lossy(question.get(at + 1..=at + length)?).to_lowercase());
        at += length + 1;
    }
    let name = labels.join(".");
    let kind = u16::from_be_bytes([*question.get(at + 1)?, *question.get(at + 2)?]);
    let end = at + 5;
    let turn = if kind == A {
        let mut asked = asked.lock().unwrap();
        let count = asked.entry(name.clone()).or_default();
        *count += 1;
        *count - 1
    } else {
        0
    };
    if name == "silent.test" {
        return None;
    }
    let known = names.get(&name);
    let address = known
        .filter(|_| kind == A)
        .and_then(|answers| answers.get(turn % answers.len().max(1)));
    let code = if known.is_some() { 0 } else { 3 };
    let mut answer = question.get(..end)?.to_vec();
    answer[2..12].copy_from_slice(&[
        0x81,
        0x80 | code,
        0,
        1,
        0,
        u8::from(address.is_some()),
        0,
        0,
        0,
        0,
    ]);
    if let Some(address) = address {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
        answer.extend(address.octets());
    }
    Some(answer)
}

//! Dialling: a connection by the connector beside one that is made directly.

use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use hyperty_tests::harness::{Catalogue, Runtime};
use serde_json::{Value, json};

use crate::Scale;
use crate::numbers::{microseconds, nanoseconds_since, percentile};
use crate::quiet::Place;
use crate::table::{Table, Target};

/// Dials of one turn: fewer than one sandbox may make within a second.
const DIALS: usize = 24;

/// Until the next turn may dial.
const REST: Duration = Duration::from_millis(1_100);

/// A component's dial to loopback, and a plain `connect`.
pub(crate) fn measure(table: &mut Table, scale: Scale) {
    Place::Free.enter();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || listener.incoming().for_each(drop));
    let catalogue = Catalogue::new().dialler("a.example", "Dialler", &json!([]));
    let runtime = Runtime::with(catalogue).start();
    let dialler = runtime.deploy("a.example/hyperty/Dialler");
    let grant = json!({
        "component": "a.example/Dialler", "host": "127.0.0.1", "port": address.port(), "private": true,
    });
    runtime.operator().ask_room("create", "connections", &grant);
    let order = json!({ "dials": DIALS, "host": "127.0.0.1", "port": address.port() });
    let mut times: [Vec<u64>; 2] = Default::default();
    // The first turn starts the connector, and does not count.
    runtime.operator().ask("execute", &dialler.address, &order);
    for _ in 0..scale.rounds {
        thread::sleep(REST);
        let answer = runtime.operator().ask("execute", &dialler.address, &order);
        let took = answer.value().as_array().into_iter().flatten();
        times[0].extend(took.filter_map(Value::as_u64));
        for _ in 0..DIALS {
            let start = Instant::now();
            drop(TcpStream::connect(address).expect("somebody listens"));
            times[1].push(nanoseconds_since(start));
        }
    }
    let [ours, direct] = times.map(|times| microseconds(percentile(&times, 50)));
    table.add(
        "dial by the connector − direct connect",
        Place::Free.name(),
        (ours - direct, "µs"),
        Target::None,
        format!("{ours:.0} µs, {direct:.0} µs"),
    );
}

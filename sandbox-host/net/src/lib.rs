//! TLS, HTTP and WebSocket over connections that the connector handed in.
//!
//! No component can make a socket. It asks the core for a connection to a port
//! of a host; policy decides, the connector dials, and what arrives is a connected
//! descriptor. Everything above that is in this crate:
//!
//! | part | is |
//! |---|---|
//! | [`Network`] | what a component holds: `tcp`, `tls`, `websocket`, `http` |
//! | [`http`] | an HTTP/1.1 and HTTP/2 client, streaming, without cookies |
//! | [`websocket`] | a WebSocket client |
//! | [`Dial`] | where connections come from |
//! | [`Tasks`] | what drives them: tokio, or the loop of the script host |
//! | [`limits`] | what a foreign server may cost |
//! | [`Error`] | what can go wrong, and what to do about it |
//!
//! ```no_run
//! # async fn f(network: sandbox_net::Network) -> Result<(), sandbox_net::Error> {
//! use sandbox_net::websocket::{Event, Options};
//!
//! let mut socket = network.websocket("wss://node.example/ws", Options::default()).await?;
//! socket.send_text("hello").await?;
//! while let Event::Text(text) = socket.recv().await? {
//!     println!("{text}");
//! }
//! # Ok(())
//! # }
//! ```

mod dial;
mod error;
pub mod http;
pub mod limits;
mod link;
mod network;
mod target;
mod tasks;
mod tls;
pub mod websocket;

pub use dial::{BoxStream, Dial, Dialling, Direct, NotDialled, Stream};
pub use error::{Error, TlsProblem};
pub use network::Network;
pub use tasks::{Task, Tasks, Tokio};
pub use tokio_rustls::client::TlsStream;

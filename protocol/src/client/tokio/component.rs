//! A native component that lives in tokio.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream as Plain;

use tokio::net::UnixStream;

use super::{Client, failed};
use crate::client::error::Error;
use crate::client::session::Session;

/// The link of a native component: its descriptor 0.
pub type Component = Client;

impl Client {
    /// Reads who this component is from descriptor 0, and reports it as loaded.
    pub async fn attach() -> Result<Self, Error> {
        let socket = io::stdin().as_fd().try_clone_to_owned();
        let socket = Plain::from(socket.map_err(|source| failed("take the link", source))?);
        let made = socket.set_nonblocking(true);
        made.map_err(|source| failed("take the link", source))?;
        let socket = UnixStream::from_std(socket);
        Self::attach_to(socket.map_err(|source| failed("take the link", source))?).await
    }

    /// Waits for `Start` on a connected socket, and answers `Loaded`.
    pub async fn attach_to(socket: UnixStream) -> Result<Self, Error> {
        let session = Session::default();
        let mut client = Self::over(socket, session);
        while !client.session.attach()? {
            client.fill().await?;
        }
        client.flush().await?;
        Ok(client)
    }
}

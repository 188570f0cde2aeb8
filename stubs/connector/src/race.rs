//! Several addresses of one host: the first that answers wins (RFC 8305).

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// How long one address has the field to itself (RFC 8305 §8).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Addresses that are tried at one time.
const ATTEMPTS_MAX: usize = 3;

/// One family after the other, that of the first address first (RFC 8305 §4).
pub(crate) fn interleaved(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let first_is_v6 = addresses.first().is_some_and(IpAddr::is_ipv6);
    let (mut ours, mut others): (VecDeque<_>, VecDeque<_>) = addresses
        .into_iter()
        .partition(|ip| ip.is_ipv6() == first_is_v6);
    let mut all = Vec::new();
    while !ours.is_empty() || !others.is_empty() {
        all.extend(ours.pop_front());
        all.extend(others.pop_front());
    }
    all
}

/// Connects to one of these; the error of the last that failed when none answers.
///
/// Dropped, everything that is under way is closed.
pub(crate) async fn connect(addresses: &[IpAddr], port: u16) -> io::Result<TcpStream> {
    let mut waiting = addresses.iter().map(|ip| SocketAddr::new(*ip, port));
    let mut under_way = JoinSet::new();
    let mut failure = io::Error::other("there is no address to dial");
    let mut is_over = false;
    loop {
        if under_way.len() < ATTEMPTS_MAX {
            match waiting.next() {
                Some(address) => drop(under_way.spawn(attempt(address))),
                None => is_over = true,
            }
        }
        let can_wait = under_way.len() >= ATTEMPTS_MAX || is_over;
        tokio::select! {
            ended = under_way.join_next() => match ended {
                Some(Ok(Ok(stream))) => return Ok(stream),
                Some(Ok(Err(error))) => failure = error,
                Some(Err(error)) => failure = error.into(),
                None => return Err(failure),
            },
            () = sleep(ATTEMPT_DELAY), if !can_wait => {}
        }
    }
}

async fn attempt(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv6() {
        TcpSocket::new_v6()?
    } else {
        TcpSocket::new_v4()?
    };
    socket.set_nodelay(true)?;
    socket.connect(address).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_take_turns() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let given = vec![
            ip("::1"),
            ip("::2"),
            ip("::3"),
            ip("1.1.1.1"),
            ip("2.2.2.2"),
        ];

        let all = interleaved(given);

        assert_eq!(
            all,
            [
                ip("::1"),
                ip("1.1.1.1"),
                ip("::2"),
                ip("2.2.2.2"),
                ip("::3")
            ]
        );
        assert_eq!(interleaved(Vec::new()), [] as [IpAddr; 0]);
    }

    #[tokio::test]
    async fn an_address_that_refuses_makes_room_for_the_next_at_once() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        // Nobody listens on these; the second is reached without the delay of the first.
        let addresses = ["127.0.0.2", "127.0.0.3", "127.0.0.1"].map(|ip| ip.parse().unwrap());

        let stream = connect(&addresses, port).await.unwrap();

        assert_eq!(stream.peer_addr().unwrap(), listener.local_addr().unwrap());
        assert!(stream.nodelay().unwrap());
    }

    #[tokio::test]
    async fn when_nobody_answers_the_last_refusal_is_told() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);

        let error = connect(&["127.0.0.1".parse().unwrap()], port)
            .await
            .unwrap_err();

        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert!(connect(&[], port).await.is_err());
    }
}

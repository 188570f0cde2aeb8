//! Far ends that are broken or mean, and what a script sees of them.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::core::{Core, serving};
use super::far_end::{Authority, Valid, accept, answering, head, raw, secure};

/// What `fetch` of this port says, without its warning.
fn fetched(core: &mut Core, url: &str) -> String {
    core.load_at(
        &format!("hyperty://here.example/{}", core.dialled.len()),
        &format!(
            "try {{ console.log('got ' + (await (await fetch('{url}')).text()).length) }} catch (e) {{ console.log(e.name, e.message) }}"
        ),
    );
    loop {
        let line = core.line();
        if line.starts_with("got ") || line.starts_with("TypeError ") {
            return line;
        }
    }
}

#[test]
fn certificates_that_are_not_right_are_named() {
    let (ours, theirs) = (Authority::named("ours"), Authority::named("theirs"));
    let configs = [
        ours.server("localhost", Valid::Before, &[]),
        ours.server("other.example", Valid::Now, &[]),
        theirs.server("localhost", Valid::Now, &[]),
    ];
    let ports = serving(move || async {
        let mut ports = Vec::new();
        for config in configs {
            ports.push(secure(axum::Router::new(), config).await);
        }
        ports
    });
    let mut core = Core::trusting(&ours.pem);

    let expected = [
        "has expired",
        "is for `other.example`",
        "nobody that is trusted here",
    ];
    for (port, expected) in ports.into_iter().zip(expected) {
        let line = fetched(&mut core, &format!("https://localhost:{port}/"));
        assert!(line.contains(expected), "{line}");
    }
}

#[test]
fn without_roots_the_remedy_is_told() {
    let ours = Authority::named("ours");
    let config = ours.server("localhost", Valid::Now, &[]);
    let port = serving(move || secure(axum::Router::new(), config));
    let mut core = Core::new();

    let line = fetched(&mut core, &format!("https://localhost:{port}/"));

    assert!(line.contains("none are installed"), "{line}");
}

#[test]
fn garbage_and_early_ends_are_errors() {
    let ports = serving(move || async {
        [
            answering("220 mail.example\r\n\r\n").await,
            answering("").await,
            answering("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello").await,
            raw(|mut stream| async move {
                head(&mut stream).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").await;
                while stream.write_all(&[b'a'; 4096]).await.is_ok() {}
            })
            .await,
        ]
    });
    let mut core = Core::new();

    for port in ports {
        let line = fetched(&mut core, &format!("http://localhost:{port}/"));
        assert!(line.starts_with("TypeError fetch to"), "{line}");
    }
}

#[test]
fn frames_of_4_gib_and_masked_ones_end_the_socket() {
    let frames: [&[u8]; 2] = [
        &[0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0],
        &[0x81, 0x81, 1, 2, 3, 4, 5],
    ];
    for bytes in frames {
        let port = serving(move || {
            raw(move |mut stream| async move {
                accept(&mut stream).await;
                let _ = stream.write_all(bytes).await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            })
        });
        let mut core = Core::new();

        core.load(&format!(
            "const s = new WebSocket('ws://localhost:{port}/'); const seen = [];
             s.onopen = () => seen.push('open'); s.onerror = () => seen.push('error');
             s.onclose = (e) => console.log('end', seen.join(), e.code)"
        ));

        let line = std::iter::repeat_with(|| core.line()).find(|line| line.starts_with("end"));
        assert_eq!(line.unwrap(), "end open,error 1006");
        core.until_hung(1);
    }
}

#[test]
fn one_that_never_answers_stops_nobody_else() {
    let (silent, port) = serving(move || async {
        let silent = raw(|mut stream| async move {
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
        .await;
        (
            silent,
            answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await,
        )
    });
    let mut core = Core::new();

    core.load(&format!(
        "fetch('http://localhost:{silent}/').then(() => console.log('never'));
         console.log(await (await fetch('http://localhost:{port}/')).text())"
    ));

    assert_eq!(core.line(), "ok");
}

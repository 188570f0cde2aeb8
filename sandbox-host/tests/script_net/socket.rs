//! WebSockets of scripts.

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;

use super::core::{Core, serving};
use super::far_end::{Authority, Valid, secure, web};

/// Sends back what comes; closes with 4000 and the reason after `bye`.
fn echo() -> Router {
    async fn back(mut far: WebSocket) {
        while let Some(Ok(message)) = far.recv().await {
            match message {
                Message::Text(text) if text == "bye" => {
                    let reason = "as you wish".into();
                    let frame = axum::extract::ws::CloseFrame { code: 4000, reason };
                    let _ = far.send(Message::Close(Some(frame))).await;
                }
                Message::Text(_) | Message::Binary(_) => {
                    let _ = far.send(message).await;
                }
                _ => {}
            }
        }
    }
    let upgrade = |upgrade: WebSocketUpgrade| async move {
        let answer: Response = upgrade.protocols(["chat"]).on_upgrade(back);
        answer
    };
    Router::new().route("/ws", any(upgrade))
}

#[test]
fn texts_and_bytes_are_echoed_in_order_and_closed_by_both() {
    let port = serving(move || web(echo()));
    let mut core = Core::new();

    core.load(&format!(
        "const seen = []; const s = new WebSocket('ws://localhost:{port}/ws', ['talk', 'chat']);
         s.binaryType = 'arraybuffer';
         s.onopen = () => {{ seen.push(s.readyState, s.protocol); s.send('hé'); s.send(new Uint8Array([1, 255]));
           s.send('x'.repeat(300000)); seen.push(s.bufferedAmount > 300000); s.send('bye') }};
         s.onmessage = ({{data, origin}}) => {{
           seen.push(typeof data === 'string' ? data.slice(0, 3) + data.length : [...new Uint8Array(data)].join()) }};
         s.onerror = () => seen.push('error');
         s.onclose = (e) => console.log(JSON.stringify([...seen, e.code, e.reason, e.wasClean, s.readyState, s.bufferedAmount]))"
    ));

    let expected = r#"[1,"chat","hé2","1,255","xxx300000",4000,"as you wish",true,3,0]"#;
    assert_eq!(core.line().replace("true,\"hé2\"", "\"hé2\""), expected);
    core.until_hung(1);
}

#[test]
fn it_works_over_tls_and_blobs_arrive_as_blobs() {
    let authority = Authority::named("ours");
    let config = authority.server("localhost", Valid::Now, &["h2", "http/1.1"]);
    let port = serving(move || secure(echo(), config));
    let mut core = Core::trusting(&authority.pem);

    core.load(&format!(
        "const s = new WebSocket('wss://localhost:{port}/ws');
         s.onopen = () => s.send(new Blob(['abc']));
         s.onmessage = async ({{data}}) => {{ console.log(data instanceof Blob, await data.text()); s.close(1000) }};
         s.onclose = (e) => console.log(e.code, e.wasClean)"
    ));

    assert_eq!(core.line(), "true abc");
    assert_eq!(core.line(), "1000 true");
}

#[test]
fn what_is_not_granted_closes_with_the_reason_and_the_decision() {
    let mut core = Core::new();

    core.load(
        "const s = new WebSocket('wss://elsewhere.example/ws?token=secret'); let failed = false;
         s.onerror = () => { failed = true };
         s.onclose = (e) => console.log(failed, e.code, e.wasClean, e.reason)",
    );

    let warning = core.line();
    let reason = "WebSocket to `wss://elsewhere.example/ws` was refused: cannot reach \
                  `elsewhere.example:443`: it has no network grant (`hyperty why d-7` explains it)";
    assert_eq!(warning, reason);
    assert_eq!(core.line(), format!("true 1006 false {reason}"));
    assert_eq!(core.dialled, ["elsewhere.example:443"]);
}

#[test]
fn a_revoked_grant_closes_with_its_reason() {
    let port = serving(move || web(echo()));
    let mut core = Core::new();
    core.load(&format!(
        "const s = new WebSocket('ws://localhost:{port}/ws');
         s.onopen = () => console.log('open');
         s.onclose = (e) => console.log(e.code, e.reason)"
    ));
    assert_eq!(core.line(), "open");

    core.revoke(0, "the user has revoked the grant");

    assert!(core.line().contains("the user has revoked the grant"));
    assert!(core.line().starts_with("1006 WebSocket to"));
}

#[test]
fn a_component_that_is_unloaded_closes_its_sockets() {
    let port = serving(move || web(echo()));
    let mut core = Core::new();
    core.load(&format!(
        "const two = [1, 2].map(() => new WebSocket('ws://localhost:{port}/ws'));
         let open = 0; for (const s of two) s.onopen = () => ++open === 2 && console.log('open')"
    ));
    assert_eq!(core.line(), "open");

    core.unload();
    core.until_hung(2);

    core.hung.sort_unstable();
    assert_eq!(core.hung, [0, 1]);
}

#[test]
fn a_peer_that_does_not_read_costs_a_bounded_memory_and_stops_nobody() {
    let (deaf, port) = serving(move || async {
        let deaf = |upgrade: WebSocketUpgrade| async move {
            let answer: Response = upgrade.on_upgrade(|far| async move {
                let _held = far;
                std::future::pending::<()>().await;
            });
            answer
        };
        (
            web(Router::new().route("/ws", any(deaf))).await,
            web(echo()).await,
        )
    });
    let mut core = Core::new();

    core.load(&format!(
        "const deaf = new WebSocket('ws://localhost:{deaf}/ws'), other = new WebSocket('ws://localhost:{port}/ws');
         const piece = 'x'.repeat(1 << 20); let most = 0;
         deaf.onopen = () => {{ const more = () => {{ if (deaf.readyState !== 1) return;
           deaf.send(piece); most = Math.max(most, deaf.bufferedAmount); setTimeout(more) }}; more() }};
         deaf.onclose = (e) => {{ console.log(e.code, e.reason, most <= 9 << 20); other.send('still here') }};
         other.onmessage = ({{data}}) => console.log(data)"
    ));

    let line = core.line();
    assert!(line.starts_with("1006 more waits to be sent"), "{line}");
    assert!(line.ends_with("true"), "{line}");
    assert_eq!(core.line(), "still here");
}

//! What the framework may ask of the host: the members of `host` in its files.
//!
//! Components never see these functions. They check their arguments all the
//! same, because components may have changed the built-ins that the framework
//! uses.

use std::rc::Rc;
use std::time::Duration;

use protocol::frame::{HostFrame, LogLevel};
use protocol::limits::{KIND_BYTES_MAX, REPLY_WAIT_MS_MAX};
use protocol::message::Header;
use protocol::{Code, Message, MessageKind, Reply};
use rquickjs::function::This;
use rquickjs::{ArrayBuffer, Coerced, Ctx, Exception, FromJs, Function, Object, Result, Value};

use super::crypto;
use super::failure::{Failure, place};
use super::framework;
use super::listens::is_foreign;
use super::net;
use super::random::Random;
use super::shared::Shared;

/// Makes the object that the framework's files install themselves on.
pub(super) fn host<'js>(ctx: &Ctx<'js>, shared: &Rc<Shared>) -> Result<Object<'js>> {
    let host = Object::new(ctx.clone())?;
    bus(ctx, shared, &host)?;
    clock(ctx, shared, &host)?;
    records(ctx, shared, &host)?;
    bytes(ctx, shared, &host)?;
    let load = |This(host): This<Object<'js>>, ctx: Ctx<'js>, name: String| {
        framework::install(&ctx, &host, &name)
    };
    host.set("load", Function::new(ctx.clone(), load)?)?;
    let it = Rc::clone(shared);
    let open = move |ctx: Ctx<'js>| crypto::natives(&ctx, &it);
    host.set("openCrypto", Function::new(ctx.clone(), open)?)?;
    let it = Rc::clone(shared);
    let open = move |ctx: Ctx<'js>| net::natives(&ctx, &it);
    host.set("openNetwork", Function::new(ctx.clone(), open)?)?;
    Ok(host)
}

fn bus<'js>(ctx: &Ctx<'js>, shared: &Rc<Shared>, host: &Object<'js>) -> Result<()> {
    let it = Rc::clone(shared);
    let post = move |ctx: Ctx<'js>,
                     id: f64,
                     kind: String,
                     from: String,
                     to: String,
                     body: Value<'js>,
                     members: Value<'js>| {
        send(
            &it,
            &ctx,
            &Outgoing {
                id,
                kind,
                from,
                to,
                body,
                members,
            },
        )
    };
    host.set("send", Function::new(ctx.clone(), post)?)?;
    let it = Rc::clone(shared);
    let watch =
        move |ctx: Ctx<'js>, id: f64, from: String, to: String| watch(&it, &ctx, id, &from, &to);
    host.set("watch", Function::new(ctx.clone(), watch)?)?;
    let it = Rc::clone(shared);
    host.set(
        "listen",
        Function::new(ctx.clone(), move |component: String, url: String| {
            listen(&it, &component, &url);
        })?,
    )?;
    let it = Rc::clone(shared);
    host.set(
        "unlisten",
        Function::new(ctx.clone(), move |component: String, url: String| {
            unlisten(&it, &component, &url);
        })?,
    )
}

fn clock<'js>(ctx: &Ctx<'js>, shared: &Rc<Shared>, host: &Object<'js>) -> Result<()> {
    let it = Rc::clone(shared);
    host.set(
        "now",
        Function::new(ctx.clone(), move || it.now().as_secs_f64() * 1e3)?,
    )?;
    let it = Rc::clone(shared);
    let most = move || it.timers_max.get();
    host.set("timersMax", Function::new(ctx.clone(), most)?)?;
    let it = Rc::clone(shared);
    let arm = move |id: u32, wait_ms: f64| {
        let at = it.now() + Duration::try_from_secs_f64(wait_ms / 1e3).unwrap_or_default();
        // Microseconds of some hundred years fit a number exactly.
        #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
        let at = it.timers.borrow_mut().arm(id, at) as f64;
        at
    };
    host.set("arm", Function::new(ctx.clone(), arm)?)?;
    let it = Rc::clone(shared);
    let disarm = move |id: u32, at: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "made by `arm`"
        )]
        it.timers.borrow_mut().disarm(id, at as u64);
    };
    host.set("disarm", Function::new(ctx.clone(), disarm)?)
}

fn records<'js>(ctx: &Ctx<'js>, shared: &Rc<Shared>, host: &Object<'js>) -> Result<()> {
    let it = Rc::clone(shared);
    let log =
        move |component: String, level: String, text: Coerced<String>, stack: Coerced<String>| {
            let level = match level.as_str() {
                "debug" => LogLevel::Debug,
                "warn" => LogLevel::Warn,
                "error" => LogLevel::Error,
                _ => LogLevel::Info,
            };
            it.log(&component, level, &place(&stack.0), &text.0);
        };
    host.set("log", Function::new(ctx.clone(), log)?)?;
    let it = Rc::clone(shared);
    let report = move |ctx: Ctx<'js>, component: String, thrown: Value<'js>| {
        it.log_failure(&component, &Failure::thrown(&ctx, &thrown));
    };
    host.set("report", Function::new(ctx.clone(), report)?)?;
    let it = Rc::clone(shared);
    let author = move |stack: Coerced<String>| it.author(&place(&stack.0)).unwrap_or_default();
    host.set("author", Function::new(ctx.clone(), author)?)
}

fn bytes<'js>(ctx: &Ctx<'js>, shared: &Rc<Shared>, host: &Object<'js>) -> Result<()> {
    let it = Rc::clone(shared);
    let random = move |ctx: Ctx<'js>| {
        it.random
            .borrow_mut()
            .number()
            .map_err(|_| Exception::throw_internal(&ctx, "no random numbers"))
    };
    host.set("random", Function::new(ctx.clone(), random)?)?;
    let random_bytes = |ctx: Ctx<'js>, count: u32| {
        // The bound of `crypto.getRandomValues`.
        let count = usize::try_from(count).unwrap_or_default().min(65_536);
        let bytes = Random::bytes(count)
            .map_err(|_| Exception::throw_internal(&ctx, "no random numbers"))?;
        ArrayBuffer::new(ctx, bytes)
    };
    host.set("randomBytes", Function::new(ctx.clone(), random_bytes)?)?;
    let encode = |ctx: Ctx<'js>, text: String| ArrayBuffer::new(ctx, text.into_bytes());
    host.set("encode", Function::new(ctx.clone(), encode)?)?;
    host.set(
        "decode",
        Function::new(ctx.clone(), |ctx: Ctx<'js>, latin: String, fatal: bool| {
            decode(&ctx, &latin, fatal)
        })?,
    )
}

// The bytes come as a text of as many characters: reading a buffer of the
// engine in place would be unsafe.
fn decode(ctx: &Ctx<'_>, latin: &str, fatal: bool) -> Result<String> {
    let bytes: Vec<u8> = latin
        .chars()
        .map(|c| u8::try_from(c).unwrap_or(b'?'))
        .collect();
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(_) if fatal => Err(Exception::throw_type(ctx, "the bytes are not UTF-8")),
        Err(error) => Ok(String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

struct Outgoing<'js> {
    id: f64,
    kind: String,
    from: String,
    to: String,
    body: Value<'js>,
    members: Value<'js>,
}

fn send<'js>(shared: &Shared, ctx: &Ctx<'js>, message: &Outgoing<'js>) -> Result<()> {
    if shared.is_full() {
        return Err(Exception::throw_range(
            ctx,
            "cannot post a message: too many in one turn",
        ));
    }
    let kind = MessageKind::parse(&message.kind);
    if !is_word(&kind) {
        let text = format!(
            "cannot post a message: its type `{}` is not a word",
            message.kind
        );
        return Err(Exception::throw_type(ctx, &text));
    }
    let body = json(ctx, &message.body)?.unwrap_or_else(|| "{}".to_owned());
    let members = if message.members.is_object() {
        json(ctx, &message.members)?
    } else {
        None
    };
    let is_response = kind == MessageKind::Response;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number above 0"
    )]
    let header = Header {
        id: message.id as u64,
        kind,
        from: &message.from,
        to: &message.to,
        code: if is_response {
            code(ctx, &message.body)
        } else {
            Code::NONE
        },
        // The mini-bus keeps its own time (spec messaging §3.3).
        reply: if kind.is_request() {
            Reply::Untimed
        } else {
            Reply::Unwanted
        },
        members: members.as_deref().unwrap_or_default(),
    };
    let frame = HostFrame::Send(Message {
        header,
        body: body.as_bytes(),
    });
    let pushed = shared.outbox.borrow_mut().push(&frame);
    pushed.map_err(|error| {
        Exception::throw_range(ctx, &format!("cannot post a message: its {error}"))
    })
}

// A request that nobody answers, so that the core tells when its receiver ends.
//
// Timed, because the core forgets untimed ones of a sandbox that says much.
fn watch(shared: &Shared, ctx: &Ctx<'_>, id: f64, from: &str, to: &str) -> Result<()> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of the mini-bus"
    )]
    let request = Message::new(MessageKind::Execute, from, to, br#"{"watch":true}"#)
        .with_id(id as u64)
        .expecting(Reply::Within(REPLY_WAIT_MS_MAX));
    let pushed = shared.outbox.borrow_mut().push(&HostFrame::Send(request));
    pushed.map_err(|error| Exception::throw_range(ctx, &format!("cannot watch: its {error}")))
}

// The core takes anything else for a broken peer and ends the sandbox.
fn is_word(kind: &MessageKind<'_>) -> bool {
    let text = kind.as_str();
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    !text.is_empty() && text.len() <= KIND_BYTES_MAX && text.bytes().all(is_letter)
}

fn json<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> Result<Option<String>> {
    ctx.json_stringify(value.clone())?
        .map(|text| text.to_string())
        .transpose()
}

// A number or the text of one; peers that answer with a word mean a failure,
// which the mini-bus of the asker knows how to read.
fn code<'js>(ctx: &Ctx<'js>, body: &Value<'js>) -> Code {
    let value = body
        .as_object()
        .and_then(|body| body.get::<_, Value<'js>>("code").ok());
    let number = match value {
        Some(value) if value.is_number() => value.as_number(),
        Some(value) if value.is_string() => String::from_js(ctx, value)
            .ok()
            .and_then(|text| text.trim().parse::<f64>().ok()),
        _ => None,
    };
    let whole = number.filter(|number| number.fract() == 0.0 && (0.0..=65_535.0).contains(number));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked"
    )]
    Code(whole.unwrap_or_default() as u16)
}

fn listen(shared: &Shared, component: &str, url: &str) {
    match is_foreign(component, url) {
        Ok(false) => {}
        Ok(true) => {
            if shared.listens.borrow_mut().add(component, url) {
                shared.say(&HostFrame::Listen {
                    component,
                    address: url,
                });
            }
        }
        Err(reason) => {
            let text = format!("hears nothing from other sandboxes on `{url}`: {reason}");
            shared.log(component, LogLevel::Warn, "", &text);
        }
    }
}

fn unlisten(shared: &Shared, component: &str, url: &str) {
    if shared.listens.borrow_mut().remove(component, url) {
        shared.say(&HostFrame::Unlisten {
            component,
            address: url,
        });
    }
}

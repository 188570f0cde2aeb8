//! What `framework/network.js` may ask for.

use std::rc::Rc;
use std::time::Instant;

use rquickjs::{ArrayBuffer, Ctx, Exception, Function, Object, Result, Value};

use super::super::crypto::decode;
use super::super::engine::Engine;
use super::super::shared::Shared;
use super::events::{Event, News};
use super::socket::Wish;
use super::{Net, Wanted};
use sandbox_net::websocket::Options;

/// Makes the network of this host, and the object that its scripts' framework works with.
pub(in crate::script) fn natives<'js>(ctx: &Ctx<'js>, shared: &Rc<Shared>) -> Result<Object<'js>> {
    shared.net.borrow_mut().get_or_insert_with(Box::default);
    let object = Object::new(ctx.clone())?;
    socket_natives(ctx, shared, &object)?;
    request_natives(ctx, shared, &object)?;
    let it = Rc::clone(shared);
    let cancel = move |id: u32| with(&it, |net| net.cancel(id));
    object.set("cancel", Function::new(ctx.clone(), cancel)?)?;
    let it = Rc::clone(shared);
    let forget = move |owner: String| with(&it, |net| net.forget(&owner));
    object.set("forget", Function::new(ctx.clone(), forget)?)?;
    Ok(object)
}

fn socket_natives<'js>(ctx: &Ctx<'js>, shared: &Rc<Shared>, object: &Object<'js>) -> Result<()> {
    let it = Rc::clone(shared);
    let open = move |owner: String, url: String, protocols: Vec<String>| {
        let options = protocols
            .iter()
            .fold(Options::default(), |options, name| options.protocol(name));
        with(&it, |net| net.open(&owner, url, options)).flatten()
    };
    object.set("open", Function::new(ctx.clone(), open)?)?;
    let it = Rc::clone(shared);
    let send_text = move |id: u32, text: String| {
        let sent = with(&it, |net| net.wish(id, text.len(), Wish::Text(text)));
        sent.unwrap_or_default()
    };
    object.set("sendText", Function::new(ctx.clone(), send_text)?)?;
    let it = Rc::clone(shared);
    let send_bytes = move |ctx: Ctx<'js>, id: u32, base64: String| {
        let bytes = bytes(&ctx, &base64)?;
        let sent = with(&it, |net| net.wish(id, bytes.len(), Wish::Binary(bytes)));
        Ok::<_, rquickjs::Error>(sent.unwrap_or_default())
    };
    object.set("sendBytes", Function::new(ctx.clone(), send_bytes)?)?;
    let it = Rc::clone(shared);
    let close = move |id: u32, code: u16, reason: String| {
        let wish = Wish::Close((code > 0).then_some(code), reason);
        with(&it, |net| net.wish(id, 0, wish)).unwrap_or_default()
    };
    object.set("close", Function::new(ctx.clone(), close)?)?;
    let it = Rc::clone(shared);
    // Less than 2^53.
    #[expect(clippy::cast_precision_loss, reason = "bounded by the queue")]
    let waiting = move |id: u32| with(&it, |net| net.waiting(id)).unwrap_or_default() as f64;
    object.set("waiting", Function::new(ctx.clone(), waiting)?)
}

fn request_natives<'js>(ctx: &Ctx<'js>, shared: &Rc<Shared>, object: &Object<'js>) -> Result<()> {
    let it = Rc::clone(shared);
    let request = move |ctx: Ctx<'js>, owner: String, asked: String, body: Option<String>| {
        let asked = serde_json::from_str(&asked)
            .map_err(|error| Exception::throw_type(&ctx, &format!("no request: {error}")))?;
        let body = body.map(|base64| bytes(&ctx, &base64)).transpose()?;
        let sent = with(&it, |net| net.request(&owner, asked, body));
        Ok::<_, rquickjs::Error>(sent.flatten())
    };
    object.set("request", Function::new(ctx.clone(), request)?)?;
    let it = Rc::clone(shared);
    let read = move |id: u32| with(&it, |net| net.read(id));
    object.set("read", Function::new(ctx.clone(), read)?)
}

// Calls of natives never nest, and the loop is not inside one.
fn with<T>(shared: &Shared, act: impl FnOnce(&mut Net) -> T) -> Option<T> {
    shared.net.borrow_mut().as_mut().map(|net| act(net))
}

fn bytes(ctx: &Ctx<'_>, base64: &str) -> Result<Vec<u8>> {
    decode(base64).ok_or_else(|| Exception::throw_type(ctx, "the bytes did not arrive"))
}

impl Engine {
    /// Whether scripts of this host have touched the network.
    pub fn is_online(&self) -> bool {
        self.shared.net.borrow().is_some()
    }

    /// Takes the descriptor that came with the frame that is handled next.
    pub fn hand(&self, descriptor: Option<std::os::fd::OwnedFd>) {
        with(&self.shared, |net| net.hand(descriptor));
    }

    /// Moves bytes of open connections and tells the scripts what came.
    ///
    /// Returns for how long nothing has to be done, if there is anything to do at all.
    pub fn network_turns(&self, end: Instant) -> Option<std::time::Duration> {
        loop {
            with(&self.shared, |net| {
                net.run(end, |frame| self.shared.say(frame));
            })?;
            let Some((event, owner)) = with(&self.shared, Net::news).flatten() else {
                break;
            };
            self.tell(event, &owner);
            if Instant::now() >= end {
                break;
            }
        }
        with(&self.shared, |net| net.wait()).flatten()
    }

    /// The descriptors that the next wait is for as well.
    pub fn wanted(&self) -> Vec<Wanted> {
        with(&self.shared, |net| net.wanted()).unwrap_or_default()
    }

    /// What the wait has found.
    pub fn came(&self, wanted: &[Wanted]) {
        with(&self.shared, |net| net.came(wanted));
    }

    fn tell(&self, event: Event, owner: &str) {
        let id = event.id;
        let outcome = self.turn(self.shared.limits.turn, |ctx| {
            let (word, first, second, third) = arguments(&ctx, event.news)?;
            self.call(&ctx, "heard", (owner, id, word, first, second, third))
        });
        self.settle(outcome);
    }
}

type Arguments<'js> = (&'static str, Value<'js>, String, bool);

fn arguments<'js>(ctx: &Ctx<'js>, news: News) -> Result<Arguments<'js>> {
    use rquickjs::IntoJs as _;
    let nothing = || Value::new_undefined(ctx.clone());
    Ok(match news {
        News::Opened(protocol) => ("opened", nothing(), protocol, true),
        News::Text(text) => ("text", text.into_js(ctx)?, String::new(), true),
        News::Bytes(bytes) => {
            let buffer = ArrayBuffer::new(ctx.clone(), Vec::from(bytes))?;
            ("bytes", buffer.into_value(), String::new(), true)
        }
        News::Head(json) => ("head", ctx.json_parse(json)?, String::new(), true),
        News::End => ("end", nothing(), String::new(), true),
        News::Closed(code, reason, is_clean) => ("closed", code.into_js(ctx)?, reason, is_clean),
        News::Failed(reason, is_denied) => ("failed", nothing(), reason, is_denied),
    })
}

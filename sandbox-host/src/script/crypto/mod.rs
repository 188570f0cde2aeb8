//! What `crypto.subtle` computes, and the keys it computes with.
//!
//! Keys stay here; scripts hold numbers. So a key that must not be exported is
//! nowhere in the engine's heap. Bytes come as base64, which the engine writes
//! quickly; reading its buffers in place would be unsafe.
//!
//! Nothing here asks the system for anything but random numbers, which
//! `script::random` draws.

mod compute;
mod hash;
mod keys;

use std::rc::Rc;

use rquickjs::{ArrayBuffer, Ctx, Exception, Function, Object, Result};

pub(super) use keys::Keys;

use super::shared::Shared;
use hash::Hash;

/// A name that browsers have for what went wrong, and one sentence.
type Refused = (&'static str, String);

/// Makes the object that `framework/subtle.js` works with.
pub(super) fn natives<'js>(ctx: &Ctx<'js>, shared: &Rc<Shared>) -> Result<Object<'js>> {
    let object = Object::new(ctx.clone())?;
    keyless(ctx, &object)?;
    key_natives(ctx, shared, &object)?;
    using_natives(ctx, shared, &object)?;
    Ok(object)
}

fn keyless<'js>(ctx: &Ctx<'js>, object: &Object<'js>) -> Result<()> {
    let digest = |ctx: Ctx<'js>, hash: String, data: String| {
        let digest = || Ok(Hash::named(&hash)?.digest(&bytes(&data)?));
        given(&ctx, digest())
    };
    object.set("digest", Function::new(ctx.clone(), digest)?)
}

fn key_natives<'js>(ctx: &Ctx<'js>, shared: &Rc<Shared>, object: &Object<'js>) -> Result<()> {
    let it = Rc::clone(shared);
    let generate = move |ctx: Ctx<'js>, kind: String, length: u32| {
        told(&ctx, it.keys.borrow_mut().generate(&kind, length))
    };
    object.set("generate", Function::new(ctx.clone(), generate)?)?;
    let it = Rc::clone(shared);
    let import = move |ctx: Ctx<'js>, kind: String, format: String, data: String| {
        let import = || it.keys.borrow_mut().import(&kind, &format, &bytes(&data)?);
        told(&ctx, import())
    };
    object.set("import", Function::new(ctx.clone(), import)?)?;
    let it = Rc::clone(shared);
    let export = move |ctx: Ctx<'js>, key: u32, format: String| {
        given(&ctx, it.keys.borrow().export(key, &format))
    };
    object.set("export", Function::new(ctx.clone(), export)?)?;
    let it = Rc::clone(shared);
    let public = move |ctx: Ctx<'js>, key: u32| told(&ctx, it.keys.borrow_mut().public(key));
    object.set("public", Function::new(ctx.clone(), public)?)?;
    let it = Rc::clone(shared);
    let drop = move |key: u32| it.keys.borrow_mut().forget(key);
    object.set("drop", Function::new(ctx.clone(), drop)?)
}

fn using_natives<'js>(ctx: &Ctx<'js>, shared: &Rc<Shared>, object: &Object<'js>) -> Result<()> {
    let it = Rc::clone(shared);
    let sign = move |ctx: Ctx<'js>, key: u32, hash: String, data: String| {
        let sign = || it.keys.borrow().get(key)?.sign(&hash, &bytes(&data)?);
        given(&ctx, sign())
    };
    object.set("sign", Function::new(ctx.clone(), sign)?)?;
    let it = Rc::clone(shared);
    let verify = move |ctx: Ctx<'js>, key: u32, hash: String, signature: String, data: String| {
        let verify = || {
            let (signature, data) = (bytes(&signature)?, bytes(&data)?);
            it.keys.borrow().get(key)?.verify(&hash, &signature, &data)
        };
        told(&ctx, verify())
    };
    object.set("verify", Function::new(ctx.clone(), verify)?)?;
    let it = Rc::clone(shared);
    let cipher =
        move |ctx: Ctx<'js>, key: u32, word: String, iv: String, more: String, data: String| {
            let cipher = || {
                let (iv, more, data) = (bytes(&iv)?, bytes(&more)?, bytes(&data)?);
                compute::aes_gcm(
                    it.keys.borrow().get(key)?.secret()?,
                    &word,
                    &iv,
                    &more,
                    &data,
                )
            };
            given(&ctx, cipher())
        };
    object.set("cipher", Function::new(ctx.clone(), cipher)?)?;
    let it = Rc::clone(shared);
    let agree = move |ctx: Ctx<'js>, key: u32, other: u32| {
        let keys = it.keys.borrow();
        let agree = || keys.get(key)?.agree(keys.get(other)?);
        given(&ctx, agree())
    };
    object.set("agree", Function::new(ctx.clone(), agree)?)?;
    let it = Rc::clone(shared);
    let derive = move |ctx: Ctx<'js>, key: u32, how: Vec<String>, number: u32, length: u32| {
        let derive = || {
            let keys = it.keys.borrow();
            compute::derive(keys.get(key)?.secret()?, &how, number, length)
        };
        given(&ctx, derive())
    };
    object.set("derive", Function::new(ctx.clone(), derive)?)
}

fn bytes(base64: &str) -> std::result::Result<Vec<u8>, Refused> {
    decode(base64).ok_or(("OperationError", "the bytes did not arrive".to_owned()))
}

fn told<T>(ctx: &Ctx<'_>, outcome: std::result::Result<T, Refused>) -> Result<T> {
    outcome.map_err(|(name, reason)| Exception::throw_message(ctx, &format!("{name}: {reason}")))
}

fn given<'js>(
    ctx: &Ctx<'js>,
    outcome: std::result::Result<Vec<u8>, Refused>,
) -> Result<ArrayBuffer<'js>> {
    ArrayBuffer::new(ctx.clone(), told(ctx, outcome)?)
}

/// The bytes of a base64 text that the engine wrote.
pub(super) fn decode(base64: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => Some(c - b'A'),
        b'a'..=b'z' => Some(c - b'a' + 26),
        b'0'..=b'9' => Some(c - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let mut out = Vec::with_capacity(base64.len() / 4 * 3);
    for group in base64.trim_end_matches('=').as_bytes().chunks(4) {
        let mut word = 0_u32;
        for c in group {
            word = word << 6 | u32::from(digit(*c)?);
        }
        let count = group.len() - 1;
        word <<= 6 * (4 - group.len());
        out.extend_from_slice(word.to_be_bytes().get(1..=count)?);
    }
    Some(out)
}

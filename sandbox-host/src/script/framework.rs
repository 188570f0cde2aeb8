//! Our own JavaScript, `framework/*.js`, as bytecode.

use rquickjs::loader::Loader;
use rquickjs::loader::bundle::Bundle;
use rquickjs::{Ctx, Error, Function, Object, Result};

type Files = &'static [(&'static str, &'static [u8])];

// Built by `framework/compile.rs` together with the program, by the same
// version of the engine. Bytecode from anywhere else must never come here: the
// engine trusts it.
static FILES: Files = include!(concat!(env!("OUT_DIR"), "/framework.rs"));

/// What every component finds, in the order in which the files need each other.
///
/// The rest is loaded when it is first touched, see `framework/base.js`.
pub(super) const AT_START: [&str; 8] = [
    "base",
    "timers",
    "console",
    "environment",
    "random",
    "minibus",
    "factory",
    "loader",
];

/// Evaluates one file and lets it install itself on `host`.
pub(super) fn install<'js>(ctx: &Ctx<'js>, host: &Object<'js>, name: &str) -> Result<()> {
    // The module loader of the runtime stays unset, so that `import()` finds nothing.
    let module = Bundle(FILES).load(ctx, name, None)?;
    let (module, evaluated) = module.eval()?;
    evaluated.result::<()>().unwrap_or(Err(Error::WouldBlock))?;
    module
        .get::<_, Function<'js>>("default")?
        .call((host.clone(),))
}

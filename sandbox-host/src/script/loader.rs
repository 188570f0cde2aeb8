//! One component from its text to running, and away again.
//!
//! read → evaluate → construct → start, each a turn of its own. Every failure,
//! at any stage, leaves nothing behind: its address is free for another attempt.

use protocol::Address;
use protocol::frame::{ComponentKind, HostFrame, Load, LoadFailed, LoadStage};
use rquickjs::context::EvalOptions;
use rquickjs::{Ctx, Persistent, Value};

use super::engine::Engine;
use super::failure::{Failure, cut};

type Stopped = (LoadStage, Failure);

impl Engine {
    pub(super) fn load(&self, load: &Load<'_>, source: &[u8]) {
        let component = load.component;
        if self.shared.components.borrow().contains_key(component) {
            let failure = Failure::new(format!("Instance {component} already exist!"));
            return self.say_failed(component, LoadStage::Construct, &failure);
        }
        match self.try_load(load, source) {
            Ok(()) => self.shared.say(&HostFrame::Loaded { component }),
            Err((stage, failure)) => {
                self.forget(component);
                self.say_failed(component, stage, &failure);
            }
        }
        self.run_jobs();
    }

    pub(super) fn unload(&self, component: &str) {
        self.forget(component);
        self.shared.say(&HostFrame::Unloaded { component });
        self.run_jobs();
    }

    fn try_load(&self, load: &Load<'_>, source: &[u8]) -> Result<(), Stopped> {
        let Ok(source) = std::str::from_utf8(source) else {
            return Err((LoadStage::Parse, Failure::new("the source is not UTF-8")));
        };
        let file = if load.file.is_empty() {
            load.name
        } else {
            load.file
        };
        // `./` is where our own files are.
        let file = file.trim_start_matches(['.', '/']);
        self.shared
            .components
            .borrow_mut()
            .insert(load.component.to_owned(), file.to_owned());
        let run = self.evaluate(load, file, source)?;
        self.construct(load, run)?;
        let started = self.turn(self.shared.limits.load, |ctx| {
            self.call(&ctx, "start", (load.component, load.config))
        });
        started.map_err(|failure| (LoadStage::Start, failure))
    }

    // A `System.register` text runs at once; of any other comes a function that
    // runs it, so that what it declares at its top is its own.
    fn evaluate(
        &self,
        load: &Load<'_>,
        file: &str,
        source: &str,
    ) -> Result<Persistent<Value<'static>>, Stopped> {
        let domain = load
            .component
            .parse::<Address>()
            .map(|address| address.domain().to_owned());
        let options = || {
            let mut options = EvalOptions::default();
            // Published bundles rely on sloppy code: `this` is the window.
            options.strict = false;
            options.filename = Some(file.replace('\0', ""));
            options
        };
        let text = if is_system_module(source) {
            source.to_owned()
        } else {
            wrapped(source)
        };
        let outcome = self.turn(self.shared.limits.load, |ctx| {
            let domain = domain.unwrap_or_default();
            self.call(&ctx, "locate", (domain, kind(load.kind), load.config))?;
            self.call(&ctx, "enter", (load.component,))?;
            let value: Value<'_> = ctx.eval_with_options(text, options())?;
            Ok(Persistent::save(&ctx, value))
        });
        outcome.map_err(|failure| {
            let stage = if failure.is_syntax {
                LoadStage::Parse
            } else {
                LoadStage::Construct
            };
            (stage, failure)
        })
    }

    fn construct(&self, load: &Load<'_>, run: Persistent<Value<'static>>) -> Result<(), Stopped> {
        let outcome = self.turn(self.shared.limits.load, |ctx: Ctx<'_>| {
            let run = run.restore(&ctx)?;
            let run = if run.is_function() {
                run
            } else {
                Value::new_undefined(ctx.clone())
            };
            self.call(
                &ctx,
                "construct",
                (load.component, load.name, kind(load.kind), run),
            )
        });
        outcome.map_err(|failure| (LoadStage::Construct, failure))
    }

    // Its listeners, requests and timers end with it.
    fn forget(&self, component: &str) {
        let outcome = self.turn(self.shared.limits.turn, |ctx| {
            self.call(&ctx, "unload", (component,))
        });
        if let Err(failure) = outcome {
            self.shared.log_failure(component, &failure);
        }
        self.shared.components.borrow_mut().remove(component);
    }

    fn say_failed(&self, component: &str, stage: LoadStage, failure: &Failure) {
        let place = cut(failure.place.clone(), 1024);
        let frame = LoadFailed {
            component,
            stage,
            reason: &failure.reason,
            place: &place,
            stack: &failure.stack,
        };
        self.shared.say(&HostFrame::LoadFailed(frame));
    }
}

fn kind(kind: ComponentKind) -> &'static str {
    match kind {
        ComponentKind::Hyperty => "hyperty",
        ComponentKind::ProtoStub => "protostub",
        ComponentKind::IdpProxy => "idp-proxy",
    }
}

// On the first line, so that the lines keep their numbers. A global `activate`
// of the published loaders is a local one here.
fn wrapped(source: &str) -> String {
    format!(
        "(function (module, exports, define) {{{source}\n\
         ;return typeof activate === 'undefined' ? undefined : activate;\n}})"
    )
}

/// Whether the first statement calls `System.register` (spec messaging E.1).
fn is_system_module(source: &str) -> bool {
    let mut rest = source;
    loop {
        rest =
            rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ';' | '\u{feff}'));
        let after = if let Some(line) = rest.strip_prefix("//") {
            line.split_once('\n')
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/")
        } else {
            let directive = rest
                .strip_prefix("'use strict'")
                .or(rest.strip_prefix("\"use strict\""));
            directive.map(|after| ("", after))
        };
        match after {
            Some((_, after)) => rest = after,
            None => return rest.starts_with("System.register"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_statement_tells_a_system_module() {
        assert!(is_system_module("System.register([], f)"));
        assert!(is_system_module(
            "\u{feff}/* a */ // b\n 'use strict';\nSystem.register([], f)"
        ));
        assert!(!is_system_module("var System; System.register([], f)"));
        assert!(!is_system_module("// System.register("));
        assert!(!is_system_module(""));
    }
}

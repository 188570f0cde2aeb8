//! What a component threw, made readable: reason, place and stack.

use rquickjs::{Coerced, Ctx, Error, FromJs, Object, Value};

use super::limits::{REASON_BYTES_MAX, STACK_BYTES_MAX};

/// Stack lines of our own framework begin with this file prefix.
const OWN_FILES: &str = "./hyperty/";

/// Something that was thrown, or that the engine refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// One line.
    pub(super) reason: String,
    /// `file:line:column`, or empty.
    pub(super) place: String,
    /// One call per line, without our own framework, or empty.
    pub(super) stack: String,
    /// The text does not parse.
    pub(super) is_syntax: bool,
    /// The engine ended it because it ran too long.
    pub(super) is_interruption: bool,
}

impl Failure {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            place: String::new(),
            stack: String::new(),
            is_syntax: false,
            is_interruption: false,
        }
    }

    /// What a failed call of the engine left behind.
    pub(super) fn caught(ctx: &Ctx<'_>, error: &Error) -> Self {
        match error {
            Error::Exception => Self::thrown(ctx, &ctx.catch()),
            Error::Allocation => Self::new("out of memory"),
            other => Self::new(one_line(&other.to_string())),
        }
    }

    /// What a thrown value says of itself.
    ///
    /// The engine throws `null` when there is no memory left for an error.
    pub(super) fn thrown<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> Self {
        if value.is_null() {
            return Self::new("out of memory");
        }
        match value.as_object().filter(|_| value.is_error()) {
            Some(error) => Self::error(ctx, error),
            None => Self::new(format!("thrown: {}", described(ctx, value))),
        }
    }

    fn error<'js>(ctx: &Ctx<'js>, error: &Object<'js>) -> Self {
        let name = text(ctx, error, "name");
        let message = text(ctx, error, "message");
        let raw = text(ctx, error, "stack");
        let is_interruption = name == "InternalError" && message == "interrupted";
        let message = if is_interruption {
            "ran too long without returning".to_owned()
        } else {
            one_line(&message)
        };
        let reason = if message.is_empty() {
            name.clone()
        } else {
            format!("{name}: {message}")
        };
        Self {
            reason: cut(reason, REASON_BYTES_MAX),
            place: place(&raw),
            stack: cut(stack(&raw), STACK_BYTES_MAX),
            is_syntax: name == "SyntaxError",
            is_interruption,
        }
    }
}

fn text<'js>(ctx: &Ctx<'js>, object: &Object<'js>, member: &str) -> String {
    let value = object
        .get::<_, Value<'js>>(member)
        .map(|value| string(ctx, value));
    value.unwrap_or_else(|_| forget(ctx))
}

fn described<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> String {
    let json = if value.is_object() {
        ctx.json_stringify(value.clone()).ok().flatten()
    } else {
        None
    };
    let shown = match json {
        Some(json) => json.to_string().unwrap_or_default(),
        None => string(ctx, value.clone()),
    };
    ctx.catch();
    cut(one_line(&shown), REASON_BYTES_MAX)
}

fn string<'js>(ctx: &Ctx<'js>, value: Value<'js>) -> String {
    if value.is_undefined() {
        return String::new();
    }
    Coerced::<String>::from_js(ctx, value).map_or_else(|_| forget(ctx), |coerced| coerced.0)
}

// Reading an error may throw again; that one is of no interest.
fn forget(ctx: &Ctx<'_>) -> String {
    ctx.catch();
    String::new()
}

/// The `file:line:column` of the first stack line that is the component's.
///
/// The column as well: what a bundler made has one line.
pub(super) fn place(stack: &str) -> String {
    stack
        .lines()
        .filter_map(position)
        .find(|place| !is_own(place))
        .unwrap_or_default()
        .to_owned()
}

/// The file of a place.
pub(super) fn file(place: &str) -> &str {
    let mut rest = place;
    while let Some((before, _)) = rest.rsplit_once(':').filter(|(_, last)| is_number(last)) {
        rest = before;
    }
    rest
}

/// The stack without the lines of our own framework.
pub(super) fn stack(raw: &str) -> String {
    let lines = raw
        .lines()
        .filter(|line| position(line).is_none_or(|place| !is_own(place)));
    lines
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

// `    at name (file:3:14)` or `    at file:3:14`; native functions have no place.
fn position(line: &str) -> Option<&str> {
    let rest = line.trim().strip_prefix("at ")?;
    let place = match rest.rsplit_once('(') {
        Some((_, inner)) => inner.strip_suffix(')')?,
        None => rest,
    };
    place
        .rsplit_once(':')
        .filter(|(_, last)| is_number(last))
        .map(|_| place)
}

fn is_own(place: &str) -> bool {
    place.starts_with(OWN_FILES)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn one_line(text: &str) -> String {
    text.split(['\n', '\r'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// At most so many bytes, cut between two characters.
pub(super) fn cut(mut text: String, bytes: usize) -> String {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes.saturating_sub("…".len())));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const STACK: &str = "    at call (./hyperty/minibus.js:4:2)\n    at ask (Board.hy.js:27:11)\n    at <eval> (native)\n    at Board.hy.js:9:1\n";

    #[test]
    fn the_place_is_the_first_line_that_is_the_components() {
        assert_eq!(place(STACK), "Board.hy.js:27:11");
        assert_eq!(place("    at Board.hy.js:9:1\n"), "Board.hy.js:9:1");
        assert_eq!(file("Board.hy.js:9:1"), "Board.hy.js");
        assert_eq!(place("    at f (native)\n"), "");
    }

    #[test]
    fn our_own_lines_are_left_out_of_a_stack() {
        assert_eq!(
            stack(STACK),
            "    at ask (Board.hy.js:27:11)\n    at <eval> (native)\n    at Board.hy.js:9:1"
        );
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(cut("äöü".to_owned(), 6), "äöü");
        assert_eq!(cut("äöüß".to_owned(), 6), "ä…");
    }
}

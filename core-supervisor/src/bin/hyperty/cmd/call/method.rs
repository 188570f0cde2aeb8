//! A method or a member of a hyperty, at its `/api`.

use protocol::client::rpc::{Returned, Target};
use serde::Serialize;
use serde_json::Value;

use super::{Args, follow, show};
use crate::Context;
use crate::cmd::Outcome;
use crate::session::Session;
use crate::target;

/// What is wanted of a hyperty; the last name is the method or the member.
#[derive(Debug, PartialEq)]
pub(super) enum Wish {
    Call(Vec<String>, Vec<Value>),
    Get(Vec<String>),
    Set(Vec<String>, Value),
}

#[derive(Debug, Serialize)]
struct Item<'a> {
    from: &'a str,
    value: &'a Value,
}

pub(super) fn run(args: &Args, wish: Wish, context: &Context) -> Outcome {
    let mut session = Session::open(context)?;
    let address = target::hyperty(&mut session, &args.to)?;
    let mut functions = follow::Functions::default();
    let wish = match wish {
        Wish::Call(path, arguments) if args.follow => {
            Wish::Call(path, functions.replace(&mut session, &address, arguments)?)
        }
        other => other,
    };
    let returned = ask(&mut session, &args.to, &address, &wish)?;
    let item = Item {
        from: &address,
        value: &returned.value,
    };
    let schema = "hyperty.value/1";
    if args.follow {
        context
            .out
            .item(schema, &item, |_| show::value(&returned.value))?;
        // What was returned is held meanwhile: a controller that is let go ends its events.
        return follow::run(&mut session, &functions, &returned, args, context);
    }
    context
        .out
        .answer(schema, &item, |_| show::value(&returned.value))?;
    Ok(())
}

fn ask(
    session: &mut Session,
    written: &str,
    address: &str,
    wish: &Wish,
) -> Result<Returned, crate::error::Failure> {
    let (Wish::Call(path, _) | Wish::Get(path) | Wish::Set(path, _)) = wish;
    let (last, path) = path
        .split_last()
        .map_or(("", &[][..]), |(last, path)| (last, path));
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let target = Target::instance(address).at(&path);
    let request = match wish {
        Wish::Call(_, arguments) => target.call(last, arguments),
        Wish::Get(_) => target.get(last),
        Wish::Set(_, value) => target.set(last, value),
    };
    session.ask_api(written, target, &request)
}

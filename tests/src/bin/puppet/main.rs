//! A native component that does what its configuration says: `{"act": "…"}`.
//!
//! One program for all the good and bad manners that a test needs. It runs
//! locked, so whatever it says goes over its link.

use std::process::ExitCode;

use serde_json::Value;

mod escape;
mod manners;
mod part;
mod slots;

use part::Part;

fn main() -> ExitCode {
    let Some(mut part) = Part::learn() else {
        return ExitCode::from(70);
    };
    let act = part.text("act").to_owned();
    match act.as_str() {
        "echo" => manners::echo(&mut part),
        "ask" => manners::ask(&mut part),
        "never-ready" => manners::never_ready(&mut part),
        "never-reads" => manners::never_reads(&mut part),
        "say-bytes" => manners::say_bytes(&mut part),
        "hello-again" => manners::hello_again(&mut part),
        "forge" => manners::forge(&mut part),
        "stray-reply" => manners::stray_reply(&mut part),
        "flood" => manners::flood(&mut part),
        "say-body" => manners::say_body(&mut part),
        "exit-unready" => return ExitCode::from(status(&part)),
        "exit" => {
            part.ready();
            return ExitCode::from(status(&part));
        }
        "panic" => {
            part.ready();
            panic!("as the configuration says");
        }
        "abort" => {
            part.ready();
            std::process::abort();
        }
        "forbidden-call" => {
            part.ready();
            escape::leave();
        }
        "hog" => manners::hog(&mut part),
        "spin" => manners::spin(&mut part),
        "escape" => escape::escape(&mut part),
        "hoard" => slots::hoard(&mut part),
        "scribble" => slots::scribble(&mut part),
        other => part.fail(&format!("`{other}` is no act of the puppet")),
    }
    ExitCode::SUCCESS
}

fn status(part: &Part) -> u8 {
    let code = part.config().get("code").and_then(Value::as_u64);
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(3)
}

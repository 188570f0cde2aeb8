//! A message with a body, to the address itself.

use protocol::message::MessageKind;
use serde_json::{Value, json};

use super::Args;
use crate::cmd::Outcome;
use crate::cmd::send::{check_kind, json_or_text, read_body};
use crate::output::{Style, Tone, clean, escape};
use crate::session::{Answer, Session};
use crate::{Context, target};

pub(super) fn run(args: &Args, body: Option<&str>, context: &Context) -> Outcome {
    let body = match &args.method {
        Some(method) => {
            let params: Vec<_> = args
                .params
                .iter()
                .map(|param| json_or_text(param))
                .collect();
            json!({"method": method, "params": params})
        }
        None => body.map_or_else(|| Ok(json!({})), read_body)?,
    };
    let kind = match (&args.kind, &args.method) {
        (Some(kind), _) => kind.as_str(),
        (None, Some(_)) => MessageKind::Execute.as_str(),
        (None, None) => MessageKind::Read.as_str(),
    };
    check_kind(kind)?;
    let mut session = Session::open(context)?;
    let to = target::resolve(&mut session, &args.to)?;
    let answer = session.call(kind, &to, &body)?;
    if !answer.code.is_success() && answer.code.0 != 0 {
        return Err(session.explain(kind, &to, &answer));
    }
    let said = json!({
        "from": answer.from, "code": answer.code.0, "body": body_of(&answer),
    });
    context
        .out
        .answer("hyperty.call/1", &said, |style| text(&answer, style))?;
    Ok(())
}

fn text(answer: &Answer, style: Style) -> String {
    let code = style.paint(Tone::Good, &answer.code.to_string());
    let from = style.paint(Tone::Name, &clean(&answer.from));
    let body = serde_json::to_string_pretty(&body_of(answer)).unwrap_or_default();
    format!("{code} from {from}\n{}\n", escape::clean_lines(&body))
}

fn body_of(answer: &Answer) -> Value {
    let text = || Value::String(String::from_utf8_lossy(&answer.body).into_owned());
    serde_json::from_slice(&answer.body).unwrap_or_else(|_| text())
}

#[cfg(test)]
mod tests {
    use protocol::code::Code;

    use super::*;

    #[test]
    fn an_answer_shows_its_code_its_author_and_its_body() {
        let answer = Answer {
            code: Code::OK,
            from: "hyperty://acme.example/42".to_owned(),
            body: br#"{"code":200,"value":{"text":"hi \u001b[2J"}}"#.to_vec(),
        };

        insta::assert_snapshot!(text(&answer, Style::PLAIN));
    }
}

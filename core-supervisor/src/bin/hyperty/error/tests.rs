//! The error form, by every road to it.

use protocol::client::Error;
use protocol::code::Code;

use super::*;
use crate::cmd::why::tests::{denial, not_permitted};
use crate::session::failure;

const TERMINAL: Style = Style {
    colour: false,
    unicode: true,
    width: Some(100),
};

#[test]
fn a_forbidden_message_is_told_by_who_rule_kind_and_decision() {
    let failure = failure::of_decision(&denial());

    assert_eq!(failure.exit(), Exit::Failed);
    insta::assert_snapshot!(failure.text(TERMINAL));
}

#[test]
fn a_message_that_no_rule_permits_is_told_with_the_rule_to_add() {
    insta::assert_snapshot!(failure::of_decision(&not_permitted()).text(Style::PLAIN));
}

#[test]
fn a_missing_supervisor_is_told_with_how_to_start_one() {
    let source = io::ErrorKind::NotFound.into();
    let path = "/run/user/1000/hyperty/bus.sock";
    let error = Error::Connect {
        path: path.into(),
        source,
    };

    let failure = failure::of_link(error, path.as_ref());

    assert_eq!(failure.exit(), Exit::Unreachable);
    insta::assert_snapshot!(failure.text(Style::PLAIN));
}

#[test]
fn an_answer_with_a_number_ends_with_the_status_that_it_means() {
    let exit = |code| failure::of_code(code, "some reason").exit();

    assert_eq!(exit(Code::NOT_FOUND), Exit::NotFound);
    assert_eq!(exit(Code::FORBIDDEN), Exit::Failed);
    assert_eq!(exit(Code::UNAUTHORIZED), Exit::Consent);
    assert_eq!(exit(Code::TIMEOUT), Exit::TimedOut);
    assert_eq!(exit(Code::FAILED), Exit::Failed);
}

#[test]
fn an_error_for_programs_is_one_line_of_json() {
    insta::assert_snapshot!(failure::of_decision(&denial()).json());
}

#[test]
fn a_refusal_is_read_under_every_name_that_the_field_gives_its_reason() {
    let reason = |body: &[u8]| failure::refusal(Code::FAILED, body).reason;

    assert_eq!(reason(br#"{"desc":"a","description":"b"}"#), "a");
    assert_eq!(reason(br#"{"description":"b"}"#), "b");
    assert_eq!(reason(br#"{"error":"c"}"#), "c");
    assert_eq!(
        reason(b"not json"),
        "it was answered with failure and no reason"
    );
}

#[test]
fn foreign_text_in_an_error_cannot_reach_the_terminal() {
    let text = Failure::new(Id::Failed, "bad \u{1b}[2J")
        .who("a\u{202e}", "create", "b")
        .text(TERMINAL);

    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));

    assert_eq!(failure.exit(), Exit::Ok);
}

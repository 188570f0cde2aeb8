//! The command line as a whole.

use clap::CommandFactory;
use clap::error::ErrorKind;

use super::*;

fn help_of(words: &[&str]) -> String {
    let mut command = Cli::command();
    command.build();
    for word in words {
        command = command.find_subcommand(word).unwrap().clone();
    }
    // A fixed width: the tests must not depend on the terminal they run in.
    command.term_width(100).render_help().to_string()
}

#[test]
fn the_definition_holds_together() {
    Cli::command().debug_assert();
}

#[test]
fn the_root_help_names_every_command() {
    let help = help_of(&[]);
    let command = Cli::command();
    let missing: Vec<_> = command
        .get_subcommands()
        .map(clap::Command::get_name)
        .filter(|name| !help.contains(&format!("\n  {name} ")))
        .collect();

    assert_eq!(missing, [""; 0]);
}

#[test]
fn every_command_shows_examples() {
    let command = Cli::command();
    let without: Vec<_> = command
        .get_subcommands()
        .filter(|sub| {
            !sub.get_after_help()
                .is_some_and(|help| help.to_string().contains("Examples:"))
        })
        .map(clap::Command::get_name)
        .collect();

    assert_eq!(without, [""; 0]);
}

#[test]
fn the_helps_read_well() {
    let all = [
        "up",
        "run",
        "down",
        "demo",
        "ps",
        "inspect",
        "deploy",
        "stop",
        "reload",
        "new",
        "build",
        "dev",
        "test",
        "record",
        "logs",
        "send",
        "call",
        "api",
        "listen",
        "tap",
        "why",
        "policy",
        "registry",
        "catalogue",
        "debug",
        "shell",
        "doctor",
        "config",
        "completions",
        "version",
        "help",
    ];

    insta::assert_snapshot!("help", help_of(&[]));
    for name in all {
        insta::assert_snapshot!(format!("help_{name}"), help_of(&[name]));
    }
}

#[test]
fn a_misspelt_command_is_answered_with_the_right_one() {
    let error = Cli::try_parse_from(["hyperty", "depoly", "echo"]).unwrap_err();

    assert_eq!(error.kind(), ErrorKind::InvalidSubcommand);
    assert!(error.to_string().contains("'deploy'"), "{error}");
}

#[test]
fn global_options_are_taken_after_the_command() {
    let cli = Cli::try_parse_from(["hyperty", "ps", "--json", "--timeout", "500ms"]).unwrap();

    assert!(cli.global.json);
    assert_eq!(cli.global.timeout, Some(Duration::from_millis(500)));
}

#[test]
fn a_question_about_a_decision_needs_the_decision_or_both_ends() {
    let asked = |words: &[&str]| Cli::try_parse_from([&["hyperty", "why"], words].concat()).is_ok();

    assert!(asked(&["d-1-7"]));
    assert!(asked(&["--from", "a", "--to", "b"]));
    assert!(!asked(&[]));
    assert!(!asked(&["--from", "a"]));
    assert!(!asked(&["d-1-7", "--from", "a", "--to", "b"]));
}

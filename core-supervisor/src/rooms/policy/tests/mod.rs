//! Through the door: files and questions in, answers with their reasons out.

mod agreement;
mod loading;
mod looking;
mod shipped_rules;

use std::sync::LazyLock;

use protocol::Address;
use protocol::api::connections::Source;
use protocol::api::policy::{Explanation, Verdict};
use protocol::frame::Level;

use super::*;

/// A party that owns its own texts.
#[derive(Debug, Clone)]
struct Someone {
    kind: PartyKind,
    address: Address,
    provider: String,
    name: String,
    user: String,
    level: Option<Level>,
    digest: String,
}

impl Someone {
    fn party(&self) -> Party<'_> {
        Party {
            kind: self.kind,
            address: &self.address,
            provider: &self.provider,
            name: &self.name,
            user: &self.user,
            level: self.level,
            digest: &self.digest,
        }
    }
}

fn someone(kind: PartyKind, address: &str, provider: &str, name: &str) -> Someone {
    Someone {
        kind,
        address: address.parse().unwrap(),
        provider: provider.to_owned(),
        name: name.to_owned(),
        user: String::new(),
        level: kind.is_component().then_some(Level::L2),
        digest: String::new(),
    }
}

fn hyperty(provider: &str) -> Someone {
    someone(
        PartyKind::Hyperty,
        &format!("hyperty://{provider}/1"),
        provider,
        "Chat",
    )
}

fn stub(provider: &str) -> Someone {
    someone(
        PartyKind::ProtoStub,
        &format!("hyperty-runtime://rt/stub/{provider}"),
        provider,
        "Stub",
    )
}

fn idp_proxy(provider: &str) -> Someone {
    someone(
        PartyKind::IdpProxy,
        &format!("domain-idp://{provider}"),
        provider,
        "Idp",
    )
}

fn application(provider: &str) -> Someone {
    someone(
        PartyKind::Application,
        &format!("app://{provider}/1"),
        provider,
        "App",
    )
}

fn remote(address: &str) -> Someone {
    someone(PartyKind::Remote, address, "", "")
}

fn host(address: &str) -> Someone {
    someone(PartyKind::Host, address, "", "h.example")
}

fn room(path: &str) -> Someone {
    someone(
        PartyKind::Room,
        &format!("hyperty-runtime://rt/1/{path}"),
        "",
        path,
    )
}

fn operator() -> Someone {
    someone(
        PartyKind::Operator,
        "hyperty-runtime://rt/1/operator/7",
        "",
        "",
    )
}

/// The parsed word of a test's table: a type of message, or the two other acts.
fn act(word: &str) -> Act<'_> {
    let word = word.strip_prefix(OBSERVING).unwrap_or(word);
    match word.strip_prefix(REPORTING).unwrap_or(word) {
        "LISTEN" => Act::Listen,
        "DEPLOY" => Act::Deploy,
        "REACH" => Act::Reach,
        "CONNECT" => Act::Connect(Some(Source::Descriptor)),
        "CONNECT granted" => Act::Connect(Some(Source::Operator)),
        "CONNECT revoked" => Act::Connect(Some(Source::Revoked)),
        "CONNECT named" => Act::Connect(Some(Source::Node)),
        "BIND" => Act::Bind(Some(Source::Descriptor)),
        "BIND granted" => Act::Bind(Some(Source::Operator)),
        word => Act::Message(word),
    }
}

/// In front of a word: the sender observes what it addresses.
const OBSERVING: &str = "OBSERVER ";
/// The same: it reports it.
const REPORTING: &str = "REPORTER ";

fn question<'a>(from: &'a Someone, word: &'a str, to: &'a Someone) -> Question<'a> {
    Question {
        act: act(word),
        from: from.party(),
        to: to.party(),
        relation: if word.starts_with(OBSERVING) {
            Relation::Observer
        } else if word.starts_with(REPORTING) {
            Relation::Reporter
        } else {
            Relation::Stranger
        },
        body: None,
        wall_us: 0,
    }
}

fn check(set: &PolicySet, from: &Someone, word: &str, to: &Someone) -> Explanation {
    let ruling = set.decide(&question(from, word, to));
    assert_eq!(
        ruling.permit,
        ruling.explanation.verdict == Verdict::Permitted
    );
    ruling.explanation
}

fn verdict(set: &PolicySet, from: &Someone, word: &str, to: &Someone) -> Verdict {
    check(set, from, word, to).verdict
}

fn file(text: &str) -> PolicyFile {
    PolicyFile {
        name: "mine.cedar".to_owned(),
        text: text.to_owned(),
    }
}

/// The shipped rules, compiled once for all tests.
fn by_default() -> PolicySet {
    static SET: LazyLock<PolicySet> = LazyLock::new(|| compile(&shipped()).unwrap());
    SET.clone()
}

/// The shipped rules and these.
fn with(text: &str) -> PolicySet {
    let mut files = shipped();
    files.push(file(text));
    compile(&files).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// These rules alone.
fn only(text: &str) -> PolicySet {
    compile(&[file(text)]).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// What is wrong with a file, as `place: message (help)`.
fn problems(text: &str) -> Vec<String> {
    let problems = compile(&[file(text)])
        .expect_err("the rules compile")
        .problems;
    let line = |problem: Problem| match problem.help.as_str() {
        "" => format!("{}: {}", problem.place, problem.message),
        help => format!("{}: {} ({help})", problem.place, problem.message),
    };
    problems.into_iter().map(line).collect()
}

//! A rule file of the operator's: the set compiles whole, or every problem has a place and
//! a message. The shipped files are left out: they are the same every time, and slow.

use core_supervisor::rooms::policy::{PolicyFile, compile};

/// Reads the bytes.
pub fn read(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let name = "policy.d/50-mine.cedar";
    let files = [PolicyFile {
        name: name.to_owned(),
        text: text.to_owned(),
    }];
    let Err(problems) = compile(&files) else {
        return;
    };
    assert!(!problems.problems.is_empty(), "refused without a reason");
    for problem in &problems.problems {
        assert!(problem.place.starts_with(name), "blames {}", problem.place);
        assert!(!problem.message.is_empty());
    }
}

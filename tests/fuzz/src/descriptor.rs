//! A descriptor, as a provider wrote it: bounded, or refused with its file's name.

use core_supervisor::rooms::catalogue::limits::{
    CONFIGURATION_BYTES_MAX, NAME_BYTES_MAX, WORD_BYTES_MAX, WORDS_MAX,
};
use core_supervisor::rooms::catalogue::{Found, parse};
use protocol::frame::ComponentKind;

/// Reads the bytes.
pub fn read(bytes: &[u8]) {
    let file = "echo.hy.json";
    let found = Found {
        file,
        name: "echo",
        kind: ComponentKind::Hyperty,
        provider: "example.org",
        domain: "example.org",
    };
    let parsed = match parse(bytes, found) {
        Ok(parsed) => parsed.descriptor,
        Err(refused) => {
            assert!(refused.reason.contains(file), "{}", refused.reason);
            return;
        }
    };
    let configuration = serde_json::to_string(&parsed.configuration).expect("it was JSON");
    assert!(configuration.len() <= CONFIGURATION_BYTES_MAX);
    assert!(!parsed.name.is_empty() && parsed.name.len() <= NAME_BYTES_MAX);
    assert!(!parsed.name.contains(['/', '\0', '\n']));
    for words in [&parsed.hyperty_type, &parsed.data_objects] {
        assert!(words.len() <= WORDS_MAX);
        // `%domain%` is replaced after the word was measured.
        assert!(words.iter().all(|word| word.len() <= 2 * WORD_BYTES_MAX));
    }
}

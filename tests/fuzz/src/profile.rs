//! A sandbox profile: it becomes a filter for both machines, or is refused by name.

#![allow(dead_code, reason = "the build script's modules are used in part")]

#[path = "../../../sandbox-host/build/numbers.rs"]
mod numbers;
#[path = "../../../sandbox-host/build/policy.rs"]
mod policy;
#[path = "../../../sandbox-host/build/tree.rs"]
mod tree;

use std::path::Path;

use tree::Arch;

const COMMON: &str = include_str!("../../../policies/sandbox/common.toml");

/// Reads the bytes.
pub fn read(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let path = Path::new("fuzz.toml");
    match policy::parse(text, path, &base) {
        Ok(profile) => {
            for arch in [Arch::X86_64, Arch::Aarch64] {
                if let Err(refused) = tree::compile(&profile, arch) {
                    assert!(!refused.is_empty());
                }
            }
        }
        Err(refused) => assert!(refused.contains("fuzz.toml") || refused.contains("base")),
    }
}

fn base(name: &str) -> Result<policy::Policy, String> {
    match name {
        "common" => policy::parse(COMMON, Path::new("common.toml"), &base),
        other => Err(format!("there is no base `{other}`")),
    }
}

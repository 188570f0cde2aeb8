//! Turns `policies/sandbox/*.toml` into filters and limits, and our own
//! JavaScript into bytecode, once, at build time: no sandbox parses or compiles
//! anything while it starts.

#[path = "framework/compile.rs"]
mod framework;
#[path = "build/numbers.rs"]
mod numbers;
#[path = "build/policy.rs"]
mod policy;
#[path = "build/tree.rs"]
mod tree;

use std::fmt::Write;
use std::path::{Path, PathBuf};

const PROFILES: [&str; 3] = ["script", "native", "connector"];

fn main() {
    if let Err(problem) = generate() {
        println!("cargo::error=policies/sandbox: {problem}");
    }
    if let Err(problem) = framework::compile() {
        println!("cargo::error=framework: {problem}");
    }
}

fn generate() -> Result<(), String> {
    let root = variable("CARGO_MANIFEST_DIR")?;
    let folder = root.join("../policies/sandbox");
    println!("cargo::rerun-if-changed={}", folder.display());
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=build.rs");
    let mut out = String::from(
        "#[allow(clippy::unreadable_literal, reason = \"generated\")]\nstatic PROFILES: &[Profile] = &[\n",
    );
    for name in PROFILES {
        out.push_str(&profile(&folder, name)?);
    }
    out.push_str("];\n");
    std::fs::write(variable("OUT_DIR")?.join("profiles.rs"), out).map_err(|e| e.to_string())
}

fn variable(name: &str) -> Result<PathBuf, String> {
    std::env::var_os(name)
        .map(PathBuf::from)
        .ok_or(format!("no {name}"))
}

fn profile(folder: &Path, name: &str) -> Result<String, String> {
    let policy = policy::read(folder, name)?;
    let mut out = String::new();
    let mut line = |text: String| writeln!(out, "{text}").map_err(|e| e.to_string());
    line(format!("Profile {{ name: {name:?},"))?;
    let policy::Memory { bytes, stack_bytes } = policy.memory;
    line(format!(
        "memory_bytes: {bytes}, stack_bytes: {stack_bytes}, limits: &["
    ))?;
    for limit in policy.limits.values() {
        let policy::Limit {
            resource,
            value,
            memory_times,
            plus,
            ..
        } = limit;
        let (variant, plus) = (capitalised(resource), value + plus);
        line(format!(
            "Limit {{ resource: Resource::{variant}, memory_times: {memory_times}, plus: {plus} }},"
        ))?;
    }
    line("], never: &[".into())?;
    for (call, rule) in &policy.calls {
        if *rule == policy::Rule::Never {
            let (x86_64, aarch64) = (
                number(tree::Arch::X86_64, call)?,
                number(tree::Arch::Aarch64, call)?,
            );
            line(format!("({call:?}, {x86_64}, {aarch64}),"))?;
        }
    }
    line("],".into())?;
    for (field, arch) in [
        ("x86_64", tree::Arch::X86_64),
        ("aarch64", tree::Arch::Aarch64),
    ] {
        line(format!("{field}: &["))?;
        for (code, jt, jf, k) in tree::compile(&policy, arch)? {
            line(format!(
                "sock_filter {{ code: {code}, jt: {jt}, jf: {jf}, k: {k:#x} }},"
            ))?;
        }
        line("],".into())?;
    }
    line("},".into())?;
    Ok(out)
}

// -1 where the machine has no such call.
fn number(arch: tree::Arch, call: &str) -> Result<i64, String> {
    Ok(arch.number(call)?.map_or(-1, i64::from))
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_ascii_uppercase())
        .into_iter()
        .chain(letters)
        .collect()
}

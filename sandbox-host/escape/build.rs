//! Compiles the attempts into one static program, which `hyperty-escape` carries in itself.

// A build script that cannot go on says why and ends.
#![allow(clippy::expect_used)]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    println!("cargo::rerun-if-changed=attempts");
    compile(&sources(Path::new("attempts")), &out.join("attempts"));
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().expect("the attempts are there");
    let mut sources: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|it| it == "c"))
        .collect();
    sources.sort();
    sources
}

fn compile(sources: &[PathBuf], program: &Path) {
    let compiler = cc::Build::new().get_compiler();
    let mut command: Command = compiler.to_command();
    command
        .args([
            "-O1", "-g0", "-s", "-static", "-pthread", "-Wall", "-Wextra",
        ])
        .args(sources)
        .arg("-o")
        .arg(program);
    let status = command.status().expect("the C compiler can be executed");
    assert!(status.success(), "the attempts do not compile: {command:?}");
}

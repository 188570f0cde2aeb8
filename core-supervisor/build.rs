//! Lists the sources of the crate `protocol`, which `hyperty new` writes into projects in Rust.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=../protocol/src");
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let sources = here.join("../protocol/src").canonicalize()?;
    let mut files = Vec::new();
    collect(&sources, &mut files)?;
    files.sort();
    let mut list = "&[\n".to_owned();
    for file in files {
        let name = Path::new("src").join(file.strip_prefix(&sources).unwrap_or(&file));
        let [name, file] = [&name, &file].map(|path| path.display().to_string());
        // `include_str!` has the compiler watch the text.
        let _ = writeln!(list, "({name:?}, include_str!({file:?})),");
    }
    list.push(']');
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("protocol_sources.rs"), list)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

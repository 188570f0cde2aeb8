//! Turns the framework into bytecode when the sandbox host is built.
//!
//! Parsing 50 kB of JavaScript would cost every sandbox milliseconds at its
//! start, and memory for the text. File names and line numbers are kept for
//! stack traces, the text is not.

use std::path::{Path, PathBuf};

use rquickjs::{Context, Module, Runtime, WriteOptions};

/// Compiles every `framework/*.js` into `OUT_DIR`, with a table `framework.rs`.
pub(crate) fn compile() -> Result<(), String> {
    println!("cargo::rerun-if-changed=framework");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("no OUT_DIR")?);
    let rows: Result<String, String> = sources()?.iter().map(|path| row(path, &out)).collect();
    write(
        &out.join("framework.rs"),
        format!("&[{}]", rows?).as_bytes(),
    )
}

fn sources() -> Result<Vec<PathBuf>, String> {
    let folder = std::fs::read_dir("framework").map_err(|error| error.to_string())?;
    let paths = folder.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let is_script = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "js");
    let mut sources: Vec<PathBuf> = paths.filter(is_script).collect();
    sources.sort();
    Ok(sources)
}

fn row(path: &Path, out: &Path) -> Result<String, String> {
    let name = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .ok_or("a file name is no word")?;
    let file = format!("{name}.bytecode");
    let source = std::fs::read(path).map_err(|error| error.to_string())?;
    write(&out.join(&file), &bytecode(name, source)?)?;
    Ok(format!("({name:?}, include_bytes!({file:?}).as_slice()),"))
}

fn bytecode(name: &str, source: Vec<u8>) -> Result<Vec<u8>, String> {
    let options = WriteOptions {
        strip_source: true,
        ..WriteOptions::default()
    };
    let runtime = Runtime::new().map_err(|error| error.to_string())?;
    let context = Context::full(&runtime).map_err(|error| error.to_string())?;
    context.with(|ctx| {
        // The prefix tells our own frames from those of components in a stack, and
        // no `import()` can name it: a leading `./` is resolved away.
        Module::declare(ctx.clone(), format!("./hyperty/{name}.js"), source)
            .and_then(|module| module.write(options))
            .map_err(|_| format!("{name}.js: {:?}", ctx.catch()))
    })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    std::fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}

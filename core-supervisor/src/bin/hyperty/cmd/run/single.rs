//! A single file as a catalogue: where it stands in one, or one made around it.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::Target;
use crate::error::{Failure, Id};

/// The folders of a catalogue, and the ending of what they hold.
const FOLDERS: [(&str, &str); 3] = [
    ("hyperty", "hy"),
    ("protocolstub", "ps"),
    ("idp-proxy", "idp"),
];

/// The provider of a file that has no descriptor.
const PROVIDER: &str = "run.local";

/// The first bytes of a program.
const ELF: &[u8] = b"\x7fELF";

/// The catalogue that the file stands in: `DIR/.well-known/hyperty/NAME.hy.json`.
pub(super) fn in_catalogue(file: &Path) -> Option<Target> {
    let folder = file.parent()?;
    let well_known = folder.parent()?;
    if well_known.file_name()? != ".well-known" {
        return None;
    }
    let folder = folder.file_name()?.to_str()?;
    let (_, ending) = FOLDERS.iter().find(|(name, _)| *name == folder)?;
    let (name, _) = file
        .file_name()?
        .to_str()?
        .split_once(&format!(".{ending}."))?;
    Some(Target {
        catalogue: well_known.parent()?.to_path_buf(),
        component: Some(format!("{folder}/{name}")),
        provider: None,
    })
}

/// Makes a catalogue around a script, a program or a descriptor with its code beside it.
pub(super) fn wrap(file: &Path, into: &Path) -> Result<Target, Failure> {
    let code = fs::read(file).map_err(|error| unreadable(file, &error))?;
    let name = name_of(file);
    let folder = into.join(".well-known/hyperty");
    let path = |ending: &str| folder.join(format!("{name}.hy.{ending}"));
    let (language, ending) = if code.starts_with(ELF) {
        ("native", "elf")
    } else {
        ("javascript", "js")
    };
    if file
        .extension()
        .is_some_and(|extension| extension == "json")
    {
        return Err(not_in_catalogue(file));
    }
    let descriptor = json!({
        "name": name, "language": language, "description": format!("{}", file.display()),
        "signature": "", "configuration": {}, "constraints": {},
        "hypertyType": [], "dataObjects": [],
    });
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(path(ending), &code))
        .and_then(|()| fs::write(path("json"), descriptor.to_string()))
        .map_err(|error| unwritable(into, &error))?;
    Ok(Target {
        catalogue: into.to_path_buf(),
        component: Some(format!("hyperty/{name}")),
        provider: Some(PROVIDER.to_owned()),
    })
}

// `hello.hy.js` and `hello.js` are both called `hello`; what a catalogue does not
// allow in a name becomes a hyphen.
fn name_of(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let stem = name
        .split('.')
        .find(|part| !part.is_empty())
        .unwrap_or("component");
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || "-_".contains(c) {
            c
        } else {
            '-'
        }
    };
    stem.chars().map(plain).collect()
}

fn not_in_catalogue(file: &Path) -> Failure {
    Failure::new(Id::Usage, "this descriptor stands in no catalogue")
        .fact("descriptor", file.display().to_string())
        .fact(
            "expected",
            "DIR/.well-known/hyperty/NAME.hy.json, with NAME.hy.js beside it",
        )
        .fix("to see how a catalogue is laid out", "hyperty help files")
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Id::NotFound,
        format!("cannot read `{}`: {error}", file.display()),
    )
}

fn unwritable(into: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Id::Local,
        format!("cannot make a catalogue in `{}`: {error}", into.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_file_in_a_catalogue_is_run_from_there() {
        let file = Path::new("/srv/shop/.well-known/protocolstub/loopback.ps.elf");

        let target = in_catalogue(file).unwrap();

        assert_eq!(target.catalogue, Path::new("/srv/shop"));
        assert_eq!(target.component.as_deref(), Some("protocolstub/loopback"));
    }

    #[test]
    fn a_file_elsewhere_gets_a_catalogue_of_its_own() {
        let scratch = Scratch::new("test").unwrap();
        let file = scratch.path().join("hello world.js");
        fs::write(&file, "export default 1").unwrap();

        assert!(in_catalogue(&file).is_none());
        let target = wrap(&file, &scratch.path().join("c")).unwrap();

        assert_eq!(target.component.as_deref(), Some("hyperty/hello-world"));
        assert_eq!(target.provider.as_deref(), Some("run.local"));
        let code = target
            .catalogue
            .join(".well-known/hyperty/hello-world.hy.js");
        assert_eq!(fs::read_to_string(code).unwrap(), "export default 1");
    }

    #[test]
    fn a_program_is_told_by_its_first_bytes() {
        let scratch = Scratch::new("test").unwrap();
        let file = scratch.path().join("tool");
        fs::write(&file, [ELF, b"..."].concat()).unwrap();

        let target = wrap(&file, &scratch.path().join("c")).unwrap();

        let descriptor = target.catalogue.join(".well-known/hyperty/tool.hy.json");
        assert!(
            fs::read_to_string(descriptor)
                .unwrap()
                .contains("\"native\"")
        );
    }
}

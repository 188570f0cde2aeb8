//! Rooms do not know rooms (invariant I7): no file of one names another.

// A broken expectation is what these panics are for.
#![allow(clippy::unwrap_used)]

#[test]
fn rooms_do_not_know_rooms() {
    let rooms = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rooms");
    let mut broken = Vec::new();
    let mut folders = vec![rooms.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let own = path
                    .strip_prefix(&rooms)
                    .unwrap()
                    .iter()
                    .next()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned();
                let text = std::fs::read_to_string(&path).unwrap();
                let foreign = |line: &&str| {
                    line.contains("crate::rooms::")
                        && !line.contains(&format!("crate::rooms::{own}"))
                };
                broken.extend(
                    text.lines()
                        .filter(foreign)
                        .map(|line| format!("{}: {line}", path.display())),
                );
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

//! Reads the whole log and says whether it holds together.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use protocol::api::audit::{BEGINNING, Checked, Line};

use super::chain::hashes;
use super::file::listed;

/// Problems that are told one by one; the rest is one more line.
const PROBLEMS_MAX: usize = 100;

/// Follows the chain from the oldest line to the newest.
pub fn check(folder: &Path) -> io::Result<Checked> {
    let mut checked = Checked::default();
    let mut before: Option<(String, u64)> = None;
    for (_, path) in listed(folder)? {
        let name = path.display().to_string();
        for (at, line) in BufReader::new(File::open(&path)?).split(b'\n').enumerate() {
            let line = String::from_utf8_lossy(&line?).into_owned();
            match follow(&line, before.as_ref()) {
                Ok(link) => {
                    checked.lines += 1;
                    if before.is_none() {
                        checked.first = link.1;
                    }
                    before = Some(link);
                }
                Err(problem) if checked.problems.len() < PROBLEMS_MAX => {
                    checked
                        .problems
                        .push(format!("{name}:{}: {problem}", at + 1));
                }
                Err(_) => {}
            }
        }
        checked.files.push(name);
    }
    Ok(checked)
}

fn follow(line: &str, before: Option<&(String, u64)>) -> Result<(String, u64), String> {
    let (claimed, has) = hashes(line)
        .ok_or("is no entry: cut off when its writer was killed, or written by somebody else")?;
    if claimed != has {
        return Err("was changed: its hash is another".to_owned());
    }
    let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
    match before {
        Some((last, n)) if line.prev != *last => Err(format!(
            "does not follow entry {n}: something between them was changed or removed"
        )),
        None if line.n == 1 && line.prev != BEGINNING => {
            Err("is the first entry and follows another".to_owned())
        }
        _ => Ok((line.hash, line.n)),
    }
}

/// The last lines, the oldest of them first.
pub fn last(folder: &Path, most: usize) -> io::Result<Vec<String>> {
    let mut lines: Vec<String> = Vec::new();
    for (_, path) in listed(folder)?.into_iter().rev() {
        let own: Vec<String> = BufReader::new(File::open(path)?)
            .lines()
            .map_while(Result::ok)
            .filter(|line| hashes(line).is_some())
            .collect();
        lines.splice(0..0, own);
        if lines.len() >= most {
            break;
        }
    }
    let excess = lines.len().saturating_sub(most);
    Ok(lines.split_off(excess))
}

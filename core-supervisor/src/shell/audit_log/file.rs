//! The files of the log: which one is written, and when the next begins.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use protocol::api::audit::{Entry, Line};

use super::Noted;
use super::chain::{Chain, hashes};

/// A file of this many bytes is followed by another: it can still be read by a person.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// So many files are kept: a quarter of a gibibyte.
const FILES_MAX: usize = 16;

/// The longest line that is looked for at the end of a file.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// The log's files, open for more.
#[derive(Debug)]
pub(super) struct Files {
    /// A file this long is followed by another.
    pub(super) bytes_max: u64,
    folder: PathBuf,
    file: File,
    bytes: u64,
    number: u64,
    chain: Chain,
}

impl Files {
    /// Opens the newest file and goes on behind its last whole line.
    pub(super) fn open(folder: PathBuf) -> io::Result<Self> {
        fs::DirBuilder::new()
            .mode(0o700)
            .recursive(true)
            .create(&folder)?;
        let newest = listed(&folder)?.pop();
        let (number, path) = newest.unwrap_or_else(|| (1, path_of(&folder, 1)));
        let mut file = append_to(&path)?;
        let bytes = file.seek(SeekFrom::End(0))?;
        let end = end_of(&path, bytes)?;
        let mut files = Self {
            bytes_max: FILE_BYTES_MAX,
            folder,
            file,
            bytes,
            number,
            chain: end.chain,
        };
        if end.torn > 0 {
            // Its writer was killed: what it had not finished stays, on a line of its own.
            files.file.write_all(b"\n")?;
            files.bytes += 1;
        }
        Ok(files)
    }

    /// Writes entries, all in one call; after an error nothing of them counts.
    pub(super) fn append(&mut self, batch: &[Noted]) -> io::Result<()> {
        if self.bytes >= self.bytes_max {
            self.rotate()?;
        }
        let mut chain = self.chain.clone();
        let mut text = String::new();
        for Noted { at_us, entry } in batch {
            text.push_str(&chain.line(*at_us, &bounded(entry))?);
        }
        if let Err(error) = self.file.write_all(text.as_bytes()) {
            // Half a batch may be there: the next begins on a line of its own, and the
            // chain at the last line that is known to be whole.
            let _ = self.file.set_len(self.bytes);
            return Err(error);
        }
        self.bytes += text.len() as u64;
        self.chain = chain;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        let number = self.number + 1;
        self.file = append_to(&path_of(&self.folder, number))?;
        (self.number, self.bytes) = (number, 0);
        let files = listed(&self.folder)?;
        let excess = files.len().saturating_sub(FILES_MAX);
        for (_, path) in files.iter().take(excess) {
            fs::remove_file(path)?;
        }
        Ok(())
    }
}

/// The files of a log, the oldest first, with their numbers.
pub(super) fn listed(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut files: Vec<_> = fs::read_dir(folder)?
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let number = name.to_str()?.strip_suffix(".jsonl")?.parse().ok()?;
            Some((number, entry.path()))
        })
        .collect();
    files.sort_unstable();
    Ok(files)
}

fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}.jsonl"))
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)
}

struct End {
    chain: Chain,
    torn: usize,
}

// The chain goes on from the last whole line that hashes to what it claims.
fn end_of(path: &Path, bytes: u64) -> io::Result<End> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(bytes.saturating_sub(LINE_BYTES_MAX)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let whole = tail
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    let text = String::from_utf8_lossy(tail.get(..whole).unwrap_or_default()).into_owned();
    let is_sound = |line: &&str| hashes(line).is_some_and(|(claimed, has)| claimed == has);
    let last = text.lines().rev().find(is_sound);
    let line: Option<Line> = last.and_then(|line| serde_json::from_str(line).ok());
    let chain = line.map_or_else(Chain::default, |line| Chain {
        last: line.hash,
        n: line.n,
    });
    Ok(End {
        chain,
        torn: tail.len() - whole,
    })
}

// What others wrote has a bound, so that a line has one.
fn bounded(entry: &Entry) -> Entry {
    const TEXT_MAX: usize = 4096;
    let cut = |text: &str| text.chars().take(TEXT_MAX).collect::<String>();
    Entry {
        who: cut(&entry.who),
        whom: cut(&entry.whom),
        detail: cut(&entry.detail),
        ..entry.clone()
    }
}

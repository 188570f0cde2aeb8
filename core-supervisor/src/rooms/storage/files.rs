//! Files: who made them, what is known about them, and their content in parts.

use std::collections::BTreeMap;

use protocol::Code;
use protocol::api::storage::{FILE_BYTES_MAX, File, PART_BYTES_MAX, Part};
use serde::{Deserialize, Serialize};

use super::{
    FILES_BYTES_MAX, FILES_PER_OWNER_MAX, METADATA_BYTES_MAX, PARTS_MAX, UNFINISHED_PER_OWNER_MAX,
    content,
};
use crate::store::{Change, Table};

/// What stands in front of the keys of files.
pub(super) const FOLDER: &str = "file";

// The part of a key that names what is known about a file.
const HEAD: &str = "head";

/// Why a file was not taken, and the code of the answer.
pub type Refused = (Code, String);

/// What became of a part.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// Further parts are to come.
    Part,
    /// The file is whole: this is to be written.
    Whole(Vec<Change>),
}

/// All files.
#[derive(Debug, Default)]
pub struct Files {
    by_url: BTreeMap<String, Stored>,
    // INVARIANT: the sums over `by_url`.
    bytes: usize,
    by_owner: BTreeMap<String, usize>,
    last: u64,
}

#[derive(Debug, Default)]
struct Stored {
    head: Option<Head>,
    parts: BTreeMap<u32, String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    owner: String,
    // Grows from file to file: the oldest goes first.
    age: u64,
    // Without its content.
    file: File,
    // As it was announced, until the last part.
    sized: u64,
}

impl Stored {
    fn bytes(&self) -> usize {
        self.parts.values().map(String::len).sum()
    }

    fn is_whole(&self) -> bool {
        let parts = self.head.as_ref().map(|head| head.file.parts as usize);
        parts == Some(self.parts.len())
    }
}

impl Files {
    /// Takes a new file, or its first part; its owner may have so many bytes of files.
    pub fn create(
        &mut self,
        owner: &str,
        url: &str,
        mut file: File,
        most: usize,
    ) -> Result<Taken, Refused> {
        let bytes = size_of(&file.content, &file.content_encoding)?;
        if !(1..=PARTS_MAX).contains(&file.parts) {
            return Err(bad(format!("`parts` must be 1 to {PARTS_MAX}")));
        }
        let announced = file.size.unwrap_or(bytes);
        if announced > FILE_BYTES_MAX as u64 {
            let reason = format!("a file of {announced} bytes is larger than {FILE_BYTES_MAX}");
            return Err((Code::TOO_LARGE, reason));
        }
        let content = std::mem::take(&mut file.content);
        if content.len() > most {
            return Err(over(content.len(), most));
        }
        let head = serde_json::to_vec(&file).map_or(usize::MAX, |head| head.len());
        if head > METADATA_BYTES_MAX {
            let reason = format!(
                "what is known about the file has {head} bytes, more than {METADATA_BYTES_MAX}"
            );
            return Err((Code::TOO_LARGE, reason));
        }
        if self.unfinished(owner) >= UNFINISHED_PER_OWNER_MAX && file.parts > 1 {
            self.forget_oldest_unfinished(owner);
        }
        self.last += 1;
        let head = Head {
            owner: owner.to_owned(),
            age: self.last,
            sized: bytes,
            file,
        };
        let stored = Stored {
            head: Some(head),
            parts: BTreeMap::new(),
        };
        let mut changes = self.remove(url);
        self.by_url.insert(url.to_owned(), stored);
        match self.add(url, 0, content, most)? {
            Taken::Whole(more) => changes.extend(more),
            Taken::Part if changes.is_empty() => return Ok(Taken::Part),
            Taken::Part => {}
        }
        Ok(Taken::Whole(changes))
    }

    /// Takes a further part of a file.
    pub fn append(&mut self, owner: &str, part: Part, most: usize) -> Result<Taken, Refused> {
        let bytes = size_of(&part.content, &part.content_encoding)?;
        let head = self.owned(owner, &part.resource)?;
        if head.file.content_encoding != part.content_encoding {
            return Err(bad("all parts are encoded alike"));
        }
        let (parts, sized) = (head.file.parts, head.sized.saturating_add(bytes));
        let stored = self.by_url.get_mut(&part.resource);
        let next = stored.as_ref().map_or(0, |stored| stored.parts.len());
        if part.part as usize != next || part.part >= parts {
            let reason = format!("part {} is not the next one of {parts}, {next}", part.part);
            return Err(bad(reason));
        }
        if sized > FILE_BYTES_MAX as u64 {
            self.remove(&part.resource);
            let reason = format!("the file is larger than {FILE_BYTES_MAX} bytes");
            return Err((Code::TOO_LARGE, reason));
        }
        let held = stored.as_ref().map_or(0, |stored| stored.bytes());
        if held + part.content.len() > most {
            let bytes = held + part.content.len();
            self.remove(&part.resource);
            return Err(over(bytes, most));
        }
        if let Some(head) = stored.and_then(|stored| stored.head.as_mut()) {
            head.sized = sized;
        }
        self.add(&part.resource, part.part, part.content, most)
    }

    /// A file that is whole, with one part of its content.
    pub fn read(&self, url: &str, part: u32) -> Option<(File, String)> {
        let stored = self.by_url.get(url).filter(|stored| stored.is_whole())?;
        let file = stored.head.as_ref()?.file.clone();
        Some((file, stored.parts.get(&part)?.clone()))
    }

    /// Deletes a file of the owner's; what is to be written.
    pub fn delete(&mut self, owner: &str, url: &str) -> Result<Vec<Change>, Refused> {
        self.owned(owner, url)?;
        Ok(self.remove(url))
    }

    /// Bytes of an owner's files, as they travel.
    pub fn bytes_of(&self, owner: &str) -> usize {
        self.by_owner.get(owner).copied().unwrap_or_default()
    }

    /// Deletes every file of an owner's; what is to be written.
    pub fn purge(&mut self, owner: &str) -> Vec<Change> {
        let urls: Vec<String> = self.of_owner(owner).map(|(url, ..)| url.clone()).collect();
        urls.iter().flat_map(|url| self.remove(url)).collect()
    }

    /// Whether this is the owner's file.
    pub fn is_of(&self, owner: &str, url: &str) -> bool {
        let head = self.by_url.get(url).and_then(|stored| stored.head.as_ref());
        head.is_some_and(|head| head.owner == owner)
    }

    pub(super) fn restore(&mut self, url: &str, part: &str, value: &[u8]) {
        let stored = self.by_url.entry(url.to_owned()).or_default();
        if part == HEAD {
            stored.head = serde_json::from_slice(value).ok();
        } else if let (Ok(part), Ok(text)) = (part.parse(), String::from_utf8(value.to_vec())) {
            stored.parts.insert(part, text);
        }
        self.count();
    }

    // Only at the start, where the order of the records is anybody's.
    fn count(&mut self) {
        self.bytes = 0;
        self.by_owner.clear();
        for stored in self.by_url.values() {
            let bytes = stored.bytes();
            self.bytes += bytes;
            if let Some(head) = &stored.head {
                *self.by_owner.entry(head.owner.clone()).or_default() += bytes;
                self.last = self.last.max(head.age);
            }
        }
    }

    fn owned(&mut self, owner: &str, url: &str) -> Result<&mut Head, Refused> {
        let head = self
            .by_url
            .get_mut(url)
            .and_then(|stored| stored.head.as_mut());
        let head = head.ok_or_else(|| (Code::NOT_FOUND, format!("there is no file `{url}`")))?;
        if head.owner == owner {
            return Ok(head);
        }
        Err((Code::FORBIDDEN, format!("`{url}` is another component's")))
    }

    fn add(
        &mut self,
        url: &str,
        part: u32,
        content: String,
        most: usize,
    ) -> Result<Taken, Refused> {
        let Some(stored) = self.by_url.get_mut(url) else {
            return Ok(Taken::Part);
        };
        let Some(owner) = stored.head.as_ref().map(|head| head.owner.clone()) else {
            return Ok(Taken::Part);
        };
        let bytes = content.len();
        stored.parts.insert(part, content);
        self.bytes += bytes;
        *self.by_owner.entry(owner.clone()).or_default() += bytes;
        let mut changes = self.evict(&owner, url, most);
        match self.finished(url) {
            Ok(Some(whole)) => changes.extend(whole),
            Ok(None) if changes.is_empty() => return Ok(Taken::Part),
            Ok(None) => {}
            Err(refused) => {
                self.remove(url);
                return Err(refused);
            }
        }
        Ok(Taken::Whole(changes))
    }

    // What is to be written once the last part is there.
    fn finished(&mut self, url: &str) -> Result<Option<Vec<Change>>, Refused> {
        let Some(stored) = self.by_url.get_mut(url).filter(|stored| stored.is_whole()) else {
            return Ok(None);
        };
        let Some(head) = &mut stored.head else {
            return Ok(None);
        };
        if head.file.size.is_some_and(|size| size != head.sized) {
            return Err(bad(format!(
                "`size` is not the {} bytes that came",
                head.sized
            )));
        }
        head.file.size = Some(head.sized);
        let mut changes = vec![change(url, HEAD, serde_json::to_vec(&head).ok())];
        for (part, content) in &stored.parts {
            changes.push(change(
                url,
                &part.to_string(),
                Some(content.clone().into_bytes()),
            ));
        }
        Ok(Some(changes))
    }

    // Makes room: beyond nine tenths the oldest go (spec services §1.17). When it is
    // the whole that is full, whoever has most gives: nobody pushes others out.
    fn evict(&mut self, owner: &str, but: &str, bytes_max: usize) -> Vec<Change> {
        let mut changes = Vec::new();
        let of = |files: &Self, owner: &str| files.by_owner.get(owner).copied().unwrap_or_default();
        while of(self, owner) > bytes_max / 10 * 9 || self.number_of(owner) > FILES_PER_OWNER_MAX {
            let Some(oldest) = self.oldest(owner, but) else {
                break;
            };
            changes.extend(self.remove(&oldest));
        }
        while self.bytes > FILES_BYTES_MAX / 10 * 9 {
            let most = self.by_owner.iter().max_by_key(|(_, bytes)| **bytes);
            let Some(oldest) = most.and_then(|(most, _)| self.oldest(&most.clone(), but)) else {
                break;
            };
            changes.extend(self.remove(&oldest));
        }
        changes
    }

    fn of_owner<'a>(
        &'a self,
        owner: &'a str,
    ) -> impl Iterator<Item = (&'a String, &'a Stored, u64)> {
        self.by_url.iter().filter_map(move |(url, stored)| {
            let head = stored.head.as_ref().filter(|head| head.owner == owner)?;
            Some((url, stored, head.age))
        })
    }

    fn number_of(&self, owner: &str) -> usize {
        self.of_owner(owner).count()
    }

    fn oldest(&self, owner: &str, but: &str) -> Option<String> {
        let others = self.of_owner(owner).filter(|(url, ..)| *url != but);
        others
            .min_by_key(|(.., age)| *age)
            .map(|(url, ..)| url.clone())
    }

    fn unfinished(&self, owner: &str) -> usize {
        self.of_owner(owner)
            .filter(|(_, stored, _)| !stored.is_whole())
            .count()
    }

    fn forget_oldest_unfinished(&mut self, owner: &str) {
        let unfinished = self
            .of_owner(owner)
            .filter(|(_, stored, _)| !stored.is_whole());
        let oldest = unfinished
            .min_by_key(|(.., age)| *age)
            .map(|(url, ..)| url.clone());
        if let Some(oldest) = oldest {
            self.remove(&oldest);
        }
    }

    // Takes a file out; what is to be written, which is nothing for an unfinished one.
    fn remove(&mut self, url: &str) -> Vec<Change> {
        let Some(stored) = self.by_url.remove(url) else {
            return Vec::new();
        };
        let bytes = stored.bytes();
        self.bytes = self.bytes.saturating_sub(bytes);
        if let Some(head) = &stored.head
            && let Some(share) = self.by_owner.get_mut(&head.owner)
        {
            *share = share.saturating_sub(bytes);
            if *share == 0 {
                self.by_owner.remove(&head.owner);
            }
        }
        if !stored.is_whole() {
            return Vec::new();
        }
        let parts = stored
            .parts
            .keys()
            .map(|part| change(url, &part.to_string(), None));
        std::iter::once(change(url, HEAD, None))
            .chain(parts)
            .collect()
    }
}

fn size_of(text: &str, encoding: &str) -> Result<u64, Refused> {
    let Some(bytes) = content::bytes(text, encoding) else {
        return Err(bad(
            "`content` is neither text nor, with `contentEncoding`, base64",
        ));
    };
    if bytes > PART_BYTES_MAX as u64 && !encoding.is_empty() || text.len() > PART_BYTES_MAX * 2 {
        let reason =
            format!("a part of {bytes} bytes is larger than {PART_BYTES_MAX}: say `parts`");
        return Err((Code::TOO_LARGE, reason));
    }
    Ok(bytes)
}

fn over(bytes: usize, most: usize) -> Refused {
    let reason = format!(
        "{bytes} bytes, and this component may share {most} bytes of files (`limits.files`)"
    );
    (Code::TOO_LARGE, reason)
}

fn bad(reason: impl Into<String>) -> Refused {
    (Code::BAD_REQUEST, reason.into())
}

fn change(url: &str, part: &str, value: Option<Vec<u8>>) -> Change {
    Change {
        table: Table::Storage,
        key: format!("{FOLDER}\0{url}\0{part}"),
        value,
    }
}

//! Whether bytes are a program that can run in an empty root on this machine.

use std::fmt;

/// Why a program cannot run in a sandbox here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRunnable {
    /// Not an ELF file at all.
    NotElf,
    /// Its header or its program headers are cut off or out of reach.
    Broken,
    /// For another processor, or not 64 bit little-endian.
    OtherMachine,
    /// Not a program but an object file, a core, …
    NotProgram,
    /// It names a loader, and a sandbox has none.
    Dynamic,
}

impl fmt::Display for NotRunnable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotElf => "is not an ELF program",
            Self::Broken => "is a damaged ELF file",
            Self::OtherMachine => "is a program for another processor",
            Self::NotProgram => "is an ELF file, but not a program",
            Self::Dynamic => {
                "is linked dynamically, and a sandbox holds no libraries: link it statically \
                 (Rust: `-C target-feature=+crt-static`, C: `-static`)"
            }
        })
    }
}

const HEADER_BYTES: usize = 64;
const PROGRAM_HEADER_BYTES: usize = 56;
const PROGRAM_HEADERS_MAX: usize = 128;
const TYPE_EXECUTABLE: u16 = 2;
const TYPE_POSITION_INDEPENDENT: u16 = 3;
const SEGMENT_INTERPRETER: u32 = 3;

#[cfg(target_arch = "x86_64")]
const MACHINE: u16 = 62;
#[cfg(target_arch = "aarch64")]
const MACHINE: u16 = 183;

/// Checks the headers; `head` is at least the first 16 KiB of the file, or all of it.
pub fn check(head: &[u8]) -> Result<(), NotRunnable> {
    if !head.starts_with(b"\x7fELF") {
        return Err(NotRunnable::NotElf);
    }
    let header = head.get(..HEADER_BYTES).ok_or(NotRunnable::Broken)?;
    let is_64_little = header.get(4..6) == Some(&[2, 1]);
    if !is_64_little || half(header, 18) != Some(MACHINE) {
        return Err(NotRunnable::OtherMachine);
    }
    match half(header, 16) {
        Some(TYPE_EXECUTABLE | TYPE_POSITION_INDEPENDENT) => {}
        _ => return Err(NotRunnable::NotProgram),
    }
    let count = usize::from(half(header, 56).unwrap_or(0));
    let size = usize::from(half(header, 54).unwrap_or(0));
    if count == 0 || count > PROGRAM_HEADERS_MAX || size != PROGRAM_HEADER_BYTES {
        return Err(NotRunnable::Broken);
    }
    let start = header.get(32..40).and_then(|bytes| bytes.try_into().ok());
    let start = start
        .map(u64::from_le_bytes)
        .and_then(|at| usize::try_from(at).ok());
    let end = start.and_then(|start| start.checked_add(count * size));
    let headers = start.zip(end).and_then(|(start, end)| head.get(start..end));
    let mut segments = headers.ok_or(NotRunnable::Broken)?.chunks_exact(size);
    let is_interpreter = |segment: &[u8]| {
        let kind = segment.first_chunk::<4>().copied();
        kind.map(u32::from_le_bytes) == Some(SEGMENT_INTERPRETER)
    };
    if segments.any(is_interpreter) {
        return Err(NotRunnable::Dynamic);
    }
    Ok(())
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at + 2)?.try_into().ok()?;
    Some(u16::from_le_bytes(bytes))
}

/// A program of headers only, with these types of segments.
#[cfg(test)]
pub(crate) fn tests_program(segments: &[u8]) -> Vec<u8> {
    let mut file = vec![0; HEADER_BYTES + segments.len() * PROGRAM_HEADER_BYTES];
    file[..6].copy_from_slice(b"\x7fELF\x02\x01");
    file[16] = 2;
    file[18..20].copy_from_slice(&MACHINE.to_le_bytes());
    file[32] = 64;
    file[54] = 56;
    file[56] = u8::try_from(segments.len()).unwrap();
    for (at, &kind) in segments.iter().enumerate() {
        file[HEADER_BYTES + at * PROGRAM_HEADER_BYTES] = kind;
    }
    file
}

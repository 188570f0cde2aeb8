//! Reads the head of a program, to say in words why it could not run.
//!
//! The kernel would only say "no such file", about the loader that an empty
//! root does not have. Nothing is decided here that the kernel does not decide
//! again.

use std::os::fd::OwnedFd;

use rustix::io::{Errno, pread};

const HEADER_BYTES: usize = 64;
const PROGRAM_HEADER_BYTES: u16 = 56;
const PROGRAM_HEADERS_MAX: u16 = 256;

const CLASS_64: u8 = 2;
const LITTLE_ENDIAN: u8 = 1;
const TYPE_EXECUTABLE: u16 = 2;
const TYPE_POSITION_INDEPENDENT: u16 = 3;
const INTERPRETER: u32 = 3;
const INTERPRETER_BYTES_MAX: usize = 128;

#[cfg(target_arch = "x86_64")]
const MACHINE: (u16, &str) = (62, "x86_64");
#[cfg(target_arch = "aarch64")]
const MACHINE: (u16, &str) = (183, "aarch64");

/// Checks that this is a static program for this machine.
pub(crate) fn check(program: &OwnedFd) -> Result<(), String> {
    let mut header = [0; HEADER_BYTES];
    let count = read(program, &mut header, 0)?;
    if header.get(..4) != Some(b"\x7fELF") {
        return Err("is not an ELF program".into());
    }
    if count < HEADER_BYTES {
        return Err(format!("is too short for an ELF program: {count} bytes"));
    }
    if (byte(&header, 4), byte(&header, 5)) != (CLASS_64, LITTLE_ENDIAN) {
        return Err("is not a 64-bit little-endian program".into());
    }
    let machine = half(&header, 18);
    if machine != MACHINE.0 {
        return Err(format!(
            "is built for machine {machine}, this one is {} ({})",
            MACHINE.0, MACHINE.1
        ));
    }
    if !matches!(
        half(&header, 16),
        TYPE_EXECUTABLE | TYPE_POSITION_INDEPENDENT
    ) {
        return Err("is an object or a library, not a program".into());
    }
    match interpreter(program, &header)? {
        None => Ok(()),
        Some(loader) => Err(format!(
            "is dynamically linked (needs {loader}): build it static"
        )),
    }
}

fn interpreter(program: &OwnedFd, header: &[u8]) -> Result<Option<String>, String> {
    let (table, count) = (long(header, 32), half(header, 56));
    if half(header, 54) != PROGRAM_HEADER_BYTES || count > PROGRAM_HEADERS_MAX || count == 0 {
        return Err("has no sound table of program headers".into());
    }
    for index in 0..u64::from(count) {
        let mut entry = [0; PROGRAM_HEADER_BYTES as usize];
        let offset = table.saturating_add(index * u64::from(PROGRAM_HEADER_BYTES));
        if read(program, &mut entry, offset)? < entry.len() {
            return Err("is cut off inside its program headers".into());
        }
        if word(&entry, 0) == INTERPRETER {
            let mut name = [0; INTERPRETER_BYTES_MAX];
            let count = read(program, &mut name, long(&entry, 8))?;
            let name = name.get(..count).unwrap_or_default();
            let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
            return Ok(Some(
                String::from_utf8_lossy(name).escape_default().to_string(),
            ));
        }
    }
    Ok(None)
}

fn read(program: &OwnedFd, target: &mut [u8], offset: u64) -> Result<usize, String> {
    let mut filled = 0;
    while let Some(rest) = target.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match pread(program, rest, offset.saturating_add(filled as u64)) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(e) => return Err(format!("cannot be read: {e}")),
        }
    }
    Ok(filled)
}

fn byte(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or_default()
}

fn half(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([byte(bytes, at), byte(bytes, at + 1)])
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from(half(bytes, at)) | u32::from(half(bytes, at + 2)) << 16
}

fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from(word(bytes, at)) | u64::from(word(bytes, at + 4)) << 32
}

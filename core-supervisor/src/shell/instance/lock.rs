//! The lock of a directory, and what it says about its holder.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::{InstanceError, file_error};

const LOCK: &str = "supervisor.lock";

/// What a lock file says about its holder.
#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    pid: u32,
    build: String,
    since_unix_s: u64,
}

/// Locks a directory until the file is dropped, and says in it who we are.
pub(super) fn lock(
    directory: &Path,
    remedy: &'static str,
    unix_s: u64,
) -> Result<File, InstanceError> {
    let path = directory.join(LOCK);
    let failed = |act, source| file_error(act, &path, source, remedy);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|source| failed("open", source))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            return Err(InstanceError::InUse {
                path: directory.to_owned(),
                holder: holder(&mut file),
            });
        }
        Err(error) => return Err(failed("lock", error.into())),
    }
    let holder = Holder {
        pid: std::process::id(),
        build: protocol::version::BUILD.to_owned(),
        since_unix_s: unix_s,
    };
    write_holder(&mut file, &holder).map_err(|source| failed("write", source))?;
    Ok(file)
}

fn write_holder(file: &mut File, holder: &Holder) -> io::Result<()> {
    let text = toml::to_string(holder).map_err(io::Error::other)?;
    file.set_len(0)?;
    file.write_all(text.as_bytes())
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file
        .read_to_string(&mut text)
        .map(|_| toml::from_str::<Holder>(&text));
    match read {
        Ok(Ok(Holder {
            pid,
            build,
            since_unix_s,
        })) => format!("pid {pid}, build {build}, since {}", utc(since_unix_s)),
        _ => "it does not say who it is".to_owned(),
    }
}

// The calendar of RFC 3339, by Howard Hinnant's `civil_from_days`: years begin in
// March there, so that the day that comes and goes is the last one.
pub(super) fn utc(unix_s: u64) -> String {
    let (days, second) = (unix_s / 86_400 + 719_468, unix_s % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}Z",
        second % 60
    )
}

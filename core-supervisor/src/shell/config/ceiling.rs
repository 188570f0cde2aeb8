//! `[limits]` of `hyperty.toml`: the most that components may ask for.
//!
//! ```toml
//! [limits]
//! over-ceiling = "clip"       # or "refuse", the default
//! memory = 268435456          # bytes
//! ```

use std::collections::BTreeMap;

use toml::{Spanned, Value};

use super::file::File;
use super::{ConfigError, Origin, Set};
use crate::quota::{Ceiling, OverCeiling, Quota, UNBOUNDED};

/// The key that is no quota.
const OVER: &str = "over-ceiling";

/// What the file says, by the keys of the table.
pub(super) type Keys = BTreeMap<Spanned<String>, Spanned<Value>>;

/// The ceiling, and where it is said what becomes of who asks for more.
pub(super) fn read(file: &File) -> Result<Set<Ceiling>, ConfigError> {
    let mut ceiling = Ceiling::default();
    let mut origin = Origin::BuiltIn;
    for (key, value) in &file.keys.limits {
        let place = file.origin(key);
        let wrong = |message: String| ConfigError::Value {
            origin: place.clone(),
            message,
        };
        if key.get_ref() == OVER {
            let text = value.get_ref().as_str();
            let text = text.ok_or_else(|| wrong(format!("{OVER} is no text")))?;
            ceiling.over = text.parse::<OverCeiling>().map_err(wrong)?;
            origin = place;
            continue;
        }
        let quota = Quota::by_key(key.get_ref()).ok_or_else(|| wrong(unknown(key.get_ref())))?;
        let number = number(quota, value.get_ref()).map_err(&wrong)?;
        ceiling.set(quota, number, place.to_string());
    }
    Ok(Set {
        value: ceiling,
        origin,
    })
}

fn unknown(key: &str) -> String {
    let known = Quota::ALL.map(|quota| quota.row().key.trim_start_matches("limits."));
    let known = known.join("`, `");
    format!("`{key}` is no limit: say `{OVER}`, `{known}`")
}

fn number(quota: Quota, value: &Value) -> Result<u64, String> {
    let row = quota.row();
    let most = match row.most {
        UNBOUNDED => "more".to_owned(),
        most => most.to_string(),
    };
    let number = value
        .as_integer()
        .and_then(|number| u64::try_from(number).ok());
    let fits = number.filter(|number| (row.least..=row.most).contains(number));
    fits.ok_or_else(|| {
        format!(
            "`{}` must be a whole number ({}) from {} to {most}",
            row.key, row.unit, row.least
        )
    })
}

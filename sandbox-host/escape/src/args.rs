//! The command line.

use protocol::frame::Level;

const EXAMPLES: &str = "\
Examples:
  hyperty escape                      every case, in a sandbox of the best level
  hyperty escape --level L2           the same without namespaces
  hyperty escape --only FS,NW-03      some cases: groups or ids
  hyperty escape --with 'bwrap --ro-bind / / --unshare-all'
                                      the same attempts in another command's sandbox

Exit status:
  0  everything was held, or is a known gap of this level
  1  something escaped, a case could not be judged, or more was skipped than is known
  3  the suite could not run";

/// Tries every way out of a sandbox, and looks at what became of the victims
#[derive(Debug, clap::Parser)]
#[command(name = "hyperty escape", bin_name = "hyperty escape", version, after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only these cases: ids (`FS-01`, `FS-01a`) or groups (`FS`)
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub(crate) only: Vec<String>,

    /// The level of the sandbox; the best that this machine reaches when absent
    #[arg(long, value_name = "LEVEL", conflicts_with = "with")]
    pub(crate) level: Option<Level>,

    /// Another sandbox: the command that runs a program given at its end
    #[arg(long, value_name = "COMMAND")]
    pub(crate) with: Option<String>,

    /// Lists the cases and ends
    #[arg(long)]
    pub(crate) list: bool,

    /// Skips trying each attempt without a sandbox first, to see that it is one
    #[arg(long)]
    pub(crate) no_control: bool,

    /// One line of JSON for each case, and one for the score
    #[arg(long)]
    pub(crate) json: bool,
}

impl Args {
    /// Whether a case was asked for.
    pub(crate) fn wants(&self, id: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| is_within(id, wanted))
    }
}

// `FS-01a` is within `FS-01a`, `FS-01` and `FS`.
fn is_within(id: &str, wanted: &str) -> bool {
    let rest = id.strip_prefix(wanted);
    let ends_digits = wanted.ends_with(|letter: char| letter.is_ascii_digit());
    rest.is_some_and(|rest| match rest.chars().next() {
        None | Some('-') => true,
        Some(next) => ends_digits && next.is_ascii_lowercase(),
    })
}

#[cfg(test)]
mod tests {
    use super::is_within;

    #[test]
    fn a_case_is_named_by_its_id_its_number_or_its_group() {
        assert!(is_within("FS-01a", "FS-01a"));
        assert!(is_within("FS-01a", "FS-01"));
        assert!(is_within("FS-01a", "FS"));
        assert!(!is_within("FS-10", "FS-1"));
        assert!(!is_within("FS-01a", "F"));
        assert!(!is_within("FS-01", "FS-01a"));
    }
}

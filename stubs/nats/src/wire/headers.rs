//! The header block of one message.

/// What stands behind the version in the first line: `NATS/1.0 503`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status(pub u16);

impl Status {
    /// Nothing to wait for.
    pub const NOT_FOUND: Self = Self(404);
    /// Nobody listens to the subject of a request.
    pub const NO_RESPONDERS: Self = Self(503);
}

/// Headers as they came, looked at in place.
#[derive(Debug, Clone, Copy)]
pub struct Headers<'a>(&'a [u8]);

impl<'a> Headers<'a> {
    /// Reads a block; one that is no header block has no header in it.
    pub const fn of(block: &'a [u8]) -> Self {
        Self(block)
    }

    /// The status of the first line, if it has one.
    pub fn status(self) -> Option<Status> {
        let line = self.lines().next()?.strip_prefix("NATS/1.0")?;
        let number = line.split_ascii_whitespace().next()?;
        number.parse().ok().map(Status)
    }

    /// What the first line says behind the status.
    pub fn description(self) -> &'a str {
        let line = self.lines().next().unwrap_or_default();
        line.splitn(3, ' ').nth(2).unwrap_or_default().trim()
    }

    /// The first value of a header; names are compared without case.
    pub fn get(self, name: &str) -> Option<&'a str> {
        self.lines().skip(1).find_map(|line| {
            let (named, value) = line.split_once(':')?;
            named.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    // A line that is not text hides nobody else's.
    fn lines(self) -> impl Iterator<Item = &'a str> {
        let lines = self.0.split(|byte| *byte == b'\n');
        lines.map(|line| std::str::from_utf8(line).unwrap_or_default().trim_end())
    }
}

//! Bytes → operations.

use super::limits::{HEADERS_BYTES_MAX, INFO_BYTES_MAX, LINE_BYTES_MAX, MESSAGE_BYTES_MAX};

/// Bytes that are asked of a socket at a time.
const READ_BYTES: usize = 64 * 1024;

/// What a server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op<'a> {
    /// Who the server is: JSON object text.
    Info(&'a str),
    /// A message of a subscription.
    Msg(Delivery<'a>),
    /// Whether we are there.
    Ping,
    /// We asked whether the server is there.
    Pong,
    /// The last operation was accepted; only said to verbose clients.
    Ok,
    /// Something was refused; some refusals end the connection.
    Err(&'a str),
}

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery<'a> {
    /// Where it was published.
    pub subject: &'a str,
    /// The number of the subscription that it is for.
    pub sid: u64,
    /// Where an answer is to be published.
    pub reply: Option<&'a str>,
    /// The header block with its first line, or empty.
    pub headers: &'a [u8],
    /// What was published.
    pub payload: &'a [u8],
}

/// Why what arrived is no operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A line without an end.
    #[error("a line of more than {0} bytes")]
    Line(usize),
    /// A line that is not text.
    #[error("a line that is not UTF-8")]
    Text,
    /// A verb that no server says.
    #[error("`{}` is not an operation of a server", .0.escape_default())]
    Verb(String),
    /// A line whose words are too few, too many or no numbers.
    #[error("`{}` has not the words that its operation needs", .0.escape_default())]
    Words(String),
    /// Headers or payload that are longer than is taken.
    #[error("a message of {0} bytes, more than {1} are not taken")]
    Long(u64, usize),
    /// Headers that are longer than the message they are part of.
    #[error("headers of {0} bytes in a message of {1}")]
    Headers(usize, usize),
    /// No line end behind a payload.
    #[error("a payload that is longer than its line said")]
    Payload,
}

/// Cuts what arrives into operations.
#[derive(Debug, Default)]
pub struct Reader {
    bytes: Vec<u8>,
    // What is in front of it was handed out.
    start: usize,
    // No line end lies between `start` and here: bytes that come one by one are
    // looked at once.
    looked: usize,
    // The message whose line is whole, and whose payload may not be.
    open: Option<Open>,
}

/// Where an operation stands in what has come.
#[derive(Debug, Clone)]
pub struct Place(Found);

#[derive(Debug, Clone)]
enum Found {
    Line(usize, usize),
    Message(usize, Open),
}

// Places of one message's words, from the start of its line.
#[derive(Debug, Clone, Copy)]
struct Open {
    line: usize,
    subject: (usize, usize),
    reply: Option<(usize, usize)>,
    sid: u64,
    headers: usize,
    total: usize,
}

impl Reader {
    /// Where the next bytes from the socket go.
    pub fn space(&mut self) -> &mut Vec<u8> {
        if self.start == self.bytes.len() {
            self.bytes.clear();
            (self.start, self.looked) = (0, 0);
        } else if self.start >= READ_BYTES {
            self.bytes.drain(..self.start);
            self.looked = self.looked.saturating_sub(self.start);
            self.start = 0;
        }
        let missing = self.open.map_or(0, |open| open.line + open.total + 2);
        self.bytes.reserve(READ_BYTES.max(missing));
        &mut self.bytes
    }

    /// The next whole operation; `None` until more bytes have come.
    ///
    /// After [`Malformed`] nothing that follows can be understood.
    // Not an iterator: what it hands out is borrowed from it.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Op<'_>>, Malformed> {
        Ok(self.advance()?.map(|place| self.at(&place)))
    }

    /// The same, as a place that can be looked at until the next [`Self::space`].
    pub fn advance(&mut self) -> Result<Option<Place>, Malformed> {
        if self.open.is_none() {
            let Some(length) = self.line()? else {
                return Ok(None);
            };
            let line = self.bytes.get(self.start..self.start + length);
            let line = std::str::from_utf8(line.unwrap_or_default());
            match head(line.map_err(|_| Malformed::Text)?)? {
                Head::Whole => {
                    let start = self.start;
                    self.start += length;
                    return Ok(Some(Place(Found::Line(start, length))));
                }
                Head::Open(open) => self.open = Some(open),
            }
        }
        let Some(open) = self.open else {
            return Ok(None);
        };
        let (start, end) = (self.start, self.start + open.line + open.total);
        if self.bytes.len() < end + 2 {
            return Ok(None);
        }
        self.open = None;
        self.start = end + 2;
        self.looked = self.start;
        if self.bytes.get(end..end + 2) != Some(b"\r\n") {
            return Err(Malformed::Payload);
        }
        Ok(Some(Place(Found::Message(start, open))))
    }

    /// The operation at a place that [`Self::advance`] has found.
    pub fn at(&self, place: &Place) -> Op<'_> {
        match &place.0 {
            Found::Line(start, length) => self.whole(*start, *length),
            Found::Message(start, open) => Op::Msg(self.delivery(*start, open)),
        }
    }

    /// Whether bytes are left that no operation has used.
    pub const fn has_more(&self) -> bool {
        self.start < self.bytes.len()
    }

    // The length of the first line with its end, once that is here.
    fn line(&mut self) -> Result<Option<usize>, Malformed> {
        let unseen = self.bytes.get(self.looked..).unwrap_or_default();
        let end = unseen.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(self.bytes.len(), |end| self.looked + end + 1) - self.start;
        let is_info = self.bytes.get(self.start..).is_some_and(|line| {
            line.get(..4)
                .is_some_and(|w| w.eq_ignore_ascii_case(b"INFO"))
        });
        let most = if is_info {
            INFO_BYTES_MAX
        } else {
            LINE_BYTES_MAX
        };
        if length > most {
            return Err(Malformed::Line(most));
        }
        self.looked = self.start + length;
        Ok(end.map(|_| length))
    }

    // An operation that is one line; `head` has read it as text before.
    fn whole(&self, start: usize, length: usize) -> Op<'_> {
        let text = self.bytes.get(start..start + length).unwrap_or_default();
        let text = std::str::from_utf8(text).unwrap_or_default().trim();
        let (verb, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
        match verb.to_ascii_uppercase().as_str() {
            "PING" => Op::Ping,
            "PONG" => Op::Pong,
            "+OK" => Op::Ok,
            "INFO" => Op::Info(rest.trim()),
            _ => Op::Err(rest.trim().trim_matches('\'')),
        }
    }

    fn delivery(&self, start: usize, open: &Open) -> Delivery<'_> {
        let text = |(from, to): (usize, usize)| {
            let word = self.bytes.get(start + from..start + to);
            std::str::from_utf8(word.unwrap_or_default()).unwrap_or_default()
        };
        let body = start + open.line;
        let payload = body + open.headers;
        Delivery {
            subject: text(open.subject),
            sid: open.sid,
            reply: open.reply.map(text),
            headers: self.bytes.get(body..payload).unwrap_or_default(),
            payload: self
                .bytes
                .get(payload..body + open.total)
                .unwrap_or_default(),
        }
    }
}

enum Head {
    Whole,
    Open(Open),
}

fn head(line: &str) -> Result<Head, Malformed> {
    let verb = line.split_ascii_whitespace().next().unwrap_or_default();
    match verb.to_ascii_uppercase().as_str() {
        "MSG" => message(line, 1).map(Head::Open),
        "HMSG" => message(line, 2).map(Head::Open),
        "PING" | "PONG" | "+OK" | "INFO" | "-ERR" => Ok(Head::Whole),
        _ => Err(Malformed::Verb(verb.chars().take(32).collect())),
    }
}

// `MSG subject sid [reply] total`, `HMSG subject sid [reply] headers total`
fn message(line: &str, numbers: usize) -> Result<Open, Malformed> {
    let bad = || Malformed::Words(line.trim_end().chars().take(128).collect());
    let words: Vec<&str> = line.split_ascii_whitespace().skip(1).collect();
    let place = |word: &str| {
        let from = word.as_ptr() as usize - line.as_ptr() as usize;
        (from, from + word.len())
    };
    let named = words.len().checked_sub(numbers).ok_or_else(bad)?;
    let (names, sizes) = words.split_at(named);
    let (subject, sid, reply) = match names {
        [subject, sid] => (*subject, *sid, None),
        [subject, sid, reply] => (*subject, *sid, Some(place(reply))),
        _ => return Err(bad()),
    };
    let mut lengths = sizes.iter().map(|size| size.parse::<u64>());
    let mut length = || lengths.next().and_then(Result::ok).ok_or_else(bad);
    let headers = if numbers == 2 { length()? } else { 0 };
    let total = length()?;
    let headers = within(headers, HEADERS_BYTES_MAX)?;
    let total = within(total, MESSAGE_BYTES_MAX)?;
    if headers > total {
        return Err(Malformed::Headers(headers, total));
    }
    Ok(Open {
        line: line.len(),
        subject: place(subject),
        reply,
        sid: sid.parse().map_err(|_| bad())?,
        headers,
        total,
    })
}

fn within(bytes: u64, most: usize) -> Result<usize, Malformed> {
    usize::try_from(bytes)
        .ok()
        .filter(|bytes| *bytes <= most)
        .ok_or(Malformed::Long(bytes, most))
}

//! A stream of XML as stanzas, read while it comes.
//!
//! The parser knows neither document types nor entities of one's own, so nothing in a
//! stanza can be larger than what was sent; how much that may be is counted here.

use rxml::error::EndOrError;
use rxml::{Event, Parse, Parser, WithOptions};

use crate::limits::{DEPTH_MAX, ELEMENTS_MAX, STANZA_BYTES_MAX, TOKEN_BYTES_MAX};

/// An element with everything in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// `message`.
    pub name: String,
    /// The namespace: `jabber:client`.
    pub space: String,
    attributes: Vec<(String, String)>,
    /// The text that stands directly in it.
    pub text: String,
    /// The elements in it.
    pub children: Vec<Element>,
}

impl Element {
    /// An attribute; empty when it is not there.
    pub fn attribute(&self, name: &str) -> &str {
        let mut named = self.attributes.iter().filter(|(known, _)| known == name);
        named.next().map_or("", |(_, value)| value)
    }

    /// The first child of this name in this namespace.
    pub fn child(&self, name: &str, space: &str) -> Option<&Self> {
        let mut children = self.children.iter();
        children.find(|child| child.is(name, space))
    }

    /// Whether it has this name in this namespace.
    pub fn is(&self, name: &str, space: &str) -> bool {
        self.name == name && self.space == space
    }
}

/// What a stream brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    /// It was opened, by this element.
    Opened(Element),
    /// One whole stanza.
    Stanza(Element),
    /// It was closed.
    Closed,
}

/// Why a stream cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRead {
    /// It is no XML, or such as XMPP does not allow.
    #[error("what it sends is not the XML of XMPP: {0}")]
    Xml(String),
    /// A stanza is longer than any that is expected.
    #[error("a stanza of more than {STANZA_BYTES_MAX} bytes")]
    TooLong,
    /// A stanza has too much in it.
    #[error("a stanza of more than {ELEMENTS_MAX} elements")]
    TooMany,
    /// Elements within elements within elements.
    #[error("a stanza of more than {DEPTH_MAX} elements in each other")]
    TooDeep,
    /// Words between stanzas.
    #[error("text outside of a stanza")]
    Stray,
}

/// Reads one stream.
#[derive(Debug)]
pub struct Reader {
    parser: Parser,
    is_open: bool,
    stack: Vec<Element>,
    bytes: usize,
    elements: usize,
}

impl Default for Reader {
    fn default() -> Self {
        let options = rxml::Options {
            max_token_length: TOKEN_BYTES_MAX,
            ..rxml::Options::default()
        };
        Self {
            parser: Parser::with_options(options),
            is_open: false,
            stack: Vec::new(),
            bytes: 0,
            elements: 0,
        }
    }
}

impl Reader {
    /// Takes bytes from the front until something is whole; nothing when all are taken.
    ///
    /// # Errors
    /// [`NotRead`], after which the stream is of no use.
    pub fn read(&mut self, bytes: &mut &[u8]) -> Result<Option<Unit>, NotRead> {
        loop {
            let before = bytes.len();
            let parsed = self.parser.parse(bytes, false);
            self.bytes += before - bytes.len();
            if self.bytes > STANZA_BYTES_MAX {
                return Err(NotRead::TooLong);
            }
            let event = match parsed {
                Ok(event) => event,
                Err(EndOrError::NeedMoreData) => return Ok(None),
                Err(EndOrError::Error(error)) => return Err(NotRead::Xml(error.to_string())),
            };
            let Some(event) = event else {
                return Ok(None);
            };
            if let Some(unit) = self.take(event)? {
                self.bytes = 0;
                self.elements = 0;
                return Ok(Some(unit));
            }
        }
    }

    fn take(&mut self, event: Event) -> Result<Option<Unit>, NotRead> {
        match event {
            Event::XmlDeclaration(..) => Ok(None),
            Event::StartElement(_, (space, name), attributes) => {
                let plain = attributes
                    .into_iter()
                    .filter(|((space, _), _)| space.is_empty());
                let element = Element {
                    name: name.to_string(),
                    space: space.to_string(),
                    attributes: plain
                        .map(|((_, name), value)| (name.to_string(), value))
                        .collect(),
                    ..Element::default()
                };
                self.begin(element)
            }
            Event::EndElement(_) => Ok(self.end()),
            Event::Text(_, text) => self.text(&text),
        }
    }

    fn begin(&mut self, element: Element) -> Result<Option<Unit>, NotRead> {
        if !self.is_open {
            self.is_open = true;
            return Ok(Some(Unit::Opened(element)));
        }
        self.elements += 1;
        if self.elements > ELEMENTS_MAX {
            return Err(NotRead::TooMany);
        }
        if self.stack.len() >= DEPTH_MAX {
            return Err(NotRead::TooDeep);
        }
        self.stack.push(element);
        Ok(None)
    }

    fn end(&mut self) -> Option<Unit> {
        let Some(element) = self.stack.pop() else {
            return Some(Unit::Closed);
        };
        match self.stack.last_mut() {
            Some(parent) => {
                parent.children.push(element);
                None
            }
            None => Some(Unit::Stanza(element)),
        }
    }

    fn text(&mut self, text: &str) -> Result<Option<Unit>, NotRead> {
        match self.stack.last_mut() {
            Some(element) => element.text.push_str(text),
            // Servers send a space now and then, to see whether we are there.
            None if text.trim().is_empty() => self.bytes = 0,
            None => return Err(NotRead::Stray),
        }
        Ok(None)
    }
}

/// Text as it may stand in XML; what may not stand there at all is left out.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            // As it stands it would be read as the end of a line.
            '\r' => escaped.push_str("&#13;"),
            '\t' | '\n' => escaped.push(c),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
                        xmlns:stream='http://etherx.jabber.org/streams' id='1'>";

    fn read(text: &str) -> Result<Vec<Unit>, NotRead> {
        let mut reader = Reader::default();
        let mut units = Vec::new();
        // As a slow network has it: whatever the pieces, the same comes out.
        for piece in text.as_bytes().chunks(7) {
            let mut piece = piece;
            while let Some(unit) = reader.read(&mut piece)? {
                units.push(unit);
            }
        }
        Ok(units)
    }

    fn refused(stanza: &str) -> NotRead {
        read(&format!("{OPEN}{stanza}")).unwrap_err()
    }

    #[test]
    fn a_stream_is_read_stanza_by_stanza() {
        let text =
            format!("{OPEN}<a x='1'><b>t&amp;<![CDATA[<u>]]></b></a> \n<c/></stream:stream>");

        let units = read(&text).unwrap();

        let [
            Unit::Opened(open),
            Unit::Stanza(a),
            Unit::Stanza(c),
            Unit::Closed,
        ] = &units[..]
        else {
            panic!("{units:?}")
        };
        assert!(open.is("stream", "http://etherx.jabber.org/streams"));
        assert_eq!((a.attribute("x"), a.attribute("y")), ("1", ""));
        assert_eq!(a.child("b", "jabber:client").unwrap().text, "t&<u>");
        assert!(c.is("c", "jabber:client"));
    }

    #[test]
    fn what_users_write_stays_text_on_both_ways() {
        let text = "<b>&\"' ]]>\r\n\t \u{1}\u{7f}é\u{1f600}";

        let units = read(&format!("{OPEN}<m to='{0}'>{0}</m>", escaped(text))).unwrap();

        let Unit::Stanza(stanza) = &units[1] else {
            panic!()
        };
        assert_eq!(stanza.text, text.replace('\u{1}', ""));
    }

    #[test]
    fn what_xmpp_does_not_allow_ends_the_stream() {
        let bomb = "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><stream:stream>";
        assert!(matches!(read(bomb), Err(NotRead::Xml(_))));
        for garbage in [
            "<a>&b;</a>",
            "<a>&#0;</a>",
            "<a></b>",
            "<!-- x -->",
            "<?php x?>",
            "<a x='1' x='2'/>",
            "<n:a/>",
            "<a>\u{1}</a>",
        ] {
            assert!(matches!(refused(garbage), NotRead::Xml(_)), "{garbage}");
        }
        assert!(matches!(
            read("HTTP/1.1 400\r\n\r\n<html>"),
            Err(NotRead::Xml(_))
        ));
        assert_eq!(refused("hello <a/>"), NotRead::Stray);
    }

    #[test]
    fn a_stanza_is_bounded_in_length_number_and_depth() {
        let text = |count: usize| format!("<a>{}</a>", "x".repeat(count));
        let flat = |count: usize| format!("<a>{}</a>", "<b/>".repeat(count - 1));
        let deep = |count: usize| format!("{}{}", "<a>".repeat(count), "</a>".repeat(count));
        let is_read = |stanza: String| read(&format!("{OPEN}{stanza}")).unwrap().len() == 2;

        assert!(is_read(text(STANZA_BYTES_MAX - 7)));
        assert_eq!(refused(&text(STANZA_BYTES_MAX - 6)), NotRead::TooLong);
        assert!(is_read(flat(ELEMENTS_MAX)));
        assert_eq!(refused(&flat(ELEMENTS_MAX + 1)), NotRead::TooMany);
        assert!(is_read(deep(DEPTH_MAX)));
        assert_eq!(refused(&deep(DEPTH_MAX + 1)), NotRead::TooDeep);
        let named = format!("<a {}=''/>", "x".repeat(TOKEN_BYTES_MAX + 1));
        assert!(matches!(refused(&named), NotRead::Xml(_)));
        // One that never ends is not kept either.
        let endless = format!("<a {}", "b='' ".repeat(60_000));
        assert_eq!(refused(&endless), NotRead::TooLong);
    }
}

//! Bytes of a connection as units of a stream, and back.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};

use sandbox_net::BoxStream;

use crate::session::NotOpen;
use crate::xml::{Element, Reader, Unit, escaped};

/// Bytes that are read at a time.
const PIECE_BYTES: usize = 8 * 1024;

/// The reading end of a stream.
#[derive(Debug)]
pub struct Ear<R> {
    reader: R,
    xml: Reader,
    piece: Box<[u8]>,
    // What of the piece has not been taken yet.
    from: usize,
    to: usize,
}

impl<R: AsyncRead + Unpin> Ear<R> {
    fn new(reader: R) -> Self {
        Self {
            reader,
            xml: Reader::default(),
            piece: vec![0; PIECE_BYTES].into(),
            from: 0,
            to: 0,
        }
    }

    /// The next unit. May be dropped before it is done: nothing is lost.
    ///
    /// # Errors
    /// [`NotOpen`] when the connection is of no use any more.
    pub async fn next(&mut self) -> Result<Unit, NotOpen> {
        loop {
            let mut rest = self.piece.get(self.from..self.to).unwrap_or_default();
            let unit = self.xml.read(&mut rest)?;
            self.from = self.to - rest.len();
            if let Some(unit) = unit {
                return Ok(unit);
            }
            let read = self.reader.read(&mut self.piece).await;
            let read = read.map_err(|error| NotOpen::Ended(error.to_string()))?;
            if read == 0 {
                return Err(NotOpen::Ended("the server closed it".to_owned()));
            }
            (self.from, self.to) = (0, read);
        }
    }

    /// The next stanza.
    ///
    /// # Errors
    /// [`NotOpen`] as well when the stream is closed or has failed.
    pub async fn stanza(&mut self) -> Result<Element, NotOpen> {
        match self.next().await? {
            Unit::Stanza(stanza) if stanza.name == "error" => Err(NotOpen::failed(&stanza)),
            Unit::Stanza(stanza) => Ok(stanza),
            Unit::Closed => Err(NotOpen::Ended("the server closed the stream".to_owned())),
            Unit::Opened(_) => Err(NotOpen::Unexpected("send a stanza")),
        }
    }
}

/// The writing end of a stream.
#[derive(Debug)]
pub struct Mouth<W> {
    writer: W,
}

impl<W: AsyncWrite + Unpin> Mouth<W> {
    /// Writes; what it is has been made XML already.
    ///
    /// # Errors
    /// [`NotOpen::Ended`].
    pub async fn say(&mut self, text: &str) -> Result<(), NotOpen> {
        let written = async {
            self.writer.write_all(text.as_bytes()).await?;
            self.writer.flush().await
        };
        written
            .await
            .map_err(|error| NotOpen::Ended(error.to_string()))
    }

    /// Ends the stream and the connection; whoever does not hear it notices anyway.
    pub async fn close(&mut self) {
        let _ = self.say("</stream:stream>").await;
        let _ = self.writer.shutdown().await;
    }
}

/// Both ends of a stream.
pub struct Stream {
    /// What is heard.
    pub ear: Ear<ReadHalf<BoxStream>>,
    /// What is said.
    pub mouth: Mouth<WriteHalf<BoxStream>>,
}

impl Stream {
    /// A stream over a connection, not opened yet.
    pub fn over(connection: BoxStream) -> Self {
        let (reader, writer) = split(connection);
        Self {
            ear: Ear::new(reader),
            mouth: Mouth { writer },
        }
    }

    /// The connection, for TLS on it.
    ///
    /// # Errors
    /// [`NotOpen::Unexpected`] when more has come than was due: whoever sits between
    /// could have put that there, and it would be taken for the server's.
    pub fn into_connection(self) -> Result<BoxStream, NotOpen> {
        if self.ear.from < self.ear.to {
            return Err(NotOpen::Unexpected("wait for TLS"));
        }
        Ok(self.ear.reader.unsplit(self.mouth.writer))
    }

    /// Opens the stream, or opens it anew on the same connection; what the server offers.
    ///
    /// # Errors
    /// [`NotOpen`].
    pub async fn open(&mut self, domain: &str) -> Result<Element, NotOpen> {
        self.ear.xml = Reader::default();
        let domain = escaped(domain);
        let open = format!(
            "<?xml version='1.0'?><stream:stream to='{domain}' version='1.0' \
             xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
        );
        self.mouth.say(&open).await?;
        match self.ear.next().await? {
            Unit::Opened(open) if open.is("stream", STREAMS) => {}
            _ => return Err(NotOpen::Unexpected("open a stream")),
        }
        let features = self.ear.stanza().await?;
        if !features.is("features", STREAMS) {
            return Err(NotOpen::Unexpected("say what it offers"));
        }
        Ok(features)
    }
}

const STREAMS: &str = "http://etherx.jabber.org/streams";

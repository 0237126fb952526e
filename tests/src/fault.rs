//! What can go wrong with an answer on its way.

use std::io::{self, Write as _};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};

use crate::gateway::Wire;

/// How much a huge answer has besides what it should have.
const HUGE: usize = 50_000_000;

/// A way to break an answer below HTTP, or at its edge. All begin once the request was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is reset.
    Reset,
    /// The connection is closed.
    Closed,
    /// Nothing comes.
    Silence,
    /// Bytes that are not HTTP.
    Gibberish,
    /// The head, a byte a second.
    SlowHead,
    /// Header fields without end.
    EndlessHead,
    /// The connection is reset in the midst of the body.
    ResetInBody,
    /// The body, a byte a second.
    SlowBody,
    /// The whole body, and the connection closed although `Content-Length` says that there is more.
    Truncated,
    /// The whole body in chunks, and the connection closed without the last chunk.
    WithoutLastChunk,
    /// The whole body, and white space behind it in chunks without end.
    EndlessChunks,
    /// The whole body, and 50 MB of white space behind it, as `Content-Length` says.
    Huge,
    /// The same in chunks.
    HugeInChunks,
    /// The same in 50 kB of gzip.
    GzipBomb,
}

/// What the issuer answered.
pub(crate) struct GoodAnswer {
    pub(crate) head: Vec<u8>,
    pub(crate) body: Bytes,
}

impl Fault {
    /// Answers until the fault has run its course; an error ends the connection.
    pub(crate) async fn play(self, good: &GoodAnswer, wire: &mut Wire<'_>) -> io::Result<()> {
        let body = &good.body[..];
        match self {
            Self::Reset => wire.reset(),
            Self::Closed => Ok(()),
            Self::Silence => wire.wait().await,
            Self::Gibberish => wire.send(b"SSH-2.0-OpenSSH_9.9\r\n").await,
            Self::SlowHead => wire.trickle(&good.head).await,
            Self::EndlessHead => {
                wire.send(b"HTTP/1.1 200 OK\r\n").await?;
                let fields = b"x-filler: 0123456789abcdef\r\n".repeat(100);
                loop {
                    wire.send(&fields).await?;
                }
            }
            Self::ResetInBody => {
                wire.send(&good.head).await?;
                wire.send(&body[..body.len() / 2]).await?;
                wire.reset()
            }
            Self::SlowBody => {
                wire.send(&good.head).await?;
                wire.trickle(body).await
            }
            Self::Truncated => {
                wire.send(&with_length(body.len() + 1)).await?;
                wire.send(body).await
            }
            Self::WithoutLastChunk => {
                wire.send(CHUNKED).await?;
                wire.send(&chunk(body)).await
            }
            Self::EndlessChunks => {
                wire.send(CHUNKED).await?;
                wire.send(&chunk(body)).await?;
                let filler = chunk(&[b' '; 1024]);
                loop {
                    wire.send(&filler).await?;
                }
            }
            Self::Huge => {
                wire.send(&with_length(body.len() + HUGE)).await?;
                wire.send(body).await?;
                wire.send_blanks(HUGE, |blanks| blanks.to_vec()).await
            }
            Self::HugeInChunks => {
                wire.send(CHUNKED).await?;
                wire.send(&chunk(body)).await?;
                wire.send_blanks(HUGE, chunk).await?;
                wire.send(b"0\r\n\r\n").await
            }
            Self::GzipBomb => {
                let packed = bomb(body)?;
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
                    packed.len()
                );
                wire.send(head.as_bytes()).await?;
                wire.send(&packed).await
            }
        }
    }
}

impl Wire<'_> {
    async fn send_blanks(&mut self, count: usize, frame: impl Fn(&[u8]) -> Vec<u8>) -> io::Result<()> {
        static BLOCK: [u8; 100_000] = [b' '; 100_000];
        let framed = frame(&BLOCK);
        for _ in 0..count / BLOCK.len() {
            self.send(&framed).await?;
        }
        Ok(())
    }
}

const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";

fn with_length(length: usize) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n").into_bytes()
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// Members one after the other are one file (RFC 1952 section 2.2).
fn bomb(body: &[u8]) -> io::Result<Vec<u8>> {
    static BLOCK: [u8; 50_000] = [b' '; 50_000];
    let blanks = gzip(&BLOCK)?.repeat(HUGE / BLOCK.len());
    Ok([gzip(body)?, blanks].concat())
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

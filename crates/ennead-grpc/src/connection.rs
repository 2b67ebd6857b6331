//! One connection: bytes in and out, with as few calls of the system as there can be.
//!
//! Clients of gRPC send a PING with nearly every request, to learn how much the connection carries. Answered at once, each
//! costs both sides as much as the answer to the request does. So the answer to a PING that came together with something
//! else, or after something was answered, waits for what is written next, for some milliseconds at most; one that came
//! alone is answered at once.
//!
//! An answer is three frames: head, message and trailers. The HTTP/2 library copies short messages in between the other
//! two, and writes longer ones from where they are, so that the trailers need a call of their own. What is short it decides
//! before the first write, by whether slices can be written together: 256 bytes if so, 1 KiB if not. Copying one KiB costs
//! less than a call, so a connection does not admit to it before something was written.

#[cfg(test)]
mod tests;

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

/// A PING and the answer to it are one frame of this size.
const PING_BYTES: usize = 17;
/// Where a frame has its type and its flags, and what they are in an answer to a PING.
const PING_ANSWER: (usize, [u8; 2]) = (3, [6, 1]);
/// How long the answer to a PING waits for company: longer than a busy server takes for an answer.
const PATIENCE: Duration = Duration::from_millis(20);
/// Slices that are written in one call.
const SLICES_MAX: usize = 16;

/// One connection with its place among the allowed ones.
pub(crate) struct Connection<W = Wire> {
    wire: W,
    _place: Option<OwnedSemaphorePermit>,
    /// What was read last was more than a PING.
    has_company: bool,
    /// What was written last was not the answer to a PING.
    has_answered: bool,
    /// From then on it admits that it can write slices together.
    has_written: bool,
    /// The answer to a PING, as far as it has not been written.
    held: Held,
    /// Ends its patience; not to be asked when it is not armed.
    timer: Option<Pin<Box<Sleep>>>,
    armed: bool,
}

#[derive(Default)]
struct Held {
    bytes: [u8; PING_BYTES],
    written: usize,
    there: bool,
}

impl Held {
    fn rest(&self) -> &[u8] {
        if self.there { &self.bytes[self.written..] } else { &[] }
    }

    /// Takes note that so many bytes were written, and answers how many of them were others.
    fn advance(&mut self, count: usize) -> usize {
        let own = count.min(self.rest().len());
        self.written += own;
        if self.rest().is_empty() {
            *self = Held::default();
        }
        count - own
    }
}

pub(crate) enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection {
    pub(crate) fn new(wire: Wire, place: OwnedSemaphorePermit) -> Connection {
        Connection::over(wire, Some(place))
    }
}

impl<W: AsyncWrite + Unpin> Connection<W> {
    fn over(wire: W, place: Option<OwnedSemaphorePermit>) -> Connection<W> {
        Connection {
            wire,
            _place: place,
            has_company: false,
            has_answered: false,
            has_written: false,
            held: Held::default(),
            timer: None,
            armed: false,
        }
    }

    /// Keeps what is to be written for later, if it is the answer to a PING that may wait.
    fn hold(&mut self, slices: &[IoSlice<'_>]) -> bool {
        let (at, kind) = PING_ANSWER;
        let ping = match slices {
            [slice] if slice.len() == PING_BYTES && slice[at..at + 2] == kind => slice,
            _ => {
                self.has_answered = true;
                return false;
            }
        };
        let has_answered = std::mem::take(&mut self.has_answered);
        if self.held.there || !(self.has_company || has_answered) {
            return false;
        }
        self.held.bytes.copy_from_slice(ping);
        self.held.there = true;
        true
    }

    /// Ready when the answer to a PING has waited long enough. Called whenever something is flushed, so its task is woken.
    fn poll_patience(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(PATIENCE)));
        if !self.armed {
            timer.as_mut().reset(Instant::now() + PATIENCE);
            self.armed = true;
        }
        ready!(timer.as_mut().poll(context));
        self.armed = false;
        Poll::Ready(())
    }

    fn poll_write_held(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.held.there {
            let count = ready!(Pin::new(&mut self.wire).poll_write(context, self.held.rest()))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.held.advance(count);
        }
        Poll::Ready(Ok(()))
    }
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl<W: AsyncRead + Unpin> AsyncRead for Connection<W> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = ready!(Pin::new(&mut self.wire).poll_read(context, buffer));
        self.has_company = buffer.filled().len() - before > PING_BYTES;
        Poll::Ready(outcome)
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Connection<W> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        this.has_written = true;
        if this.hold(slices) {
            return Poll::Ready(Ok(PING_BYTES));
        }
        while this.held.there && this.wire.is_write_vectored() {
            let mut all = [IoSlice::new(&[]); SLICES_MAX];
            all[0] = IoSlice::new(this.held.rest());
            let others = slices.len().min(SLICES_MAX - 1);
            all[1..=others].copy_from_slice(&slices[..others]);
            let count = ready!(Pin::new(&mut this.wire).poll_write_vectored(context, &all[..=others]))?;
            let others = this.held.advance(count);
            if others > 0 || count == 0 {
                return Poll::Ready(Ok(others));
            }
        }
        ready!(this.poll_write_held(context))?;
        Pin::new(&mut this.wire).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.has_written && self.wire.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.held.there && self.poll_patience(context).is_ready() {
            ready!(self.poll_write_held(context))?;
        }
        Pin::new(&mut self.wire).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write_held(context))?;
        Pin::new(&mut self.wire).poll_shutdown(context)
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Wire::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Wire::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Wire::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Wire::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Wire::Tls(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Wire::Plain(stream) => stream.is_write_vectored(),
            Wire::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Plain(stream) => Pin::new(stream).poll_flush(context),
            Wire::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Wire::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

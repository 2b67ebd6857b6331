//! A body that is one JSON document after another, with or without blanks between them, as the messages that they are:
//! each as soon as it has come.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::BodyDataStream;
use bytes::{Buf, Bytes, BytesMut};
use prost_reflect::MessageDescriptor;
use tokio::sync::oneshot;
use tokio_stream::Stream;

use super::json;
use super::refusal::{INVALID_ARGUMENT, Refusal};

/// The messages of one body.
pub(super) struct Documents {
    body: BodyDataStream,
    kind: MessageDescriptor,
    cutter: Cutter,
    /// Told why there are no more messages, when it is not that the body is over.
    failed: Option<oneshot::Sender<Refusal>>,
}

impl Documents {
    /// A document may have so many bytes.
    pub(super) fn new(
        body: BodyDataStream,
        kind: MessageDescriptor,
        bytes_max: usize,
        failed: oneshot::Sender<Refusal>,
    ) -> Documents {
        Documents { body, kind, cutter: Cutter::new(bytes_max), failed: Some(failed) }
    }

    fn next_message(&mut self) -> Result<Option<Bytes>, Refusal> {
        let document = self.cutter.next_document()?;
        document.map(|document| json::parse(self.kind.clone(), &document)).transpose()
    }

    fn fail(&mut self, refusal: Refusal) -> Poll<Option<Bytes>> {
        if let Some(failed) = self.failed.take() {
            // Fails when nobody waits for answers any more.
            let _ = failed.send(refusal);
        }
        Poll::Ready(None)
    }
}

impl Stream for Documents {
    type Item = Bytes;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let this = self.get_mut();
        loop {
            match this.next_message() {
                Ok(Some(message)) => return Poll::Ready(Some(message)),
                Ok(None) => {}
                Err(refusal) => return this.fail(refusal),
            }
            match Pin::new(&mut this.body).poll_next(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(bytes))) => this.cutter.buffer.extend_from_slice(&bytes),
                Poll::Ready(None) if this.cutter.buffer.is_empty() => return Poll::Ready(None),
                Poll::Ready(_) => return this.fail(refused("the body ends within a message".to_owned())),
            }
        }
    }
}

fn refused(message: String) -> Refusal {
    Refusal::new(INVALID_ARGUMENT, message)
}

/// Finds where objects end, looking at each byte once. Whether they are right inside is not its business.
struct Cutter {
    /// What has come and is not over: never blanks at the front.
    buffer: BytesMut,
    /// How much of it was looked at.
    seen: usize,
    depth: usize,
    in_text: bool,
    escaped: bool,
    bytes_max: usize,
}

impl Cutter {
    fn new(bytes_max: usize) -> Cutter {
        Cutter { buffer: BytesMut::new(), seen: 0, depth: 0, in_text: false, escaped: false, bytes_max }
    }

    fn next_document(&mut self) -> Result<Option<Bytes>, Refusal> {
        if self.seen == 0 {
            let blanks = self.buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            self.buffer.advance(blanks);
            if self.buffer.first().is_some_and(|byte| *byte != b'{') {
                return Err(refused("expected an object for each message".to_owned()));
            }
        }
        while let Some(byte) = self.buffer.get(self.seen) {
            self.seen += 1;
            if self.escaped {
                self.escaped = false;
            } else if self.in_text {
                match byte {
                    b'\\' => self.escaped = true,
                    b'"' => self.in_text = false,
                    _ => {}
                }
            } else {
                match byte {
                    b'"' => self.in_text = true,
                    b'{' => self.depth += 1,
                    b'}' => self.depth -= 1,
                    _ => {}
                }
                if self.depth == 0 {
                    self.check_size(self.seen)?;
                    return Ok(Some(self.buffer.split_to(std::mem::take(&mut self.seen)).freeze()));
                }
            }
        }
        self.check_size(self.buffer.len())?;
        Ok(None)
    }

    fn check_size(&self, size: usize) -> Result<(), Refusal> {
        if size <= self.bytes_max {
            return Ok(());
        }
        Err(refused(format!("a message may have {} bytes", self.bytes_max)))
    }
}

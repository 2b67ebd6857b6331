//! The answers of a call on their way to the client.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use prost_reflect::MessageDescriptor;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::refusal::{DEADLINE_EXCEEDED, Refusal};
use super::{Answers, json};

/// Lines that wait for the client.
const LINES_MAX: usize = 4;

const JSON: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];

/// A call under way.
pub(super) struct Answering {
    answers: Answers,
    /// Why the messages of the client ended early; closed when they did not.
    failure: Option<oneshot::Receiver<Refusal>>,
    deadline: Option<Instant>,
}

impl Answering {
    /// Begins a call.
    pub(super) async fn begin(
        call: impl Future<Output = Result<Answers, Refusal>>,
        failure: oneshot::Receiver<Refusal>,
        deadline: Option<Instant>,
    ) -> Result<Answering, Refusal> {
        let answers = tokio::select! {
            answers = call => answers?,
            refusal = over(deadline) => return Err(refusal),
        };
        Ok(Answering { answers, failure: Some(failure), deadline })
    }

    /// The next answer; a refusal is the last.
    pub(super) async fn next(&mut self) -> Option<Result<Bytes, Refusal>> {
        loop {
            tokio::select! {
                biased;
                // The end may be that of the messages.
                answer = self.answers.next() => return answer.or_else(|| self.failure.as_mut()?.try_recv().ok().map(Err)),
                refusal = over(self.deadline) => return Some(Err(refusal)),
                failure = failed(&mut self.failure) => match failure {
                    Some(refusal) => return Some(Err(refusal)),
                    None => self.failure = None,
                },
            }
        }
    }
}

/// Ends when the client waits no longer.
async fn over(deadline: Option<Instant>) -> Refusal {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
    Refusal::new(DEADLINE_EXCEEDED, "context deadline exceeded")
}

async fn failed(failure: &mut Option<oneshot::Receiver<Refusal>>) -> Option<Refusal> {
    match failure {
        Some(failure) => failure.await.ok(),
        None => std::future::pending().await,
    }
}

/// The one answer of a call.
pub(super) fn single(document: Vec<u8>) -> Response {
    (JSON, document).into_response()
}

/// All answers of a call, a line each: `{"result": ...}`, or `{"error": ...}` at the end. There is a head once the first is
/// there, so that it can say how a call failed that has none.
pub(super) async fn stream(begun: Result<Answering, Refusal>, kind: MessageDescriptor) -> Response {
    let first = match begun {
        Ok(mut answering) => answering.next().await.transpose().map(|first| (answering, first)),
        Err(refusal) => Err(refusal),
    };
    match first {
        Ok((answering, first)) => {
            let (lines, body) = mpsc::channel(LINES_MAX);
            tokio::spawn(write(answering, first, kind, lines));
            (JSON, Body::from_stream(ReceiverStream::new(body))).into_response()
        }
        Err(refusal) => (refusal.status(), JSON, line("error", &text(&refusal))).into_response(),
    }
}

async fn write(
    mut answering: Answering,
    first: Option<Bytes>,
    kind: MessageDescriptor,
    lines: mpsc::Sender<Result<Vec<u8>, Infallible>>,
) {
    let mut next = first.map(Ok);
    while let Some(answer) = next {
        let document = match answer {
            Ok(message) => json::write(kind.clone(), message).await,
            Err(refusal) => Err(refusal),
        };
        let failed = document.is_err();
        let line = document.map_or_else(|refusal| line("error", &text(&refusal)), |document| line("result", &document));
        if lines.send(Ok(line)).await.is_err() || failed {
            return;
        }
        next = tokio::select! {
            next = answering.next() => next,
            () = lines.closed() => return,
        };
    }
}

fn text(refusal: &Refusal) -> Vec<u8> {
    // Two plain fields can be written.
    serde_json::to_vec(refusal).unwrap_or_default()
}

fn line(name: &str, document: &[u8]) -> Vec<u8> {
    [b"{\"", name.as_bytes(), b"\":", document, b"}\n"].concat()
}

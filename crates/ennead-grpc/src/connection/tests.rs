use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex};
use tokio::time::{Duration, Instant, timeout};
use tonic::codegen::http;

use super::{Connection, PATIENCE, PING_BYTES};

const ANSWER: [u8; PING_BYTES] = [0, 0, 8, 6, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

/// A connection over a pipe, after something of this many bytes was read.
async fn after_reading(bytes: usize) -> (Connection<DuplexStream>, DuplexStream) {
    let (near, mut far) = duplex(1 << 16);
    let mut connection = Connection::over(near, None);
    far.write_all(&vec![0; bytes]).await.unwrap();
    assert_eq!(connection.read(&mut [0; 1024]).await.unwrap(), bytes);
    (connection, far)
}

/// Writes and flushes as a frame is.
async fn write(connection: &mut Connection<DuplexStream>, bytes: &[u8]) {
    connection.write_all(bytes).await.unwrap();
    connection.flush().await.unwrap();
}

async fn arrives_at_once(far: &mut DuplexStream) -> Option<Vec<u8>> {
    let mut bytes = vec![0; 1024];
    let count = timeout(Duration::from_millis(1), far.read(&mut bytes)).await.ok()?.unwrap();
    bytes.truncate(count);
    Some(bytes)
}

#[tokio::test]
async fn the_answer_to_a_lone_ping_goes_at_once() {
    let (mut connection, mut far) = after_reading(PING_BYTES).await;
    write(&mut connection, &ANSWER).await;
    assert_eq!(arrives_at_once(&mut far).await.unwrap(), ANSWER);
}

#[tokio::test]
async fn the_answer_to_one_with_company_waits_for_company() {
    let (mut connection, mut far) = after_reading(PING_BYTES + 100).await;
    write(&mut connection, &ANSWER).await;
    assert_eq!(connection.held.rest(), ANSWER);
    let slices = [IoSlice::new(b"more"), IoSlice::new(b" of it")];
    let mut both = Vec::new();
    while both.len() < 10 {
        let skipped = &slices[usize::from(both.len() >= 4)..];
        let count = poll_fn(|context| Pin::new(&mut connection).poll_write_vectored(context, skipped)).await.unwrap();
        both.extend_from_slice(&b"more of it"[both.len()..both.len() + count]);
    }
    let mut got = [0; PING_BYTES + 10];
    far.read_exact(&mut got).await.unwrap();
    assert_eq!(got[..PING_BYTES], ANSWER);
    assert_eq!(&got[PING_BYTES..], b"more of it");
    assert!(!connection.held.there);
}

#[tokio::test]
async fn one_that_follows_an_answer_waits_and_the_next_does_not() {
    let (mut connection, mut far) = after_reading(PING_BYTES).await;
    write(&mut connection, b"an answer").await;
    assert_eq!(arrives_at_once(&mut far).await.unwrap(), b"an answer");
    write(&mut connection, &ANSWER).await;
    assert_eq!(connection.held.rest(), ANSWER);
    // Nor are there ever two that wait.
    write(&mut connection, &ANSWER).await;
    assert_eq!(arrives_at_once(&mut far).await.unwrap(), [ANSWER, ANSWER].concat());
    write(&mut connection, &ANSWER).await;
    assert_eq!(arrives_at_once(&mut far).await.unwrap(), ANSWER);
}

#[tokio::test]
async fn nor_does_it_wait_for_ever() {
    let (mut connection, mut far) = after_reading(1000).await;
    for _ in 0..3 {
        let begun = Instant::now();
        write(&mut connection, &ANSWER).await;
        // The task of the connection flushes whenever it is woken.
        let flushing = poll_fn(|context: &mut Context<'_>| {
            let _ = Pin::new(&mut connection).poll_flush(context);
            if connection.held.there { Poll::Pending } else { Poll::Ready(()) }
        });
        timeout(Duration::from_secs(20), flushing).await.unwrap();
        assert!(begun.elapsed() >= PATIENCE / 2);
        let mut got = [0; PING_BYTES];
        far.read_exact(&mut got).await.unwrap();
        assert_eq!(got, ANSWER);
    }
}

#[tokio::test]
async fn the_end_takes_it_along() {
    let (mut connection, mut far) = after_reading(1000).await;
    write(&mut connection, &ANSWER).await;
    connection.shutdown().await.unwrap();
    let mut got = Vec::new();
    far.read_to_end(&mut got).await.unwrap();
    assert_eq!(got, ANSWER);
}

/// A pipe that counts calls which write, and can write slices together as a socket can.
struct Counting {
    pipe: DuplexStream,
    writes: Arc<AtomicUsize>,
}

impl AsyncRead for Counting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_read(context, buffer)
    }
}

impl AsyncWrite for Counting {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        let all: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        Pin::new(&mut self.pipe).poll_write(context, &all)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_shutdown(context)
    }
}

/// Answers every request with a message of so many bytes and trailers.
async fn answer(connection: Connection<Counting>, bytes: usize) {
    let mut server = h2::server::handshake(connection).await.unwrap();
    while let Some(request) = server.accept().await {
        let (_, mut respond) = request.unwrap();
        let mut body = respond.send_response(http::Response::new(()), false).unwrap();
        body.send_data(vec![0; bytes].into(), false).unwrap();
        body.send_trailers(http::HeaderMap::new()).unwrap();
    }
}

/// Calls that write for one answer, once both sides know each other.
async fn writes_for_an_answer(bytes: usize) -> usize {
    let (near, far) = duplex(1 << 20);
    let writes = Arc::new(AtomicUsize::new(0));
    let connection = Connection::over(Counting { pipe: near, writes: Arc::clone(&writes) }, None);
    tokio::spawn(answer(connection, bytes));
    let (mut client, driver) = h2::client::handshake(far).await.unwrap();
    tokio::spawn(driver);
    let mut before = 0;
    for _ in 0..2 {
        before = writes.load(Ordering::SeqCst);
        let (response, _) = client.send_request(http::Request::new(()), true).unwrap();
        let mut body = response.await.unwrap().into_body();
        let mut got = 0;
        while let Some(data) = body.data().await {
            got += data.unwrap().len();
        }
        assert_eq!(got, bytes);
        assert!(body.trailers().await.unwrap().is_some());
    }
    writes.load(Ordering::SeqCst) - before
}

#[tokio::test]
async fn a_short_answer_is_written_by_one_call() {
    for bytes in [0, 100, 300, 1000] {
        assert_eq!(timeout(Duration::from_secs(20), writes_for_an_answer(bytes)).await.unwrap(), 1, "{bytes} bytes");
    }
}

#[tokio::test]
async fn a_long_message_is_not_copied() {
    let writes = timeout(Duration::from_secs(20), writes_for_an_answer(10_000)).await.unwrap();
    assert_eq!(writes, 2, "head with the message, then the trailers");
}

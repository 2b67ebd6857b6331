use std::pin::Pin;
use std::task::{Context, Poll};
use std::{future::poll_fn, io::IoSlice};

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Duration, Instant, timeout};

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

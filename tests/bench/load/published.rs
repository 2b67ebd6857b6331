//! Messages to many subscribers of one channel. All have one length, so a subscriber counts bytes and compares the last message.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// Without a message for so long a subscriber has missed one.
const PATIENCE: Duration = Duration::from_secs(60);

const SUBSCRIBE: &[u8] = b"*2\r\n$9\r\nSUBSCRIBE\r\n$4\r\nnews\r\n";
const SUBSCRIBED: &[u8] = b"*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n";

/// Prints the seconds from the first PUBLISH until each subscriber has all messages.
pub(crate) fn published(port: u64, subscribers: u64, publishers: u64, each: u64, value_bytes: u64) {
    let text = vec![b'm'; value_bytes as usize];
    let tail = [format!("$4\r\nnews\r\n${value_bytes}\r\n").as_bytes(), &text, b"\r\n"].concat();
    let request = [b"*3\r\n$7\r\nPUBLISH\r\n", tail.as_slice()].concat();
    let message = [b"*3\r\n$7\r\nmessage\r\n", tail.as_slice()].concat();
    let told = format!(":{subscribers}\r\n");
    let ready = Barrier::new((subscribers + publishers) as usize + 1);
    let seconds = std::thread::scope(|scope| {
        for _ in 0..subscribers {
            scope.spawn(|| {
                let mut stream = subscribe(port);
                ready.wait();
                receive(&mut stream, &message, publishers * each);
            });
        }
        for _ in 0..publishers {
            scope.spawn(|| {
                let mut stream = super::connect(port);
                let mut reply = vec![0; told.len()];
                ready.wait();
                for _ in 0..each {
                    stream.write_all(&request).unwrap();
                    stream.read_exact(&mut reply).unwrap();
                    assert_eq!(reply, told.as_bytes(), "not all subscribers were told");
                }
            });
        }
        ready.wait();
        Instant::now()
    });
    println!("{:.6}", seconds.elapsed().as_secs_f64());
}

fn subscribe(port: u64) -> TcpStream {
    let mut stream = super::connect(port);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(SUBSCRIBE).unwrap();
    let mut reply = vec![0; SUBSCRIBED.len()];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(reply, SUBSCRIBED, "{}", reply.escape_ascii());
    stream
}

/// Takes so many messages, and looks at the last: it is what it should be when none before it was cut or left out.
fn receive(stream: &mut TcpStream, message: &[u8], count: u64) {
    let mut left = (count - 1) * message.len() as u64;
    let mut buffer = vec![0; 64 << 10];
    while left > 0 {
        let most = buffer.len().min(left as usize);
        let taken = stream.read(&mut buffer[..most]).unwrap();
        assert!(taken > 0, "the server closed a subscriber");
        left -= taken as u64;
    }
    let mut last = vec![0; message.len()];
    stream.read_exact(&mut last).unwrap();
    assert_eq!(last, message, "{}", last.escape_ascii());
}

//! A client of HTTP as small as the gateway needs it: a request, and its answer whole or line by line.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use crate::wait::TIMEOUT;

/// Where a server is, and which token is shown to it.
#[derive(Clone)]
pub(in crate::etcd) struct Web {
    address: SocketAddr,
    pub(in crate::etcd) token: Option<String>,
}

/// An answer on its way.
pub(in crate::etcd) struct Answer {
    pub(in crate::etcd) status: u16,
    reader: BufReader<TcpStream>,
    /// Bytes that are still to come, of the body or of its chunk.
    left: usize,
    chunked: bool,
    got: Vec<u8>,
}

impl Web {
    pub(in crate::etcd) fn new(address: SocketAddr) -> Web {
        Web { address, token: None }
    }

    /// Status and body of a request to a path below `/v3/`. A body that is no JSON is a string.
    pub(in crate::etcd) fn post(&self, path: &str, body: &str) -> (u16, Value) {
        self.open("POST", path, body).whole()
    }

    /// Sends a request and waits for the head of its answer.
    pub(in crate::etcd) fn open(&self, method: &str, path: &str, body: &str) -> Answer {
        Answer::begin(self.send(method, path, body))
    }

    /// Sends a request.
    pub(in crate::etcd) fn send(&self, method: &str, path: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        let token = self.token.as_ref().map(|token| format!("Authorization: {token}\r\n")).unwrap_or_default();
        let head = format!("{method} /v3/{path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{token}");
        write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        stream
    }

    /// Sends the head of a request whose body comes in chunks.
    pub(in crate::etcd) fn begin_chunked(&self, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        write!(stream, "POST /v3/{path} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        stream
    }
}

impl Answer {
    /// Waits for the head of the answer.
    pub(in crate::etcd) fn begin(stream: TcpStream) -> Answer {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap_or_else(|| panic!("no answer but {line:?}")).parse().unwrap();
        let mut answer = Answer { status, reader, left: 0, chunked: false, got: Vec::new() };
        loop {
            let mut line = String::new();
            answer.reader.read_line(&mut line).unwrap();
            match line.trim().to_ascii_lowercase().split_once(": ") {
                Some(("transfer-encoding", "chunked")) => answer.chunked = true,
                Some(("content-length", length)) => answer.left = length.parse().unwrap(),
                Some(_) => {}
                None => return answer,
            }
        }
    }

    /// Status and body. A body that is no JSON is a string.
    pub(in crate::etcd) fn whole(mut self) -> (u16, Value) {
        while self.read_piece() {}
        let text = String::from_utf8(self.got).unwrap();
        (self.status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// False when the body is over.
    fn read_piece(&mut self) -> bool {
        if self.chunked {
            let mut line = String::new();
            self.reader.read_line(&mut line).unwrap();
            self.left = usize::from_str_radix(line.trim(), 16).unwrap_or_else(|_| panic!("no chunk but {line:?}"));
        }
        let mut piece = vec![0; std::mem::take(&mut self.left)];
        self.reader.read_exact(&mut piece).unwrap();
        if self.chunked {
            // The end of the line behind it.
            self.reader.read_exact(&mut [0; 2]).unwrap();
        }
        self.got.extend_from_slice(&piece);
        !piece.is_empty()
    }

    /// The next line of the body; None when that is over.
    pub(in crate::etcd) fn line(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.got.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.got.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).unwrap());
            }
            if !self.read_piece() {
                return None;
            }
        }
    }
}

//! The sending side of MIGRATE: values go to another server of Redis's protocol, in a thread of their own.
//!
//! It knows payloads and replies, nothing of keyspaces: what becomes of the keys here is decided by the engine once it
//! has the [`Report`].

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicUsize, Ordering};

use ennead_engine::migration::{Done, Parcel, Report, Target};

/// Threads that send at one time, for all sessions of the process.
const SENDING_MAX: usize = 64;
/// Of a line of the other server.
const LINE_BYTES_MAX: u64 = 64 << 10;

static SENDING: AtomicUsize = AtomicUsize::new(0);

/// Gives its place back when it is dropped.
struct Place;

impl Place {
    fn take() -> io::Result<Place> {
        if SENDING.fetch_add(1, Ordering::Relaxed) >= SENDING_MAX {
            SENDING.fetch_sub(1, Ordering::Relaxed);
            return Err(io::Error::other(format!("{SENDING_MAX} MIGRATE commands are at work already")));
        }
        Ok(Place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        SENDING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Begins to send; `done` is called with the report when everything is answered or nothing can be any more.
///
/// # Errors
/// Too many are sending, or the system gives no thread; `done` is not called then.
pub fn send(target: Target, parcels: Vec<Parcel>, done: Done) -> io::Result<()> {
    let place = Place::take()?;
    std::thread::Builder::new().name("migrate".to_owned()).spawn(move || {
        let mut taken = vec![false; parcels.len()];
        let failure = talk(&target, &parcels, &mut taken).err();
        drop(place);
        done(Report { taken, failure });
    })?;
    Ok(())
}

fn talk(target: &Target, parcels: &[Parcel], taken: &mut [bool]) -> Result<(), String> {
    let stream = connect(target)?;
    let mut output = &stream;
    output.write_all(&requests(target, parcels)).map_err(|_| broken("writing"))?;
    let mut input = BufReader::new(&stream);
    let mut refused = None;
    for _ in 0..1 + usize::from(!target.credentials.is_empty()) {
        let reply = line(&mut input)?;
        refused = refused.or(error_of(&reply));
    }
    // Where the login or the database is refused, what comes behind goes to nobody knows whom.
    let astray = refused.is_some();
    for taken in taken {
        let reply = line(&mut input)?;
        let error = error_of(&reply);
        *taken = !astray && error.is_none();
        refused = refused.or(error);
    }
    match refused {
        Some(text) => Err(format!("ERR Target instance replied with error: {text}")),
        None => Ok(()),
    }
}

fn connect(target: &Target) -> Result<TcpStream, String> {
    let failed = "IOERR error or timeout connecting to the client";
    let addresses = (target.host.as_str(), target.port).to_socket_addrs().map_err(|_| failed)?;
    let mut problem = failed.to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(&address, target.timeout) {
            Ok(stream) => {
                let limits = stream
                    .set_read_timeout(Some(target.timeout))
                    .and_then(|()| stream.set_write_timeout(Some(target.timeout)))
                    .and_then(|()| stream.set_nodelay(true));
                return limits.map(|()| stream).map_err(|_| failed.to_owned());
            }
            // Redis notices a port where nobody listens at its first write.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => problem = broken("writing"),
            Err(_) => {}
        }
    }
    Err(problem)
}

fn broken(what: &str) -> String {
    format!("IOERR error or timeout {what} to target instance")
}

fn requests(target: &Target, parcels: &[Parcel]) -> Vec<u8> {
    let mut bytes =
        Vec::with_capacity(parcels.iter().map(|parcel| parcel.key.len() + parcel.payload.len() + 100).sum());
    if !target.credentials.is_empty() {
        let mut words: Vec<&[u8]> = vec![b"AUTH"];
        words.extend(target.credentials.iter().map(Vec::as_slice));
        request(&words, &mut bytes);
    }
    request(&[b"SELECT", target.database.to_string().as_bytes()], &mut bytes);
    for Parcel { key, payload, ttl_ms } in parcels {
        let ttl = ttl_ms.to_string();
        let mut words: Vec<&[u8]> = vec![b"RESTORE", key, ttl.as_bytes(), payload];
        if target.replace {
            words.push(b"REPLACE");
        }
        request(&words, &mut bytes);
    }
    bytes
}

fn request(words: &[&[u8]], bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
}

/// A reply; all that are expected here are one line.
fn line(input: &mut impl BufRead) -> Result<Vec<u8>, String> {
    let mut line = Vec::new();
    let read = input.take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
    match read {
        Ok(_) if line.ends_with(b"\n") => Ok(line),
        _ => Err(broken("reading")),
    }
}

fn error_of(reply: &[u8]) -> Option<String> {
    let text = reply.strip_prefix(b"-")?;
    Some(String::from_utf8_lossy(text).trim_end().to_owned())
}

//! A copy of all data as of one moment, as a snapshot file: whole for who has the store to itself, or in pieces for a
//! connection, made by a thread of its own that is never far ahead of what is sent.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, SyncSender, TryRecvError};

use ennead_kv::rdb::file::{self, Contents, Exported};
use ennead_store::Store;

use crate::clients::Client;
use crate::engine::random_word;
use crate::scripting::stored_libraries;
use crate::{ENNEAD_VERSION, Engine, REDIS_VERSION};

/// Copies that are made at one time.
const COPIES_MAX: usize = 4;
const PIECE_BYTES: usize = 64 << 10;
/// Pieces that may wait to be sent.
const PIECES_MAX: usize = 8;
/// Letters of the mark that stands behind a copy in pieces.
const MARK: usize = 40;

static COPIES: AtomicUsize = AtomicUsize::new(0);

/// What goes into a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// The keys of all databases.
    pub keys: bool,
    /// The libraries of functions.
    pub functions: bool,
}

impl Default for Content {
    fn default() -> Content {
        Content { keys: true, functions: true }
    }
}

/// Writes a copy of what a store holds as it is now; `progress` is told keys done and in all.
///
/// # Errors
/// The store cannot be read, or the output not be written: the file is not whole then.
pub fn write_copy(
    store: &Store,
    output: impl Write,
    content: Content,
    now_ms: u64,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Exported, file::Error> {
    let snapshot = store.snapshot();
    let libraries = if content.functions { stored_libraries(store, &snapshot)? } else { Vec::new() };
    let created = (now_ms / 1000).to_string();
    let notes =
        [("redis-ver", REDIS_VERSION), ("redis-bits", "64"), ("ctime", &created), ("ennead-ver", ENNEAD_VERSION)];
    let contents = Contents { notes: &notes, libraries: &libraries, keys: content.keys };
    file::export(store, &snapshot, output, &contents, now_ms, progress)
}

/// What a copy in the making has for its reader.
#[derive(Debug)]
pub enum Made {
    /// The next bytes to send.
    Piece(Vec<u8>),
    /// Nothing yet; the client is woken.
    Later,
    /// Everything was given.
    End,
    /// It cannot be finished; why.
    Failed(String),
}

/// A copy in the making. Dropped, it is given up.
#[derive(Debug)]
pub(crate) struct Copy {
    pieces: Receiver<io::Result<Vec<u8>>>,
    ended: bool,
}

/// Gives its place back when it is dropped.
struct Place;

impl Place {
    fn take() -> io::Result<Place> {
        if COPIES.fetch_add(1, Relaxed) >= COPIES_MAX {
            COPIES.fetch_sub(1, Relaxed);
            return Err(io::Error::other(format!("{COPIES_MAX} are being made already")));
        }
        Ok(Place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        COPIES.fetch_sub(1, Relaxed);
    }
}

impl Copy {
    /// Begins a copy in the form in which replicas get one: a line with a mark, the file, the mark.
    ///
    /// # Errors
    /// Too many are made already, or the system gives no thread.
    pub(crate) fn begin(engine: &Engine, client: &Arc<Client>, content: Content, now_ms: u64) -> io::Result<Copy> {
        let place = Place::take()?;
        let (sender, pieces) = mpsc::sync_channel(PIECES_MAX);
        let (store, client) = (engine.store().clone(), Arc::clone(client));
        std::thread::Builder::new().name("copy".to_owned()).spawn(move || {
            let mut output = Pieces { gathered: Vec::new(), sender, client };
            let mark = mark();
            let made = output
                .write_all(format!("$EOF:{mark}\r\n").as_bytes())
                .map_err(file::Error::from)
                .and_then(|()| write_copy(&store, &mut output, content, now_ms, &mut |_, _| {}))
                .and_then(|_| Ok(output.write_all(mark.as_bytes()).and_then(|()| output.flush())?));
            if let Err(error) = made {
                // Nobody listens when the connection is gone, which is the usual reason.
                let _ = output.sender.send(Err(io::Error::other(error.to_string())));
            }
            let Pieces { sender, client, .. } = output;
            drop((sender, place));
            client.wake();
        })?;
        Ok(Copy { pieces, ended: false })
    }

    pub(crate) fn next(&mut self) -> Made {
        if self.ended {
            return Made::End;
        }
        match self.pieces.try_recv() {
            Ok(Ok(piece)) => Made::Piece(piece),
            Ok(Err(error)) => Made::Failed(error.to_string()),
            Err(TryRecvError::Empty) => Made::Later,
            Err(TryRecvError::Disconnected) => {
                self.ended = true;
                Made::End
            }
        }
    }
}

/// Forty letters that no file has at its end by chance.
fn mark() -> String {
    let words: String = (0..3).map(|_| format!("{:016x}", random_word())).collect();
    words.chars().take(MARK).collect()
}

/// Gathers bytes and gives them on in pieces, waiting for their reader.
struct Pieces {
    gathered: Vec<u8>,
    sender: SyncSender<io::Result<Vec<u8>>>,
    client: Arc<Client>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.gathered.len() >= PIECE_BYTES {
            self.flush()?;
        }
        let taken = bytes.len().min(PIECE_BYTES);
        self.gathered.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.gathered.is_empty() {
            let piece = std::mem::take(&mut self.gathered);
            self.sender.send(Ok(piece)).map_err(|_| io::Error::other("the connection is gone"))?;
            self.client.wake();
        }
        Ok(())
    }
}

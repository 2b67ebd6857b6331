//! `ennead export --rdb`: a snapshot file that redis-server loads, of a data directory that no server uses or of a running
//! server. What stands in the file's place before stays there until the new one is whole and on disk.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use ennead_engine::Content;
use ennead_engine::snapshot_file::{Limits, Part, Reader};
use ennead_store::Store;

use crate::arguments::ExportArguments;
use crate::maintenance::{present, say, told};
use crate::meter::{Meter, bar};
use crate::peer::address::{Address, SCHEME_ENCRYPTED};
use crate::peer::source::{Answer, Length, Source};
use crate::shutdown;
use crate::tls::Trust;

const BUFFER_BYTES: usize = 256 << 10;
/// Of a value that is looked at on its way into the file.
const LIMITS: Limits = Limits { whole_bytes_max: 1 << 20, piece_bytes: 256 << 10 };
/// Keys between two reports of progress.
const PROGRESS_KEYS: u64 = 1024;

/// # Durability
/// The file is on disk when it returns, whole; a failure leaves what was there before.
pub(crate) fn run(arguments: &ExportArguments) -> Result<(), String> {
    let path = &arguments.rdb;
    let from = arguments.from.as_deref().map(Address::parse).transpose()?;
    let trust = Trust::load(&arguments.tls, from.as_ref().is_some_and(|from| from.encrypted), SCHEME_ENCRYPTED)?;
    match from {
        Some(from) => from_server(path, &from, &trust),
        None => from_directory(path, arguments),
    }
}

fn from_directory(path: &Path, arguments: &ExportArguments) -> Result<(), String> {
    let store = Store::open(present(&arguments.data)?).map_err(|error| told(&error))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let written = replace(path, |file| {
        let mut meter = Meter::new();
        let written = ennead_engine::write_copy(
            &store,
            BufWriter::with_capacity(BUFFER_BYTES, file),
            Content::default(),
            now.as_millis() as u64,
            &mut |done, total| meter.show(|| format!("{}{done} of {total} keys", bar(done, total))),
        );
        meter.clear();
        written.map_err(|error| format!("{}: {error}", path.display()))
    })?;
    store.close().map_err(|error| told(&error))?;
    let expired = match written.expired {
        0 => String::new(),
        count => format!(", {count} left out because their time is over"),
    };
    say(&format!("{}: {} keys{expired}, {} bytes", path.display(), written.keys, written.bytes))
}

/// As a replica that wants nothing but the snapshot.
fn from_server(path: &Path, from: &Address, trust: &Trust) -> Result<(), String> {
    if from.db.is_some() {
        return Err("--from names no database: a snapshot file has all of them".to_owned());
    }
    let stop = shutdown::flag()?;
    let mut source = Source::connect(from, trust, &stop)?;
    source.want_snapshot_only()?;
    match source.synchronize(None)? {
        Answer::Full(_) => {}
        Answer::Later(why) => return Err(format!("{} is not ready: {why}", from.place())),
        Answer::Continue(_) => return Err(format!("{} answers with no snapshot", from.place())),
    }
    let length = source.snapshot()?;
    let (keys, bytes) = replace(path, |file| copy(&mut source, &length, file))?;
    say(&format!("{}: {keys} keys, {bytes} bytes", path.display()))
}

/// Copies what the source sends, and reads it on the way: a file that cannot be read is no copy.
fn copy(source: &mut Source<'_>, length: &Length, file: &File) -> Result<(u64, u64), String> {
    let mut output = BufWriter::with_capacity(BUFFER_BYTES, file);
    let mut meter = Meter::new();
    let (mut keys, mut announced) = (0, 0);
    let mut reader =
        Reader::new(Tee { source: &mut *source, output: &mut output }, LIMITS).map_err(|e| e.to_string())?;
    let outcome = loop {
        match reader.next() {
            Ok(Some(Part::Size { keys })) => announced += keys,
            Ok(Some(Part::Key(_))) => {
                keys += 1;
                if keys % PROGRESS_KEYS == 0 {
                    let bytes = reader.bytes();
                    let place =
                        if let Length::Bytes(total) = length { bar(bytes, *total) } else { bar(keys, announced) };
                    meter.show(|| format!("{place}{keys} keys, {} MiB", bytes >> 20));
                }
            }
            Ok(Some(_)) => {}
            Ok(None) => break Ok(()),
            Err(error) => break Err(error.to_string()),
        }
    };
    let bytes = reader.bytes();
    drop(reader);
    meter.clear();
    outcome?;
    source.end_snapshot(length, bytes)?;
    output.flush().map_err(|error| error.to_string())?;
    Ok((keys, bytes))
}

/// Keeps what is read through it.
struct Tee<R, W> {
    source: R,
    output: W,
}

impl<R: Read, W: Write> Read for Tee<R, W> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let len = self.source.read(bytes)?;
        self.output.write_all(&bytes[..len])?;
        Ok(len)
    }
}

/// Has a file written beside, and puts it in its place when it is whole.
fn replace<T>(path: &Path, write: impl FnOnce(&File) -> Result<T, String>) -> Result<T, String> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".draft");
    let failed = |error: io::Error| format!("{}: {error}", path.display());
    let file = File::create(&draft).map_err(failed)?;
    let whole = write(&file).and_then(|written| {
        file.sync_all().and_then(|()| std::fs::rename(&draft, path)).map_err(failed).map(|()| written)
    });
    if whole.is_err() {
        // What is not whole is of no use; that it cannot be removed changes nothing about the failure.
        let _ = std::fs::remove_file(&draft);
    }
    whole
}

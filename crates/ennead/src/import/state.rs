//! The file that a second start goes on from: which stream of the source was followed to the target, and how far. It is
//! only used after an orderly end; while commands are on their way nobody can say how many of them were carried out, and
//! none may be carried out twice.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::peer::source::Position;

#[cfg(test)]
mod tests;

const HEAD: &str = "ennead-import 1";

/// Changes whenever the target deletes a key because its time is over, or is started anew. A key that is gone here may have
/// got more time there, so nothing can be gone on with then.
pub(super) type Expiries = String;

/// What a state file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known {
    /// There is none, or one of another source or target.
    Nothing,
    /// An import is at work, or ended without a chance to say how far it was.
    Broken,
    At(Position, Expiries),
}

#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    /// Which source goes where.
    names: String,
}

impl StateFile {
    pub(super) fn new(path: &Path, source: &str, target: &str) -> StateFile {
        StateFile { path: path.to_owned(), names: format!("source={source}\ntarget={target}\n") }
    }

    /// # Errors
    /// One line: the file is there and cannot be read, or is something else.
    pub(super) fn read(&self) -> Result<Known, String> {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Known::Nothing),
            Err(error) => return Err(format!("{}: {error}", self.path.display())),
        };
        let foreign = || format!("{} is no state file of an import; name another by --state FILE", self.path.display());
        let rest = text.strip_prefix(HEAD).and_then(|rest| rest.strip_prefix('\n')).ok_or_else(foreign)?;
        let Some(rest) = rest.strip_prefix(&self.names) else { return Ok(Known::Nothing) };
        let field = |name: &str| rest.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        let number = |name| field(name).and_then(|text| text.parse().ok()).ok_or_else(foreign);
        match field("state") {
            Some("underway") => Ok(Known::Broken),
            Some("stopped") => {
                let id = field("replication-id").ok_or_else(foreign)?.to_owned();
                let expiries = field("expiries").ok_or_else(foreign)?.to_owned();
                Ok(Known::At(Position { id, offset: number("offset")?, db: number("database")? }, expiries))
            }
            _ => Err(foreign()),
        }
    }

    /// From here on nothing can be gone on from.
    pub(super) fn begin(&self) -> Result<(), String> {
        self.write("state=underway\n")
    }

    /// Everything up to a place is done, and nothing behind it.
    pub(super) fn stop(&self, Position { id, offset, db }: &Position, expiries: &Expiries) -> Result<(), String> {
        let place = format!("replication-id={id}\noffset={offset}\ndatabase={db}\nexpiries={expiries}\n");
        self.write(&format!("state=stopped\n{place}"))
    }

    /// # Durability
    /// On disk when it returns, whole or not at all.
    fn write(&self, state: &str) -> Result<(), String> {
        let draft = self.path.with_extension("draft");
        let write = || {
            let mut file = std::fs::File::create(&draft)?;
            file.write_all(format!("{HEAD}\n{}{state}", self.names).as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&draft, &self.path)
        };
        write()
            .map_err(|error: std::io::Error| format!("{}: {error}; name another by --state FILE", self.path.display()))
    }
}

//! Functions: libraries of Lua that clients load and that stay, in memory and in the store.
//!
//! All of them live in one interpreter, since what a library keeps in its variables is the same for all callers. It goes
//! to whichever thread runs a function, and no function runs without it. Lock order: the keyspace, then the interpreter.
//! Invariant: a change is in the log before it is seen.

mod catalogue;
mod rows;

use std::sync::Arc;
use std::time::Duration;

use ennead_kv::{Error, Result};
use ennead_store::{Sequence, Store};
use parking_lot::{MappedMutexGuard, Mutex, MutexGuard, RwLock};

pub(crate) use self::catalogue::Catalogue;
use self::rows::Rows;
pub(crate) use self::rows::stored_libraries;
use super::flags::ScriptFlags;
use super::interpreter::Interpreter;
use super::program::Pace;
use super::shebang;

/// How long a library may run to register its functions.
const LOAD_TIME_MAX: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(crate) struct Library {
    pub(crate) name: String,
    pub(crate) text: Vec<u8>,
    pub(crate) functions: Vec<Arc<Function>>,
}

#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) description: Option<Vec<u8>>,
    pub(crate) flags: ScriptFlags,
    pub(super) pace: Pace,
    /// In the interpreter.
    pub(super) number: u64,
}

/// What FUNCTION RESTORE does with the libraries there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Restoring {
    Append,
    Replace,
    Flush,
}

pub(crate) struct Functions {
    rows: Rows,
    /// Made on first use. Who has it may change the catalogue.
    interpreter: Mutex<Option<Interpreter>>,
    catalogue: RwLock<Arc<Catalogue>>,
}

/// The right to change libraries. Nobody runs a function meanwhile.
pub(crate) struct Editor<'f> {
    functions: &'f Functions,
    interpreter: MappedMutexGuard<'f, Interpreter>,
}

impl Functions {
    /// Reads the libraries of the store and loads them.
    pub(crate) fn open(store: &Store) -> Result<Functions> {
        let functions =
            Functions { rows: Rows::open(store)?, interpreter: Mutex::default(), catalogue: RwLock::default() };
        let texts = functions.rows.read()?;
        if texts.is_empty() {
            return Ok(functions);
        }
        let mut editor = functions.edit()?;
        let mut catalogue = Catalogue::default();
        for text in texts {
            let loaded = editor.load_text(&text, None).and_then(|library| catalogue.add(&library));
            if let Err(problem) = loaded {
                let problem = format!("a library of functions cannot be loaded: {problem}");
                return Err(Error::Store(ennead_store::Error::Corrupted(problem)));
            }
        }
        *functions.catalogue.write() = Arc::new(catalogue);
        drop(editor);
        Ok(functions)
    }

    pub(crate) fn catalogue(&self) -> Arc<Catalogue> {
        Arc::clone(&self.catalogue.read())
    }

    pub(crate) fn get(&self, name: &[u8]) -> Option<Arc<Function>> {
        self.catalogue.read().function(name)
    }

    /// Bytes that the interpreter has allocated; none while a function runs.
    pub(crate) fn memory(&self) -> Option<usize> {
        let interpreter = self.interpreter.try_lock()?;
        Some(interpreter.as_ref().map_or(0, Interpreter::used_memory))
    }

    /// Waits for the function that runs.
    pub(crate) fn edit(&self) -> Result<Editor<'_>> {
        self.editor(self.interpreter.lock())
    }

    /// None while a function runs.
    pub(crate) fn try_edit(&self) -> Result<Option<Editor<'_>>> {
        self.interpreter.try_lock().map(|interpreter| self.editor(interpreter)).transpose()
    }

    fn editor<'f>(&'f self, mut interpreter: MutexGuard<'f, Option<Interpreter>>) -> Result<Editor<'f>> {
        if interpreter.is_none() {
            let made =
                Interpreter::new().map_err(|problem| Error::Text(format!("ERR no interpreter: {problem}").into()));
            *interpreter = Some(made?);
        }
        let interpreter = MutexGuard::try_map(interpreter, Option::as_mut);
        let interpreter = interpreter.map_err(|_| Error::text("ERR no interpreter"))?;
        Ok(Editor { functions: self, interpreter })
    }
}

impl Editor<'_> {
    pub(super) fn interpreter(&mut self) -> &mut Interpreter {
        &mut self.interpreter
    }

    /// A library with its functions in the interpreter, not yet in the catalogue.
    fn load_text(&mut self, text: &[u8], limit: Option<Duration>) -> Result<Arc<Library>, String> {
        let (name, code) = shebang::library(text)?;
        self.load_code(name, text, code, limit)
    }

    fn load_code(
        &mut self,
        name: String,
        text: &[u8],
        code: &[u8],
        limit: Option<Duration>,
    ) -> Result<Arc<Library>, String> {
        let loaded = self.interpreter.load(code, limit)?;
        if loaded.is_empty() {
            return Err("ERR No functions registered".to_owned());
        }
        let function = |(number, registration): (u64, super::interpreter::Registration)| {
            Arc::new(Function {
                name: registration.name,
                description: registration.description,
                flags: registration.flags,
                pace: Pace::default(),
                number,
            })
        };
        let functions = loaded.into_iter().map(function).collect();
        Ok(Arc::new(Library { name, text: text.to_vec(), functions }))
    }

    fn forget<'l>(&mut self, libraries: impl IntoIterator<Item = &'l Arc<Library>>) {
        for function in libraries.into_iter().flat_map(|library| &library.functions) {
            self.interpreter.forget(function.number);
        }
    }

    /// FUNCTION LOAD: the library's name.
    ///
    /// # Durability
    /// The reply waits for the sequence.
    pub(crate) fn load(&mut self, text: &[u8], replace: bool) -> Result<(String, Sequence)> {
        let (name, code) = shebang::library(text).map_err(error)?;
        let mut catalogue = Catalogue::clone(&self.functions.catalogue());
        if catalogue.libraries.contains_key(&name) && !replace {
            return Err(error(format!("ERR Library '{name}' already exists")));
        }
        let library = self.load_code(name.clone(), text, code, Some(LOAD_TIME_MAX)).map_err(error)?;
        let former = catalogue.remove(&name);
        let added = catalogue.add(&library).map_err(error);
        let stored = added.and_then(|()| Ok(self.functions.rows.change([].into_iter(), [&*library].into_iter())?));
        match stored {
            Ok(sequence) => {
                *self.functions.catalogue.write() = Arc::new(catalogue);
                self.forget(&former);
                Ok((name, sequence))
            }
            Err(error) => {
                self.forget([&library]);
                Err(error)
            }
        }
    }

    /// FUNCTION DELETE.
    ///
    /// # Durability
    /// The reply waits for the sequence.
    pub(crate) fn delete(&mut self, name: &[u8]) -> Result<Sequence> {
        let mut catalogue = Catalogue::clone(&self.functions.catalogue());
        let library = std::str::from_utf8(name).ok().and_then(|name| catalogue.remove(name));
        let library = library.ok_or(Error::text("ERR Library not found"))?;
        let sequence = self.functions.rows.change([library.name.as_str()].into_iter(), [].into_iter())?;
        *self.functions.catalogue.write() = Arc::new(catalogue);
        self.forget([&library]);
        Ok(sequence)
    }

    /// FUNCTION FLUSH. None if there was nothing.
    ///
    /// # Durability
    /// The reply waits for the sequence.
    pub(crate) fn flush(&mut self) -> Result<Option<Sequence>> {
        self.restore(&[], Restoring::Flush)
    }

    /// FUNCTION RESTORE: adds libraries, all or none. None if that changes nothing.
    ///
    /// # Durability
    /// The reply waits for the sequence.
    pub(crate) fn restore(&mut self, texts: &[Vec<u8>], restoring: Restoring) -> Result<Option<Sequence>> {
        let mut new: Vec<Arc<Library>> = Vec::new();
        let restored = self.restore_into(texts, restoring, &mut new);
        match restored {
            Ok((sequence, former)) => {
                self.forget(&former);
                Ok(sequence)
            }
            Err(error) => {
                self.forget(&new);
                Err(error)
            }
        }
    }

    /// The libraries that are no more. Those that were loaded are put into `new`, should it fail.
    fn restore_into(
        &mut self,
        texts: &[Vec<u8>],
        restoring: Restoring,
        new: &mut Vec<Arc<Library>>,
    ) -> Result<(Option<Sequence>, Vec<Arc<Library>>)> {
        let mut among_themselves = Catalogue::default();
        for text in texts {
            let (name, code) = shebang::library(text).map_err(error)?;
            if among_themselves.libraries.contains_key(&name) {
                return Err(error(format!("ERR Library '{name}' already exists")));
            }
            let library = self.load_code(name, text, code, None).map_err(error)?;
            new.push(Arc::clone(&library));
            among_themselves.add(&library).map_err(error)?;
        }
        let mut catalogue = Catalogue::clone(&self.functions.catalogue());
        let mut former: Vec<Arc<Library>> = Vec::new();
        if restoring == Restoring::Flush {
            former.extend(std::mem::take(&mut catalogue).libraries.into_values());
        }
        for library in &*new {
            match catalogue.remove(&library.name) {
                Some(_) if restoring == Restoring::Append => {
                    return Err(error(format!("ERR Library {} already exists", library.name)));
                }
                replaced => former.extend(replaced),
            }
        }
        for library in &*new {
            catalogue.add(library).map_err(error)?;
        }
        if new.is_empty() && former.is_empty() {
            return Ok((None, former));
        }
        let removed = former.iter().map(|library| library.name.as_str());
        let sequence = self.functions.rows.change(removed, new.iter().map(|library| &**library))?;
        *self.functions.catalogue.write() = Arc::new(catalogue);
        Ok((Some(sequence), former))
    }
}

fn error(text: String) -> Error {
    Error::Text(text.into())
}

//! The libraries there are, and their functions by name.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Function, Library};

#[derive(Debug, Clone, Default)]
pub(crate) struct Catalogue {
    pub(crate) libraries: BTreeMap<String, Arc<Library>>,
    /// By name in lower case: callers need not mind it.
    functions: HashMap<String, Arc<Function>>,
}

impl Catalogue {
    pub(super) fn function(&self, name: &[u8]) -> Option<Arc<Function>> {
        let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
        self.functions.get(&name).cloned()
    }

    /// Of all libraries.
    pub(crate) fn functions_len(&self) -> usize {
        self.functions.len()
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<Arc<Library>> {
        let library = self.libraries.remove(name)?;
        for function in &library.functions {
            let name = function.name.to_ascii_lowercase();
            if self.functions.get(&name).is_some_and(|known| Arc::ptr_eq(known, function)) {
                self.functions.remove(&name);
            }
        }
        Some(library)
    }

    /// Adds a library of which none has the name.
    ///
    /// # Errors
    /// One of its functions is another library's; the text for the client.
    pub(super) fn add(&mut self, library: &Arc<Library>) -> Result<(), String> {
        let taken =
            library.functions.iter().find(|function| self.functions.contains_key(&function.name.to_ascii_lowercase()));
        if let Some(function) = taken {
            return Err(format!("ERR Function {} already exists", function.name));
        }
        for function in &library.functions {
            self.functions.entry(function.name.to_ascii_lowercase()).or_insert_with(|| Arc::clone(function));
        }
        self.libraries.insert(library.name.clone(), Arc::clone(library));
        Ok(())
    }
}

//! Application configuration by namespace and feature flags, read back after the program starts again.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use std::collections::BTreeMap;
use std::path::Path;

use ennead_store::{Durability, Options, Result, Store, Table, TableKind, WriteBatch};

struct Settings {
    store: Store,
    config: Table,
    features: Table,
}

impl Settings {
    fn open(path: &Path) -> Result<Self> {
        let store = Store::open(Options::new(path))?;
        let config = store.create_table("config", TableKind::Ordered)?;
        let features = store.create_table("features", TableKind::Ordered)?;
        Ok(Settings { store, config, features })
    }

    /// Saves several values of a namespace; readers see all of them or none.
    fn save(&self, namespace: &str, values: &[(&str, &str)]) -> Result<()> {
        let mut batch = WriteBatch::new();
        for (key, value) in values {
            batch.put(self.config, format!("{namespace}:{key}").as_bytes(), value.as_bytes());
        }
        self.store.write(&batch, Durability::Always).map(|_| ())
    }

    fn load(&self, namespace: &str) -> Result<BTreeMap<String, String>> {
        // ';' follows ':', so this range is exactly the keys of the namespace.
        let (start, end) = (format!("{namespace}:"), format!("{namespace};"));
        let mut values = BTreeMap::new();
        let mut iter = self.store.snapshot().iter(self.config, start.as_bytes(), Some(end.as_bytes()));
        iter.seek_to_first();
        while iter.valid() {
            let key = String::from_utf8_lossy(&iter.key()[start.len()..]).into_owned();
            values.insert(key, String::from_utf8_lossy(iter.value()).into_owned());
            iter.next();
        }
        iter.status()?;
        Ok(values)
    }

    fn set_feature(&self, name: &str, enabled: bool) -> Result<()> {
        let mut batch = WriteBatch::new();
        batch.put(self.features, name.as_bytes(), if enabled { b"1" } else { b"0" });
        self.store.write(&batch, Durability::Always).map(|_| ())
    }

    fn feature(&self, name: &str) -> Result<bool> {
        Ok(self.store.get(self.features, name.as_bytes())?.as_deref() == Some(b"1"))
    }
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let settings = Settings::open(directory.path())?;
    settings.save("db", &[("host", "localhost"), ("port", "5432")])?;
    settings.save("db2", &[("host", "elsewhere")])?;
    settings.set_feature("dark_mode", true)?;
    settings.set_feature("beta", true)?;
    settings.set_feature("beta", false)?;
    settings.store.close()?;
    drop(settings);

    let settings = Settings::open(directory.path())?;
    let db = settings.load("db")?;
    assert_eq!(db.len(), 2);
    assert_eq!(db["port"], "5432");
    assert!(settings.feature("dark_mode")?);
    assert!(!settings.feature("beta")?);
    assert!(!settings.feature("unknown")?);
    println!("db: {db:?}");
    Ok(())
}

//! Metrics by time range: keys of name and big-endian time, so that a range of time is a range of keys.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use ennead_store::{Durability, Options, Result, Store, Table, TableKind, WriteBatch};

struct Metrics {
    store: Store,
    points: Table,
}

impl Metrics {
    fn log(&self, batch: &mut WriteBatch, name: &str, time_ms: u64, value: f64) {
        batch.put(self.points, &key(name, time_ms), &value.to_be_bytes());
    }

    /// The points of `from_ms <= time < to_ms`, oldest first.
    fn range(&self, name: &str, from_ms: u64, to_ms: u64) -> Result<Vec<(u64, f64)>> {
        let mut points = Vec::new();
        let mut iter = self.store.snapshot().iter(self.points, &key(name, from_ms), Some(&key(name, to_ms)));
        iter.seek_to_first();
        while iter.valid() {
            points.push((number(&iter.key()[name.len() + 1..]), f64::from_bits(number(iter.value()))));
            iter.next();
        }
        iter.status()?;
        Ok(points)
    }

    /// The newest point at or before a time.
    fn at(&self, name: &str, time_ms: u64) -> Result<Option<(u64, f64)>> {
        let mut iter = self.store.snapshot().iter(self.points, &key(name, 0), None);
        iter.seek_for_prev(&key(name, time_ms));
        let point = iter.valid().then(|| (number(&iter.key()[name.len() + 1..]), f64::from_bits(number(iter.value()))));
        iter.status()?;
        Ok(point)
    }

    /// Forgets everything before a time with one range delete.
    fn forget(&self, name: &str, before_ms: u64) -> Result<()> {
        let mut batch = WriteBatch::new();
        batch.delete_range(self.points, &key(name, 0), Some(&key(name, before_ms)));
        self.store.write(&batch, Durability::EverySec).map(|_| ())
    }
}

fn key(name: &str, time_ms: u64) -> Vec<u8> {
    let mut key = name.as_bytes().to_vec();
    key.push(b':');
    key.extend_from_slice(&time_ms.to_be_bytes());
    key
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let store = Store::open(Options::new(directory.path()))?;
    let points = store.create_table("metrics", TableKind::Ordered)?;
    let metrics = Metrics { store, points };

    let mut batch = WriteBatch::new();
    for second in 0..600_u64 {
        metrics.log(&mut batch, "cpu", second * 1000, second as f64 / 10.0);
        metrics.log(&mut batch, "cpu.user", second * 1000, 1.0);
        if batch.bytes() > 4096 {
            metrics.store.write(&batch, Durability::EverySec)?;
            batch.clear();
        }
    }
    metrics.store.write(&batch, Durability::Always)?;

    let minute = metrics.range("cpu", 60_000, 120_000)?;
    assert_eq!(minute.len(), 60);
    assert_eq!(minute[0], (60_000, 6.0));
    let average = minute.iter().map(|(_, value)| value).sum::<f64>() / minute.len() as f64;
    assert!((average - 8.95).abs() < 1e-9);
    assert_eq!(metrics.at("cpu", 1_500)?, Some((1_000, 0.1)));

    metrics.forget("cpu", 300_000)?;
    assert_eq!(metrics.range("cpu", 0, 600_000)?.len(), 300);
    assert_eq!(metrics.range("cpu.user", 0, 600_000)?.len(), 600);
    println!("average of the second minute: {average:.2}");
    Ok(())
}

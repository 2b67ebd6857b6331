use super::*;
use crate::WriteBatch;
use crate::log::LogEntry;

/// A log that takes its only batch back, and has another one of that number durable, when it is asked what is durable.
#[derive(Default)]
struct Reusing {
    durable: AtomicU64,
    takes_back: Mutex<Option<Arc<Syncer>>>,
}

impl Log for Reusing {
    fn append(&self, _sequence: Sequence, _batch: &WriteBatch) -> usize {
        0
    }

    fn hand_over(&self, _sequence: Sequence) -> Result<()> {
        Ok(())
    }

    fn sync(&self) -> Result<Sequence> {
        Ok(self.durable.load(Ordering::SeqCst))
    }

    fn appended(&self) -> Sequence {
        1
    }

    fn written(&self) -> Sequence {
        1
    }

    fn durable(&self) -> Sequence {
        if let Some(syncer) = self.takes_back.lock().take() {
            syncer.roll_back(0);
            self.durable.store(1, Ordering::SeqCst);
        }
        self.durable.load(Ordering::SeqCst)
    }

    fn truncate_after(&self, _sequence: Sequence, _undo: &mut dyn FnMut(&WriteBatch)) -> Result<()> {
        Ok(())
    }

    fn release(&self, _flushed: Sequence) {}

    fn read(&self, _from: Sequence, _show: &mut dyn FnMut(LogEntry<'_>) -> Result<bool>) -> Result<()> {
        Ok(())
    }

    fn attach(&self, _advanced: Arc<dyn Fn() + Send + Sync>) {}
}

#[test]
fn a_lost_batch_is_not_taken_for_the_one_that_got_its_number() {
    let log = Arc::new(Reusing::default());
    let syncer = Arc::new(Syncer::new(log.clone(), Arc::default(), false));
    let since = syncer.rollbacks();
    *log.takes_back.lock() = Some(syncer.clone());
    assert!(matches!(syncer.wait_since(1, since), Err(Error::RolledBack(_))));
    syncer.wait_since(1, syncer.rollbacks()).unwrap();
}

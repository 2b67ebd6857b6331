//! Money transfers by transactions: optimistic with retries, and with locks.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use ennead_store::{
    Durability, Error, LockOptions, Options, PessimisticTransactions, Result, Store, Table, TableKind, WriteBatch,
};

fn amount(bytes: Option<Vec<u8>>) -> i64 {
    bytes.and_then(|bytes| bytes.try_into().ok()).map_or(0, i64::from_be_bytes)
}

/// Runs again after a conflict: somebody else changed one of the accounts meanwhile.
fn transfer_optimistic(store: &Store, accounts: Table, from: &[u8], to: &[u8], sum: i64) -> Result<bool> {
    loop {
        let mut transaction = store.optimistic_transaction();
        let (source, target) =
            (amount(transaction.get_for_update(accounts, from)?), amount(transaction.get_for_update(accounts, to)?));
        if source < sum {
            return Ok(false);
        }
        transaction.put(accounts, from, &(source - sum).to_be_bytes());
        transaction.put(accounts, to, &(target + sum).to_be_bytes());
        match transaction.commit(Durability::EverySec) {
            Ok(_) => return Ok(true),
            Err(Error::Conflict(_)) => continue,
            Err(error) => return Err(error),
        }
    }
}

/// Waits for the locks of both accounts; runs again only after a deadlock.
fn transfer_locked(locks: &PessimisticTransactions, accounts: Table, from: &[u8], to: &[u8], sum: i64) -> Result<bool> {
    let attempt = || {
        let mut transaction = locks.begin();
        let source = amount(transaction.get_for_update(accounts, from)?);
        let target = amount(transaction.get_for_update(accounts, to)?);
        if source < sum {
            return Ok(false);
        }
        transaction.put(accounts, from, &(source - sum).to_be_bytes())?;
        transaction.put(accounts, to, &(target + sum).to_be_bytes())?;
        transaction.commit(Durability::EverySec).map(|_| true)
    };
    loop {
        match attempt() {
            Err(Error::Deadlock(_)) => continue,
            outcome => return outcome,
        }
    }
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let store = Store::open(Options::new(directory.path()))?;
    let accounts = store.create_table("accounts", TableKind::Ordered)?;
    let mut batch = WriteBatch::new();
    batch.put(accounts, b"alice", &1000_i64.to_be_bytes());
    batch.put(accounts, b"bob", &1000_i64.to_be_bytes());
    store.write(&batch, Durability::Always)?;

    std::thread::scope(|scope| -> Result<()> {
        let there = scope
            .spawn(|| (0..50).try_for_each(|_| transfer_optimistic(&store, accounts, b"alice", b"bob", 3).map(|_| ())));
        let back = scope
            .spawn(|| (0..50).try_for_each(|_| transfer_optimistic(&store, accounts, b"bob", b"alice", 2).map(|_| ())));
        there.join().unwrap_or_else(|_| Err(Error::Invalid("a thread panicked".into())))?;
        back.join().unwrap_or_else(|_| Err(Error::Invalid("a thread panicked".into())))
    })?;
    assert_eq!(amount(store.get(accounts, b"alice")?), 950);
    assert_eq!(amount(store.get(accounts, b"bob")?), 1050);

    let locks = PessimisticTransactions::new(store.clone(), LockOptions::default());
    assert!(transfer_locked(&locks, accounts, b"bob", b"alice", 50)?);
    assert!(!transfer_locked(&locks, accounts, b"bob", b"alice", 5000)?);
    assert_eq!(amount(store.get(accounts, b"alice")?), 1000);
    println!("both have {} again", amount(store.get(accounts, b"bob")?));
    Ok(())
}

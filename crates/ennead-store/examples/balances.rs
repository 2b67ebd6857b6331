//! Account balances at block height: one row per change, and `seek_for_prev` finds the one that holds at a block.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use ennead_store::{Durability, Options, Result, Store, Table, TableKind, WriteBatch};

struct Chain {
    store: Store,
    balances: Table,
    transactions: Table,
}

impl Chain {
    /// Writes a block: the balances that it changes and its transactions, all or nothing.
    fn add_block(&self, height: u64, balances: &[(&str, u64)], transactions: &[(&str, &str)]) -> Result<()> {
        let mut batch = WriteBatch::new();
        for (address, balance) in balances {
            batch.put(self.balances, &key(address, height), balance.to_string().as_bytes());
        }
        for (hash, data) in transactions {
            batch.put(self.transactions, hash.as_bytes(), data.as_bytes());
        }
        self.store.write(&batch, Durability::Always).map(|_| ())
    }

    /// The balance after a block; the latest one for `u64::MAX`. 0 for an account that was not there yet.
    fn balance(&self, address: &str, height: u64) -> Result<u64> {
        let first = key(address, 0);
        let mut iter = self.store.snapshot().iter(self.balances, &first, None);
        iter.seek_for_prev(&key(address, height));
        let balance = if iter.valid() { String::from_utf8_lossy(iter.value()).parse().unwrap_or(0) } else { 0 };
        iter.status()?;
        Ok(balance)
    }
}

/// Heights are big endian, so that their byte order is their order; as decimal text, 9 would come after 10.
fn key(address: &str, height: u64) -> Vec<u8> {
    let mut key = format!("balance:{address}:").into_bytes();
    key.extend_from_slice(&height.to_be_bytes());
    key
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let store = Store::open(Options::new(directory.path()))?;
    let balances = store.create_table("balances", TableKind::Ordered)?;
    let transactions = store.create_table("transactions", TableKind::Ordered)?;
    let chain = Chain { store, balances, transactions };

    chain.add_block(9, &[("0xaa", 100)], &[("0x01", "mint 100 for 0xaa")])?;
    chain.add_block(10, &[("0xaa", 70), ("0xab", 30)], &[("0x02", "0xaa pays 30 to 0xab")])?;
    chain.add_block(250, &[("0xaa", 20), ("0xab", 80)], &[("0x03", "0xaa pays 50 to 0xab")])?;

    assert_eq!(chain.balance("0xaa", 8)?, 0);
    assert_eq!(chain.balance("0xaa", 9)?, 100);
    assert_eq!(chain.balance("0xaa", 249)?, 70);
    assert_eq!(chain.balance("0xaa", u64::MAX)?, 20);
    assert_eq!(chain.balance("0xab", 9)?, 0);
    assert_eq!(chain.balance("0xab", 1000)?, 80);
    assert_eq!(chain.store.get(chain.transactions, b"0x02")?.as_deref(), Some(&b"0xaa pays 30 to 0xab"[..]));
    println!("0xaa has {} now", chain.balance("0xaa", u64::MAX)?);
    Ok(())
}

//! Users in the store, in the table `engine.users`:
//!
//! | row | value |
//! |---|---|
//! | `u`, then the name | the rules that make the user, as ACL LIST shows them, each on a line |
//!
//! Passwords are in it as SHA-256. The user `default` has a row once it was changed.

use ennead_store::{Result, Sequence, Store, Table, TableKind, WriteBatch};

use super::user::User;

const TABLE: &str = "engine.users";
const PREFIX: &[u8] = b"u";

#[derive(Debug)]
pub(super) struct Rows {
    store: Store,
    table: Table,
}

impl Rows {
    pub(super) fn open(store: &Store) -> Result<Rows> {
        Ok(Rows { table: store.create_table(TABLE, TableKind::Ordered)?, store: store.clone() })
    }

    /// Names and users.
    ///
    /// # Errors
    /// `Corrupted` for rules that make no user: to let somebody in by half of them would be worse than not to start.
    pub(super) fn read(&self) -> Result<Vec<(Vec<u8>, User)>> {
        let mut users = Vec::new();
        for row in self.store.snapshot().range(self.table, PREFIX..) {
            let (key, rules) = row?;
            let name = key[PREFIX.len()..].to_vec();
            let user = User::parse(&rules).map_err(|error| {
                let name = String::from_utf8_lossy(&name);
                ennead_store::Error::Corrupted(format!("user {name} of table {TABLE}: {error}"))
            })?;
            users.push((name, user));
        }
        Ok(users)
    }

    /// # Durability
    /// None yet when it returns: the reply waits for the sequence.
    pub(super) fn put(&self, name: &[u8], user: &User) -> Result<Sequence> {
        let mut batch = WriteBatch::new();
        self.stage(name, Some(user), &mut batch);
        self.commit(&batch)
    }

    /// Puts the row of a user into a batch, or with none its end.
    pub(super) fn stage(&self, name: &[u8], user: Option<&User>, batch: &mut WriteBatch) {
        match user {
            Some(user) => batch.put(self.table, &row_key(name), &user.rules().join(&b'\n')),
            None => batch.delete(self.table, &row_key(name)),
        }
    }

    /// Durable like [`Rows::put`].
    pub(super) fn commit(&self, batch: &WriteBatch) -> Result<Sequence> {
        Ok(self.store.commit(batch)?.sequence)
    }
}

fn row_key(name: &[u8]) -> Vec<u8> {
    [PREFIX, name].concat()
}

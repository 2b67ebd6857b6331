//! The daemon as a server of etcd's API, beside a real etcd: answers compared, histories of concurrent clients judged.
//!
//! `ENNEAD_ETCD` names the folder of etcd and etcdctl: `make test` builds version 3.6 where Go is, and takes Debian's 3.4
//! otherwise. `ENNEAD_SUBJECT=etcd` puts etcd in the daemon's place, to try the tests themselves.

mod administration;
mod differential;
mod etcdctl;
mod gateway;
mod history;
mod import;
pub(crate) mod keeper;

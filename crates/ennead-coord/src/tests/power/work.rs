//! Random requests until the disk is gone, each played on the model too.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use ennead_store::Sequence;
use ennead_store::disk::simulated::Random;

use super::super::{PATIENCE, operation, poll_until};
use super::life::Life;
use super::model::{Change, History, Model};
use crate::api::authpb::Permission;
use crate::api::authpb::permission::Type;
use crate::api::etcdserverpb::compare::{CompareResult, CompareTarget, TargetUnion};
use crate::api::etcdserverpb::request_op::Request;
use crate::api::etcdserverpb::{
    AlarmRequest, AlarmType, AuthRoleAddRequest, AuthRoleDeleteRequest, AuthRoleGrantPermissionRequest,
    AuthUserAddRequest, AuthUserDeleteRequest, AuthUserGrantRoleRequest, CompactionRequest, Compare,
    DeleteRangeRequest, LeaseGrantRequest, LeaseKeepAliveRequest, LeaseRevokeRequest, PutRequest, RequestOp,
    ResponseHeader, TxnRequest,
};
use crate::{Answer, Error, Result};

const KEYS: [&str; 8] = ["a", "b", "c", "d", "dd", "e", "f", "g"];

pub(super) struct Work<'a> {
    pub(super) random: &'a mut Random,
    pub(super) history: &'a mut History,
    /// The newest revision that the watch has told of.
    pub(super) told: &'a mut i64,
    /// The newest commit that was answered.
    pub(super) acknowledged: &'a mut Sequence,
}

fn revision(header: Option<ResponseHeader>) -> i64 {
    header.unwrap().revision
}

impl Work<'_> {
    pub(super) fn run(&mut self, mut life: Life) {
        let mut now_ms = 0;
        for _ in 0..self.random.below(70) {
            now_ms += self.random.below(900);
            let outcome = self.step(&mut life, &mut now_ms);
            self.collect(&mut life);
            if outcome.is_err() && life.store.poisoned().is_some() {
                self.check_refusal(&mut life);
                break;
            }
        }
        if life.store.poisoned().is_some() {
            *self.acknowledged = life.expect_all_answers().max(*self.acknowledged);
        } else if self.random.once_in(3) && life.store.close().is_ok() {
            self.collect(&mut life);
        }
        self.collect(&mut life);
    }

    fn collect(&mut self, life: &mut Life) {
        *self.acknowledged = life.collect_answers().max(*self.acknowledged);
        life.collect_events(self.history, self.told);
    }

    /// A store that has failed takes nothing more, and shows what was on disk.
    fn check_refusal(&mut self, life: &mut Life) {
        let (before, shown) = (life.sequence(), life.coord.revision());
        let request = PutRequest { key: "refused".into(), ..PutRequest::default() };
        let refused = life.coord.put(&request);
        let expected = matches!(&refused, Err(Error::Store(_))) || !self.history.now().alarms.is_empty();
        assert!(expected, "a write to a failed store: {refused:?}");
        assert_eq!((life.sequence(), life.coord.revision()), (before, shown));
        let durable = life.store.durable();
        assert!(self.history.sequence_of(shown) <= durable, "revision {shown} is shown and not on disk");
    }

    /// One request, or something that happens to the store.
    fn step(&mut self, life: &mut Life, now_ms: &mut u64) -> Result<()> {
        match self.random.below(40) {
            0..=11 => self.put(life),
            12..=15 => self.delete(life),
            16..=19 => self.txn(life),
            20..=21 => self.grant(life, now_ms),
            22..=23 => self.keep_alive(life, now_ms),
            24 => self.revoke(life),
            25..=27 => self.expire(life, *now_ms),
            28..=30 => self.compact(life),
            31..=32 => self.change_users(life),
            33 => self.alarm(life),
            34 => Ok(life.store.flush()?),
            35 => Ok(life.store.compact(&mut |_, _| ()).map(|_| ())?),
            36 => Ok(life.store.hand_over(life.store.committed())?),
            _ => {
                life.store.wait_durable(life.store.committed())?;
                // The thread that has synced may still be on its way to tell it.
                *self.acknowledged = life.expect_all_answers().max(*self.acknowledged);
                self.collect(life);
                assert_eq!(life.coord.revision(), self.history.now().revision());
                Ok(())
            }
        }
    }

    /// Notes what a request has made of the keyspace, and that its answer is waited for.
    fn made(&mut self, life: &mut Life, model: Model, answer: Answer<i64>) {
        let sequence = life.sequence();
        life.waiting.push((sequence, model.revision(), answer));
        self.history.push(sequence, model);
    }

    fn key(&mut self) -> Bytes {
        KEYS[self.random.below(KEYS.len() as u64) as usize].into()
    }

    fn lease(&mut self) -> i64 {
        let leases: Vec<i64> = self.history.now().leases.keys().copied().collect();
        if leases.is_empty() { 0 } else { leases[self.random.below(leases.len() as u64) as usize] }
    }

    fn put_request(&mut self, key: Bytes) -> (PutRequest, Change) {
        let length = if self.random.once_in(12) { 20_000 } else { self.random.below(200) };
        let value: Bytes = vec![b'a' + self.random.below(26) as u8; length as usize].into();
        let lease = if self.random.once_in(3) { self.lease() } else { 0 };
        let request = PutRequest { key: key.clone(), value: value.clone(), lease, ..PutRequest::default() };
        (request, Change::Put { key, value, lease })
    }

    /// Whether puts are refused at the moment.
    fn is_full(&self) -> bool {
        !self.history.now().alarms.is_empty()
    }

    fn put(&mut self, life: &mut Life) -> Result<()> {
        let key = self.key();
        let (request, change) = self.put_request(key);
        let answer = match life.coord.put(&request) {
            Err(Error::NoSpace) if self.is_full() => return Ok(()),
            answer => answer?,
        };
        let mut model = self.history.now().clone();
        model.apply(&[change]);
        self.made(life, model, answer.map(|response| revision(response.header)));
        Ok(())
    }

    fn delete(&mut self, life: &mut Life) -> Result<()> {
        let (key, mut end) = (self.key(), Bytes::new());
        if self.random.once_in(3) {
            end = self.key();
        }
        let request = DeleteRangeRequest { key: key.clone(), range_end: end.clone(), prev_kv: false };
        let answer = life.coord.delete_range(&request)?;
        let mut model = self.history.now().clone();
        model.apply(&[Change::Delete { key, end }]);
        self.made(life, model, answer.map(|response| revision(response.header)));
        Ok(())
    }

    /// Operations on keys of their own: etcd refuses two on one.
    fn operations(&mut self) -> (Vec<RequestOp>, Vec<Change>) {
        let (mut operations, mut changes) = (Vec::new(), Vec::new());
        for name in KEYS {
            if self.random.once_in(2) {
                continue;
            }
            if self.random.once_in(3) {
                let request = DeleteRangeRequest { key: name.into(), ..DeleteRangeRequest::default() };
                operations.push(operation(Request::RequestDeleteRange(request)));
                changes.push(Change::Delete { key: name.into(), end: Bytes::new() });
            } else {
                let (request, change) = self.put_request(name.into());
                operations.push(operation(Request::RequestPut(request)));
                changes.push(change);
            }
        }
        (operations, changes)
    }

    fn txn(&mut self, life: &mut Life) -> Result<()> {
        let key = self.key();
        let version = self.random.below(3) as i64;
        let compare = Compare {
            result: CompareResult::Greater as i32,
            target: CompareTarget::Version as i32,
            key: key.clone(),
            target_union: Some(TargetUnion::Version(version)),
            ..Compare::default()
        };
        let holds = self.history.now().get(&key).map_or(0, |pair| pair.version) > version;
        let ((success, then), (failure, otherwise)) = (self.operations(), self.operations());
        let answer = match life.coord.txn(&TxnRequest { compare: vec![compare], success, failure }) {
            Err(Error::NoSpace) if self.is_full() => return Ok(()),
            answer => answer?,
        };
        let mut model = self.history.now().clone();
        model.apply(if holds { &then } else { &otherwise });
        self.made(life, model, answer.map(|response| revision(response.header)));
        Ok(())
    }

    /// When a lease of so many seconds is over. The time moves a little, so that no two end at once.
    fn deadline(&self, life: &Life, ttl: i64, now_ms: &mut u64) -> u64 {
        loop {
            let deadline = life.coord.shared().time(*now_ms) + ttl as u64 * 1000;
            if self.history.now().leases.values().all(|(_, other)| *other != deadline) {
                return deadline;
            }
            *now_ms += 1;
        }
    }

    fn grant(&mut self, life: &mut Life, now_ms: &mut u64) -> Result<()> {
        let id = 1 + self.random.below(1 << 40) as i64;
        let ttl = 2 + self.random.below(8) as i64;
        let deadline = self.deadline(life, ttl, now_ms);
        let answer = match life.coord.lease_grant(&LeaseGrantRequest { id, ttl }, *now_ms) {
            Err(Error::NoSpace) if self.is_full() => return Ok(()),
            answer => answer?,
        };
        let mut model = self.history.now().clone();
        model.leases.insert(id, (ttl, deadline));
        model.time_ms = life.coord.shared().time(*now_ms);
        self.made(life, model, answer.map(|response| revision(response.header)));
        Ok(())
    }

    fn keep_alive(&mut self, life: &mut Life, now_ms: &mut u64) -> Result<()> {
        let id = self.lease();
        let mut model = self.history.now().clone();
        if let Some((ttl, deadline)) = model.leases.get(&id).copied() {
            let renewed = self.deadline(life, ttl, now_ms);
            let time = life.coord.shared().time(*now_ms);
            if deadline > time {
                model.leases.insert(id, (ttl, renewed));
                model.time_ms = time;
            }
        }
        let answer = life.coord.lease_keep_alive(&LeaseKeepAliveRequest { id }, None, *now_ms)?;
        self.made(life, model, answer.map(|response| revision(response.header)));
        Ok(())
    }

    fn revoke(&mut self, life: &mut Life) -> Result<()> {
        let id = self.lease();
        let answer = match life.coord.lease_revoke(&LeaseRevokeRequest { id }) {
            Err(Error::LeaseNotFound) if id == 0 => return Ok(()),
            answer => answer?,
        };
        let mut model = self.history.now().clone();
        model.end_lease(id);
        self.made(life, model, answer.map(|response| revision(response.header)));
        Ok(())
    }

    /// Ends the leases that are over, one at a time, since each is a commit of its own.
    fn expire(&mut self, life: &mut Life, now_ms: u64) -> Result<()> {
        let base = life.coord.shared().time(0);
        while let Some(id) = self.history.now().due(base + now_ms) {
            let at = self.history.now().leases[&id].1;
            if at <= base || at < self.history.now().time_ms {
                // Several may be over then, or the time would run backwards: this one alone.
                drop(life.coord.lease_revoke(&LeaseRevokeRequest { id })?);
            } else {
                life.coord.expire(at - base)?;
            }
            let mut model = self.history.now().clone();
            model.end_lease(id);
            self.history.push(life.sequence(), model);
        }
        life.coord.expire(now_ms).map(|_| ())
    }

    fn compact(&mut self, life: &mut Life) -> Result<()> {
        let mut model = self.history.now().clone();
        let left = model.revision() - model.compacted;
        let revision = model.compacted + 1 + self.random.below(left as u64) as i64;
        let physical = self.random.once_in(2);
        if revision > model.revision() {
            return Ok(());
        }
        let request = CompactionRequest { revision, physical };
        let coord = life.coord.clone();
        let mut compacted = pin!(coord.compact(&request));
        let first = compacted.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let before = self.history.now().compacted;
        if life.coord.shared().state.read().compacted == revision && revision > before {
            model.compacted = revision;
            self.history.push(life.sequence(), model);
        }
        match first {
            Poll::Ready(answer) => {
                answer?;
            }
            // Whether its client waits for it makes no difference.
            Poll::Pending if self.random.once_in(3) => {}
            Poll::Pending => {
                let answer = poll_until(|context| compacted.as_mut().poll(context), PATIENCE);
                answer.expect("a compaction to end, or to fail")?;
                assert!(life.store.durable() >= life.sequence(), "a compaction was answered before it was on disk");
            }
        }
        *self.acknowledged = life.sequence().min(life.store.durable()).max(*self.acknowledged);
        Ok(())
    }

    /// What is stored of users is a matter of other tests; here it is whether it is there after a restart.
    fn change_users(&mut self, life: &mut Life) -> Result<()> {
        let coord = &life.coord;
        let (user, role) = (format!("u{}", self.random.below(3)), format!("r{}", self.random.below(3)));
        let grant = |user: &str, role: &str| AuthUserGrantRoleRequest { user: user.into(), role: role.into() };
        let add = |name: &str| AuthUserAddRequest { name: name.into(), ..AuthUserAddRequest::default() };
        macro_rules! header {
            ($answer:expr) => {
                $answer.map(|answer| answer.map(|response| revision(response.header)))
            };
        }
        let answer = match self.random.below(10) {
            0 => header!(coord.user_add(&add("root"), |_| Ok(()))),
            1 => header!(coord.user_grant_role(&grant("root", "root"))),
            2 => header!(coord.auth_enable()),
            3 => header!(coord.auth_disable()),
            4 => header!(coord.user_add(&add(&user), |_| Ok(()))),
            5 => header!(coord.user_delete(&AuthUserDeleteRequest { name: user }, |_| Ok(()))),
            6 => header!(coord.role_add(&AuthRoleAddRequest { name: role })),
            7 => header!(coord.role_delete(&AuthRoleDeleteRequest { role })),
            8 => header!(coord.user_grant_role(&grant(&user, &role))),
            _ => {
                let perm = Permission { perm_type: Type::Read as i32, key: self.key(), range_end: Bytes::new() };
                header!(coord.role_grant_permission(&AuthRoleGrantPermissionRequest { name: role, perm: Some(perm) }))
            }
        };
        let answer = match answer {
            Err(error @ Error::Store(_)) => return Err(error),
            // Not to be found, there already, and so on.
            Err(_) => return Ok(()),
            Ok(answer) => answer,
        };
        let auth = life.coord.shared().state.read().auth.clone();
        let mut model = self.history.now().clone();
        model.auth = auth;
        self.made(life, model, answer);
        Ok(())
    }

    /// Raises the alarm for lack of space, or takes it back.
    fn alarm(&mut self, life: &mut Life) -> Result<()> {
        let action = if self.is_full() { 2 } else { i32::from(self.random.once_in(3)) };
        let alarm = AlarmType::Nospace as i32;
        let answer = life.coord.alarm(&AlarmRequest { action, member_id: life.coord.member_id(), alarm })?;
        let alarms = life.coord.shared().state.read().space.alarms.clone();
        assert_eq!(alarms.is_empty(), action != 1);
        let mut model = self.history.now().clone();
        model.alarms = alarms;
        self.made(life, model, answer.map(|response| revision(response.header)));
        Ok(())
    }
}

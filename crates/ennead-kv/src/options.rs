//! Settings of a keyspace: those of its opening, and those that may change while it runs.

use std::sync::atomic::{
    AtomicBool, AtomicU8, AtomicU32, AtomicU64,
    Ordering::{Relaxed, SeqCst},
};

use crate::encoding::Thresholds;
use crate::notice::CHANGES;

/// What happens when memory reaches its limit. Redis's policies, and [`Policy::Tier`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Policy {
    /// Commands that may grow memory are refused.
    #[default]
    NoEviction,
    AllKeysLru,
    AllKeysLfu,
    AllKeysRandom,
    VolatileLru,
    VolatileLfu,
    VolatileRandom,
    VolatileTtl,
    /// Cold values leave memory and stay readable from disk: nothing is deleted.
    Tier,
}

impl Policy {
    pub const ALL: [Policy; 9] = [
        Policy::NoEviction,
        Policy::AllKeysLru,
        Policy::AllKeysLfu,
        Policy::AllKeysRandom,
        Policy::VolatileLru,
        Policy::VolatileLfu,
        Policy::VolatileRandom,
        Policy::VolatileTtl,
        Policy::Tier,
    ];

    /// Its name in `CONFIG SET maxmemory-policy`.
    pub const fn name(self) -> &'static str {
        match self {
            Policy::NoEviction => "noeviction",
            Policy::AllKeysLru => "allkeys-lru",
            Policy::AllKeysLfu => "allkeys-lfu",
            Policy::AllKeysRandom => "allkeys-random",
            Policy::VolatileLru => "volatile-lru",
            Policy::VolatileLfu => "volatile-lfu",
            Policy::VolatileRandom => "volatile-random",
            Policy::VolatileTtl => "volatile-ttl",
            Policy::Tier => "tier",
        }
    }

    /// What INFO calls it. Client libraries (BullMQ, for one) look there for `noeviction` and know Redis's names only;
    /// what they want to know is whether keys can go missing, and under `tier` none do.
    pub const fn name_in_info(self) -> &'static str {
        match self {
            Policy::Tier => Policy::NoEviction.name(),
            policy => policy.name(),
        }
    }

    pub fn from_name(name: &str) -> Option<Policy> {
        Policy::ALL.into_iter().find(|policy| policy.name().eq_ignore_ascii_case(name))
    }

    /// Whether the access clock counts frequency instead of time.
    pub const fn is_lfu(self) -> bool {
        matches!(self, Policy::AllKeysLfu | Policy::VolatileLfu)
    }

    /// Whether only keys with an expiry may go.
    pub const fn is_volatile(self) -> bool {
        matches!(self, Policy::VolatileLru | Policy::VolatileLfu | Policy::VolatileRandom | Policy::VolatileTtl)
    }
}

/// Settings of [`crate::Keyspace::open`]. All but the number of databases may change later, see [`Settings`].
#[derive(Debug, Clone)]
pub struct KvOptions {
    /// Databases that `SELECT` knows, 1 to 256. A store that has keys in higher ones is refused.
    pub databases: usize,
    /// Limit of memory for keys and values, bytes; 0 for none.
    pub maxmemory: u64,
    pub policy: Policy,
    /// Keys looked at for one eviction.
    pub maxmemory_samples: u32,
    pub lfu_log_factor: u32,
    /// Minutes after which a frequency counter is halved by one step; 0 for never.
    pub lfu_decay_time: u32,
    /// Whether due keys are deleted without being asked for.
    pub active_expire: bool,
    /// Longest string, bytes.
    pub proto_max_bulk_len: u64,
    /// The longest sparse form of a HyperLogLog, bytes with its header; a longer one becomes dense.
    pub hll_sparse_max_bytes: u64,
    /// Seed of the hash that orders keys, kept by a new store and ignored by one that has its own. Draw it at random,
    /// so that nobody can compute colliding keys.
    pub seed: u64,
}

impl Default for KvOptions {
    fn default() -> Self {
        KvOptions {
            databases: 16,
            maxmemory: 0,
            policy: Policy::NoEviction,
            maxmemory_samples: 5,
            lfu_log_factor: 10,
            lfu_decay_time: 1,
            active_expire: true,
            proto_max_bulk_len: 512 << 20,
            hll_sparse_max_bytes: 3000,
            seed: 0x656e_6e65_6164,
        }
    }
}

/// The settings that may change while the keyspace runs; read without a lock.
#[derive(Debug)]
pub struct Settings {
    maxmemory: AtomicU64,
    policy: AtomicU8,
    maxmemory_samples: AtomicU32,
    lfu_log_factor: AtomicU32,
    lfu_decay_time: AtomicU32,
    active_expire: AtomicBool,
    proto_max_bulk_len: AtomicU64,
    hll_sparse_max_bytes: AtomicU64,
    thresholds: Thresholds,
    /// The classes of events that are asked for, and [`CHANGES`].
    asked: AtomicU32,
    /// Until when no key goes by itself, Unix ms.
    kept_until: AtomicU64,
}

impl Settings {
    pub(crate) fn new(options: &KvOptions) -> Settings {
        Settings {
            maxmemory: AtomicU64::new(options.maxmemory),
            policy: AtomicU8::new(options.policy as u8),
            maxmemory_samples: AtomicU32::new(options.maxmemory_samples),
            lfu_log_factor: AtomicU32::new(options.lfu_log_factor),
            lfu_decay_time: AtomicU32::new(options.lfu_decay_time),
            active_expire: AtomicBool::new(options.active_expire),
            proto_max_bulk_len: AtomicU64::new(options.proto_max_bulk_len),
            hll_sparse_max_bytes: AtomicU64::new(options.hll_sparse_max_bytes),
            thresholds: Thresholds::default(),
            asked: AtomicU32::new(0),
            kept_until: AtomicU64::new(0),
        }
    }

    /// Bytes; 0 for no limit.
    #[inline]
    pub fn maxmemory(&self) -> u64 {
        self.maxmemory.load(Relaxed)
    }
    pub fn set_maxmemory(&self, bytes: u64) {
        self.maxmemory.store(bytes, Relaxed);
    }
    #[inline]
    pub fn policy(&self) -> Policy {
        Policy::ALL.get(usize::from(self.policy.load(Relaxed))).copied().unwrap_or_default()
    }
    pub fn set_policy(&self, policy: Policy) {
        self.policy.store(policy as u8, Relaxed);
    }
    pub fn maxmemory_samples(&self) -> u32 {
        self.maxmemory_samples.load(Relaxed)
    }
    pub fn set_maxmemory_samples(&self, samples: u32) {
        self.maxmemory_samples.store(samples.max(1), Relaxed);
    }
    pub fn lfu_log_factor(&self) -> u32 {
        self.lfu_log_factor.load(Relaxed)
    }
    pub fn set_lfu_log_factor(&self, factor: u32) {
        self.lfu_log_factor.store(factor, Relaxed);
    }
    /// Minutes.
    pub fn lfu_decay_time(&self) -> u32 {
        self.lfu_decay_time.load(Relaxed)
    }
    pub fn set_lfu_decay_time(&self, minutes: u32) {
        self.lfu_decay_time.store(minutes, Relaxed);
    }
    pub fn active_expire(&self) -> bool {
        self.active_expire.load(Relaxed)
    }
    pub fn set_active_expire(&self, active: bool) {
        self.active_expire.store(active, Relaxed);
    }
    /// Whether the witness is told of something, as its bit says; for keys of a slot the answer holds as long as the slot
    /// is locked.
    #[inline]
    pub(crate) fn asks_for(&self, bit: u32) -> bool {
        self.asked.load(Relaxed) & bit != 0
    }
    /// Has the witness told of the events of these classes, by the bits of [`crate::EventClass`], and of no others.
    pub fn set_events(&self, classes: u32) {
        let classes = classes & !CHANGES;
        // The only one who fails to exchange it is one who changed it meanwhile.
        let _ = self.asked.fetch_update(SeqCst, SeqCst, |asked| Some(asked & CHANGES | classes));
    }
    /// Has the witness told of every change of a key, or no longer.
    pub fn set_tells_changes(&self, tells: bool) {
        if tells {
            self.asked.fetch_or(CHANGES, SeqCst);
        } else {
            self.asked.fetch_and(!CHANGES, SeqCst);
        }
    }
    /// Whether at this time, Unix ms, keys that are due are only no longer seen, and none is evicted.
    #[inline]
    pub(crate) fn keeps_keys(&self, now_ms: u64) -> bool {
        now_ms < self.kept_until.load(Relaxed)
    }
    /// What [`Settings::keep_keys_until`] was told.
    pub fn kept_until(&self) -> u64 {
        self.kept_until.load(Relaxed)
    }
    /// Until a time, Unix ms, no key is deleted because it is due or has to make room, unless a command is about to change it;
    /// 0 ends that.
    pub fn keep_keys_until(&self, unix_ms: u64) {
        self.kept_until.store(unix_ms, SeqCst);
    }
    /// Where encodings change.
    pub fn thresholds(&self) -> &Thresholds {
        &self.thresholds
    }
    /// Bytes.
    pub fn proto_max_bulk_len(&self) -> u64 {
        self.proto_max_bulk_len.load(Relaxed)
    }
    pub fn set_proto_max_bulk_len(&self, bytes: u64) {
        self.proto_max_bulk_len.store(bytes, Relaxed);
    }
    /// Bytes, header included.
    pub fn hll_sparse_max_bytes(&self) -> usize {
        self.hll_sparse_max_bytes.load(Relaxed) as usize
    }
    pub fn set_hll_sparse_max_bytes(&self, bytes: u64) {
        self.hll_sparse_max_bytes.store(bytes, Relaxed);
    }
}

//! The keyspace's settings, taken from the engine's and kept in step with them.

use std::sync::Arc;

use ennead_kv::{Keyspace, KvOptions, Policy, Threshold};
use ennead_store::Store;

use crate::settings::{
    Choice, DATABASES, EvictionPolicy, HASH_MAX_ENTRIES, HASH_MAX_VALUE, HLL_SPARSE_MAX_BYTES, KEYSPACE_EVENTS, Key,
    LFU_DECAY_TIME, LFU_LOG_FACTOR, LIST_MAX_SIZE, MAXMEMORY, MAXMEMORY_POLICY, MAXMEMORY_SAMPLES, PROTO_MAX_BULK_LEN,
    SET_MAX_ENTRIES, SET_MAX_INTEGERS, SET_MAX_VALUE, STREAM_NODE_BYTES, STREAM_NODE_ENTRIES, Settings,
    ZSET_MAX_ENTRIES, ZSET_MAX_VALUE,
};

pub(crate) fn open(store: Store, settings: &Arc<Settings>, seed: u64) -> ennead_kv::Result<Keyspace> {
    let options = KvOptions {
        seed,
        databases: settings.read(DATABASES) as usize,
        maxmemory: settings.read(MAXMEMORY),
        policy: policy(settings.read(MAXMEMORY_POLICY)),
        maxmemory_samples: settings.read(MAXMEMORY_SAMPLES) as u32,
        lfu_log_factor: settings.read(LFU_LOG_FACTOR) as u32,
        lfu_decay_time: settings.read(LFU_DECAY_TIME) as u32,
        active_expire: true,
        proto_max_bulk_len: settings.read(PROTO_MAX_BULK_LEN),
        hll_sparse_max_bytes: settings.read(HLL_SPARSE_MAX_BYTES),
    };
    let keyspace = Keyspace::open(store, options)?;
    keyspace.settings().set_events(settings.read(KEYSPACE_EVENTS).wanted());
    follow(&keyspace, settings);
    follow_thresholds(&keyspace, settings);
    Ok(keyspace)
}

fn follow(keyspace: &Keyspace, settings: &Settings) {
    macro_rules! follow {
        ($($key:expr => |$target:ident, $value:ident| $change:expr;)+) => {
            $({
                let keyspace = keyspace.clone();
                settings.on_change($key, move |settings| {
                    let $target = keyspace.settings();
                    let $value = settings.read($key);
                    $change
                });
            })+
        };
    }
    follow! {
        MAXMEMORY => |target, bytes| target.set_maxmemory(bytes);
        MAXMEMORY_POLICY => |target, value| target.set_policy(policy(value));
        MAXMEMORY_SAMPLES => |target, samples| target.set_maxmemory_samples(samples as u32);
        LFU_LOG_FACTOR => |target, factor| target.set_lfu_log_factor(factor as u32);
        LFU_DECAY_TIME => |target, minutes| target.set_lfu_decay_time(minutes as u32);
        PROTO_MAX_BULK_LEN => |target, bytes| target.set_proto_max_bulk_len(bytes);
        KEYSPACE_EVENTS => |target, classes| target.set_events(classes.wanted());
        HLL_SPARSE_MAX_BYTES => |target, bytes| target.set_hll_sparse_max_bytes(bytes);
    }
}

const THRESHOLDS: [(Key<u64>, Threshold); 9] = [
    (HASH_MAX_ENTRIES, Threshold::HashEntries),
    (HASH_MAX_VALUE, Threshold::HashValue),
    (SET_MAX_INTEGERS, Threshold::SetIntegers),
    (SET_MAX_ENTRIES, Threshold::SetEntries),
    (SET_MAX_VALUE, Threshold::SetValue),
    (ZSET_MAX_ENTRIES, Threshold::ZsetEntries),
    (ZSET_MAX_VALUE, Threshold::ZsetValue),
    (STREAM_NODE_ENTRIES, Threshold::StreamEntries),
    (STREAM_NODE_BYTES, Threshold::StreamBytes),
];

fn follow_thresholds(keyspace: &Keyspace, settings: &Settings) {
    for (key, threshold) in THRESHOLDS {
        let keyspace = keyspace.clone();
        let change = move |settings: &Settings| {
            keyspace.settings().thresholds().set(threshold, settings.read(key) as i64);
        };
        change(settings);
        settings.on_change(key, change);
    }
    let keyspace = keyspace.clone();
    let change = move |settings: &Settings| {
        keyspace.settings().thresholds().set(Threshold::ListSize, settings.read(LIST_MAX_SIZE));
    };
    change(settings);
    settings.on_change(LIST_MAX_SIZE, change);
}

/// Both sides use Redis's words.
fn policy(policy: EvictionPolicy) -> Policy {
    EvictionPolicy::ALL
        .iter()
        .find(|(_, known)| *known == policy)
        .and_then(|(word, _)| Policy::from_name(word))
        .unwrap_or_default()
}

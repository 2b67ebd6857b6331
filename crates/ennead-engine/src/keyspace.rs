//! The keyspace's settings, taken from the engine's and kept in step with them.

use std::sync::Arc;

use ennead_kv::{Keyspace, KvOptions, Policy};
use ennead_store::Store;

use crate::settings::{
    Choice, DATABASES, EvictionPolicy, LFU_DECAY_TIME, LFU_LOG_FACTOR, MAXMEMORY, MAXMEMORY_POLICY, MAXMEMORY_SAMPLES,
    PROTO_MAX_BULK_LEN, Settings,
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
    };
    let keyspace = Keyspace::open(store, options)?;
    follow(&keyspace, settings);
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
    }
}

/// Both sides use Redis's words.
fn policy(policy: EvictionPolicy) -> Policy {
    EvictionPolicy::ALL
        .iter()
        .find(|(_, known)| *known == policy)
        .and_then(|(word, _)| Policy::from_name(word))
        .unwrap_or_default()
}

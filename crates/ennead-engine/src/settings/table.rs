//! The rows. To add a setting, add one here: the file, the reference page, the environment variable and `CONFIG GET`
//! follow (`make docs` rewrites the generated files).

use std::sync::Arc;
use std::time::Duration;

use ennead_coord::RetentionMode;
use ennead_store::Durability;

use super::{ChannelDefault, DebugAccess, EventClasses, EvictionPolicy, Form, Key, Kind, LogFormat, LogLevel, Setting};

const fn integer(min: i64, max: i64) -> Kind {
    Kind::Integer { min, max }
}

const fn bytes(min: i64) -> Kind {
    Kind::Bytes { min, max: i64::MAX }
}

/// Up to a hundred years, so that sums of times never overflow.
const DURATION: Kind = Kind::Duration { max: 100 * 365 * 86_400_000 };

const LEVELS: &[(&str, &str)] =
    &[("debug", "trace"), ("verbose", "debug"), ("notice", "info"), ("warning", "warn"), ("nothing", "error")];

macro_rules! rows {
    ($( $(#[doc = $doc:literal])+ $key:ident: $type:ty = $name:literal, $kind:expr, $default:literal, $when:ident
        $(, redis: [$($redis:literal => $form:expr),+])? $(, env: $variable:literal)?; )+) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "the places of the constants below")]
        enum Place { $($key),+ }

        $( $(#[doc = $doc])+ pub const $key: Key<$type> = Key::new(Place::$key as usize); )+

        /// All settings, by section.
        pub const TABLE: &[Setting] = &[ $( Setting {
            name: $name,
            kind: $kind,
            default: $default,
            live: rows!(@live $when),
            redis: &[$($(($redis, $form)),+)?],
            short_variable: rows!(@variable $($variable)?),
            doc: concat!($($doc, "\n"),+),
        } ),+ ];

        /// Whether each row's kind is what its constant is read as; for the test of the table.
        #[cfg(test)]
        pub(super) fn kinds_that_fit() -> Vec<(&'static str, bool)> {
            vec![ $( ($name, <$type as super::Value>::fits(&$kind)) ),+ ]
        }
    };
    (@live live) => { true };
    (@live start) => { false };
    (@variable) => { None };
    (@variable $variable:literal) => { Some($variable) };
}

rows! {
    /// Where the data lives; created when it is missing. One process at a time owns it.
    DATA_DIRECTORY: Arc<String> = "server.data", Kind::Text, "./data", start, redis: ["dir" => Form::Plain], env: "ENNEAD_DATA";
    /// The password of the default user, for every listener, in place of those that ACL SETUSER gave it. Empty: those
    /// that ACL SETUSER gave it, and when there are none, none is asked for.
    /// Whoever may read this file may read it: `server.password_file` and ENNEAD_PASSWORD keep it elsewhere.
    PASSWORD: Arc<String> = "server.password", Kind::Secret, "", live, redis: ["requirepass" => Form::Plain], env: "ENNEAD_PASSWORD";
    /// A file whose first line is the password; read at start. Not together with `server.password`.
    PASSWORD_FILE: Arc<String> = "server.password_file", Kind::Text, "", start, env: "ENNEAD_PASSWORD_FILE";
    /// Allows listeners that other machines can reach to run without password and without TLS.
    INSECURE: bool = "server.insecure", Kind::Bool, "false", start, redis: ["protected-mode" => Form::Not], env: "ENNEAD_INSECURE";
    /// How long a stop waits for requests in flight and for idle connections to be told, before it closes them.
    SHUTDOWN_TIMEOUT: Duration = "server.shutdown_timeout", DURATION, "10s", live, redis: ["shutdown-timeout" => Form::Seconds];
    /// Who may use the DEBUG command: nobody, connections from this machine, or everybody.
    DEBUG_COMMAND: DebugAccess = "server.debug_command", Kind::Choice(&["no", "local", "yes"]), "no", start,
        redis: ["enable-debug-command" => Form::Plain];

    /// Address of the Redis protocol (RESP2 and RESP3). Port 0 picks a free one; the log says which.
    LISTEN_RESP: Arc<String> = "listen.resp", Kind::Address, "127.0.0.1:6379", start,
        redis: ["port" => Form::Port, "bind" => Form::Host], env: "ENNEAD_RESP";
    /// Address of HTTP: health, metrics, console.
    LISTEN_HTTP: Arc<String> = "listen.http", Kind::Address, "127.0.0.1:9200", start, env: "ENNEAD_HTTP";
    /// Address of gRPC: etcd's API, health and reflection.
    LISTEN_GRPC: Arc<String> = "listen.grpc", Kind::Address, "127.0.0.1:2379", start, env: "ENNEAD_GRPC";

    /// Certificate chain, PEM. With it and `tls.key_file`, every listener speaks TLS and nothing else.
    TLS_CERTIFICATE_FILE: Arc<String> = "tls.certificate_file", Kind::Text, "", start, redis: ["tls-cert-file" => Form::Plain];
    /// Private key of the certificate, PEM.
    TLS_KEY_FILE: Arc<String> = "tls.key_file", Kind::Text, "", start, redis: ["tls-key-file" => Form::Plain];
    /// Certificates of the authorities that sign clients' certificates, PEM. When set, every client must show one.
    TLS_CLIENT_CA_FILE: Arc<String> = "tls.client_ca_file", Kind::Text, "", start, redis: ["tls-ca-cert-file" => Form::Plain];

    /// When a write is acknowledged.
    /// always: after the fsync of its group; nothing acknowledged is ever lost.
    /// everysec: when its bytes are the kernel's; a power cut can lose the last second, kill -9 nothing.
    /// none: at once; a crash can lose what was not handed over yet.
    DURABILITY: Durability = "store.durability", Kind::Choice(&["none", "everysec", "always"]), "everysec", live,
        redis: ["appendfsync" => Form::Words(&[("no", "none")])], env: "ENNEAD_DURABILITY";
    /// Rows held in memory before they are flushed into the B-tree. At most two such tables exist at a time.
    MEMTABLE_BYTES: u64 = "store.memtable_bytes", bytes(1 << 20), "64mb", start;
    /// After how long without writes a full memtable is flushed, to give its memory back and make the next start short;
    /// one that is full to a part waits so many times longer. Writes of a hundredth of what it holds do not count.
    /// 0: a memtable is flushed when it is full, and only then.
    QUIET_FLUSH: Duration = "store.quiet_flush", DURATION, "2s", live;
    /// Page cache of the B-tree. The kernel caches its file as well, so more of it has not made flushes or reads quicker.
    CACHE_BYTES: u64 = "store.cache_bytes", bytes(1 << 20), "4mb", start;
    /// Size of one log segment.
    SEGMENT_BYTES: u64 = "store.segment_bytes", bytes(1 << 20), "64mb", start;
    /// Log kept for readers of the change feed, beyond what recovery needs.
    LOG_RETENTION_BYTES: u64 = "store.log_retention_bytes", bytes(0), "64mb", start;
    /// What the B-tree's file may take on the disk, in percent of its live rows, before space is given back in the
    /// background. 0: only by `ennead compact`.
    COMPACT_PERCENTAGE: u64 = "store.compact_percentage", integer(0, 1_000_000), "400", start;
    /// What the file may take besides, so that small ones are left alone.
    COMPACT_MIN_BYTES: u64 = "store.compact_min_bytes", bytes(0), "64mb", start;
    /// How long a writer is held back when it outruns the disk, before its write is refused.
    STALL_TIMEOUT: Duration = "store.stall_timeout", DURATION, "10s", start;

    /// Bytes that the history of the coordination keyspace (etcd's keys) may take. The first write that does not fit raises
    /// the alarm NOSPACE, and writes are refused until the history is compacted and the alarm taken back. 0: no limit.
    COORD_QUOTA: u64 = "coord.quota", bytes(0), "2gb", start;
    /// The tokens that a login to etcd's API gives out, in the words of etcd's flag. simple: random ones, which end with the
    /// process. Or signed ones: jwt,sign-method=METHOD,priv-key=FILE,pub-key=FILE,ttl=TIME; METHOD is one of RS256, RS384,
    /// RS512, PS256, PS384, PS512, ES256, ES384, EdDSA, HS256, HS384 and HS512, keys are PEM, of HMAC the bytes of the file.
    COORD_AUTH_TOKEN: Arc<String> = "coord.auth_token", Kind::Text, "simple", start;
    /// How long a simple token is good after it was last shown.
    COORD_AUTH_TOKEN_TTL: Duration = "coord.auth_token_ttl", DURATION, "5m", start;
    /// What `coord.auto_compaction_retention` counts. periodic: the time since when history is kept.
    /// revision: the newest revisions, all older ones are forgotten every five minutes.
    COORD_COMPACTION_MODE: RetentionMode = "coord.auto_compaction_mode", Kind::Choice(&["periodic", "revision"]), "periodic", start;
    /// How much history the coordination keyspace keeps, the rest is compacted away without being asked for: a number of
    /// hours or a time like 30m or 1h30m, or a number of revisions. 0: all, until a client asks for a compaction.
    COORD_COMPACTION_RETENTION: Arc<String> = "coord.auto_compaction_retention", Kind::Text, "0", start;

    /// The most memory that keys and values may take; 0: no limit.
    MAXMEMORY: u64 = "memory.maxmemory", bytes(0), "0", live, redis: ["maxmemory" => Form::Plain], env: "ENNEAD_MAXMEMORY";
    /// What happens at the limit. tier: cold values leave memory and stay readable from disk, no key is lost.
    /// The others are Redis's: noeviction refuses writes, the rest delete keys.
    MAXMEMORY_POLICY: EvictionPolicy = "memory.maxmemory_policy", Kind::Choice(&[
            "tier", "noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-random",
            "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl",
        ]), "tier", live, redis: ["maxmemory-policy" => Form::Plain];
    /// Keys looked at for each one that is evicted.
    MAXMEMORY_SAMPLES: u64 = "memory.maxmemory_samples", integer(1, 64), "5", live, redis: ["maxmemory-samples" => Form::Plain];
    /// How many hits saturate the access counter of the lfu policies; larger: more.
    LFU_LOG_FACTOR: u64 = "memory.lfu_log_factor", integer(0, i32::MAX as i64), "10", live, redis: ["lfu-log-factor" => Form::Plain];
    /// Minutes after which the access counter of the lfu policies is lowered by one; 0: never.
    LFU_DECAY_TIME: u64 = "memory.lfu_decay_time", integer(0, i32::MAX as i64), "1", live, redis: ["lfu-decay-time" => Form::Plain];

    /// Fields up to which OBJECT ENCODING calls a hash a listpack. This and the following change that answer only: how a
    /// value is kept follows from its size.
    HASH_MAX_ENTRIES: u64 = "kv.hash_max_listpack_entries", integer(0, i64::MAX), "512", live,
        redis: ["hash-max-listpack-entries" => Form::Plain, "hash-max-ziplist-entries" => Form::Plain];
    /// Bytes of a field or value up to which it does.
    HASH_MAX_VALUE: u64 = "kv.hash_max_listpack_value", integer(0, i64::MAX), "64", live,
        redis: ["hash-max-listpack-value" => Form::Plain, "hash-max-ziplist-value" => Form::Plain];
    /// Members up to which it calls a set of integers an intset.
    SET_MAX_INTEGERS: u64 = "kv.set_max_intset_entries", integer(0, i64::MAX), "512", live,
        redis: ["set-max-intset-entries" => Form::Plain];
    /// Members up to which it calls another set a listpack.
    SET_MAX_ENTRIES: u64 = "kv.set_max_listpack_entries", integer(0, i64::MAX), "128", live,
        redis: ["set-max-listpack-entries" => Form::Plain];
    /// Bytes of a member up to which it does.
    SET_MAX_VALUE: u64 = "kv.set_max_listpack_value", integer(0, i64::MAX), "64", live,
        redis: ["set-max-listpack-value" => Form::Plain];
    /// Members up to which it calls a sorted set a listpack.
    ZSET_MAX_ENTRIES: u64 = "kv.zset_max_listpack_entries", integer(0, i64::MAX), "128", live,
        redis: ["zset-max-listpack-entries" => Form::Plain, "zset-max-ziplist-entries" => Form::Plain];
    /// Bytes of a member up to which it does.
    ZSET_MAX_VALUE: u64 = "kv.zset_max_listpack_value", integer(0, i64::MAX), "64", live,
        redis: ["zset-max-listpack-value" => Form::Plain, "zset-max-ziplist-value" => Form::Plain];
    /// Elements up to which it calls a list a listpack; -1 to -5: 4, 8, 16, 32, 64 KB.
    LIST_MAX_SIZE: i64 = "kv.list_max_listpack_size", integer(i32::MIN as i64, i32::MAX as i64), "-2", live,
        redis: ["list-max-listpack-size" => Form::Plain, "list-max-ziplist-size" => Form::Plain];
    /// Entries of a chunk of a stream, by which `XTRIM ~` goes; 0 for no limit.
    STREAM_NODE_ENTRIES: u64 = "kv.stream_node_max_entries", integer(0, i64::MAX), "100", live,
        redis: ["stream-node-max-entries" => Form::Plain];
    /// Bytes of a chunk of a stream; 0 for no limit.
    STREAM_NODE_BYTES: u64 = "kv.stream_node_max_bytes", bytes(0), "4kb", live,
        redis: ["stream-node-max-bytes" => Form::Plain];

    /// How long a script may run before other clients are told that the server is busy.
    BUSY_REPLY_THRESHOLD: Duration = "kv.busy_reply_threshold", DURATION, "5s", live,
        redis: ["busy-reply-threshold" => Form::Milliseconds, "lua-time-limit" => Form::Milliseconds];
    /// Bytes up to which a HyperLogLog keeps its sparse form; beyond, it takes the 12 KB of the dense one.
    HLL_SPARSE_MAX_BYTES: u64 = "kv.hll_sparse_max_bytes", bytes(0), "3000", live, redis: ["hll-sparse-max-bytes" => Form::Plain];

    /// Databases that SELECT can choose from.
    DATABASES: u64 = "kv.databases", integer(1, 256), "16", start, redis: ["databases" => Form::Plain];

    /// Connections of RESP clients at a time; one more is told so and closed.
    MAXCLIENTS: u64 = "clients.maxclients", integer(1, i32::MAX as i64), "10000", live, redis: ["maxclients" => Form::Plain];
    /// Threads that run RESP connections, at most; 0: one for each processor. One runs them all until it is never idle.
    WORKERS: u64 = "clients.workers", integer(0, 128), "0", start, redis: ["io-threads" => Form::Plain];
    /// A client that is silent for so long is closed; 0: never.
    TIMEOUT: Duration = "clients.timeout", DURATION, "0", live, redis: ["timeout" => Form::Seconds];
    /// Interval of TCP keep-alive probes; 0: none.
    TCP_KEEPALIVE: Duration = "clients.tcp_keepalive", DURATION, "5m", live, redis: ["tcp-keepalive" => Form::Seconds];
    /// Connections that the kernel holds until they are accepted.
    TCP_BACKLOG: u64 = "clients.tcp_backlog", integer(1, i32::MAX as i64), "511", start, redis: ["tcp-backlog" => Form::Plain];
    /// The longest single value in a request.
    PROTO_MAX_BULK_LEN: u64 = "clients.proto_max_bulk_len", bytes(1 << 20), "512mb", live, redis: ["proto-max-bulk-len" => Form::Plain];
    /// Bytes of unread requests of a client, beyond which it is closed.
    QUERY_BUFFER_LIMIT: u64 = "clients.query_buffer_limit", bytes(1 << 20), "1gb", live,
        redis: ["client-query-buffer-limit" => Form::Plain];
    /// Bytes of unread replies of an ordinary client, beyond which it is closed; 0: no limit.
    OUTPUT_NORMAL_HARD: u64 = "clients.output_normal_hard", bytes(0), "0", live;
    /// The same, if it lasts for `clients.output_normal_soft_time`.
    OUTPUT_NORMAL_SOFT: u64 = "clients.output_normal_soft", bytes(0), "0", live;
    /// How long an ordinary client may be above the soft limit.
    OUTPUT_NORMAL_SOFT_TIME: Duration = "clients.output_normal_soft_time", DURATION, "0", live;
    /// Bytes of unread messages and replies of a client that subscribes to channels, beyond which it is closed; 0: no limit.
    OUTPUT_PUBSUB_HARD: u64 = "clients.output_pubsub_hard", bytes(0), "32mb", live;
    /// The same, if it lasts for `clients.output_pubsub_soft_time`.
    OUTPUT_PUBSUB_SOFT: u64 = "clients.output_pubsub_soft", bytes(0), "8mb", live;
    /// How long such a client may be above the soft limit.
    OUTPUT_PUBSUB_SOFT_TIME: Duration = "clients.output_pubsub_soft_time", DURATION, "1m", live;

    /// Keys that the server remembers at most for clients that cache what they read (CLIENT TRACKING); beyond that such a
    /// client is told that a key has changed although it has not. 0: no limit.
    TRACKING_TABLE_MAX_KEYS: u64 = "clients.tracking_table_max_keys", integer(0, i64::MAX), "1000000", live,
        redis: ["tracking-table-max-keys" => Form::Plain];

    /// Which events of keys are published to channels, in the letters of Redis: K to __keyspace@<db>__:<key>, E to
    /// __keyevent@<db>__:<event>; g generic, $ strings, l lists, s sets, h hashes, z sorted sets, t streams, x expired,
    /// e evicted, A for all of these; n new keys, m misses. Empty: none.
    KEYSPACE_EVENTS: EventClasses = "pubsub.keyspace_events", Kind::Events, "", live, redis: ["notify-keyspace-events" => Form::Plain];

    /// Channels that a new user, or one that is reset, may use: all or none.
    ACL_PUBSUB_DEFAULT: ChannelDefault = "acl.pubsub_default", Kind::Choice(&["allchannels", "resetchannels"]), "resetchannels",
        live, redis: ["acl-pubsub-default" => Form::Plain];
    /// Denials that ACL LOG keeps.
    ACL_LOG_MAX_LEN: u64 = "acl.log_max_len", integer(0, 1_000_000), "128", live, redis: ["acllog-max-len" => Form::Plain];

    /// Commands slower than so many microseconds enter the slow log; 0: all, -1: none.
    SLOWLOG_SLOWER_THAN: i64 = "slowlog.slower_than_us", integer(-1, i64::MAX), "10000", live,
        redis: ["slowlog-log-slower-than" => Form::Plain];
    /// Entries that the slow log keeps.
    SLOWLOG_MAX_LEN: u64 = "slowlog.max_len", integer(0, i32::MAX as i64), "128", live, redis: ["slowlog-max-len" => Form::Plain];
    /// Events slower than so many milliseconds enter the latency monitor; 0: none.
    LATENCY_MONITOR_THRESHOLD: u64 = "slowlog.latency_threshold_ms", integer(0, i64::MAX), "0", live,
        redis: ["latency-monitor-threshold" => Form::Plain];

    /// The largest body of a request.
    HTTP_BODY_LIMIT: u64 = "http.body_limit", bytes(1 << 10), "16mb", start;
    /// The largest sum of a request's headers.
    HTTP_HEADER_LIMIT: u64 = "http.header_limit", Kind::Bytes { min: 8 << 10, max: 1 << 20 }, "64kb", start;
    /// How long a client may take to send its headers, and a request to be answered.
    HTTP_TIMEOUT: Duration = "http.timeout", DURATION, "30s", start;
    /// HTTP connections at a time.
    HTTP_MAX_CONNECTIONS: u64 = "http.max_connections", integer(1, i32::MAX as i64), "1024", start;

    /// gRPC connections at a time.
    GRPC_MAX_CONNECTIONS: u64 = "grpc.max_connections", integer(1, i32::MAX as i64), "1024", start;
    /// Calls in flight on one gRPC connection.
    GRPC_MAX_STREAMS: u64 = "grpc.max_streams", integer(1, i32::MAX as i64), "256", start;

    /// Where SAVE and BGSAVE write their copy of the data; a relative path starts at `server.data`.
    BACKUP_DIRECTORY: Arc<String> = "backup.directory", Kind::Text, "backup", start;

    /// Where closed log segments are kept for good, for a restore to a point in time. Empty: nowhere. Nothing is removed
    /// there; each store needs a directory of its own. A relative path starts at `server.data`.
    ARCHIVE_DIRECTORY: Arc<String> = "backup.archive_directory", Kind::Text, "", start;

    /// The least severe messages that are logged.
    LOG_LEVEL: LogLevel = "logging.level", Kind::Choice(&["error", "warn", "info", "debug", "trace"]), "info", live,
        redis: ["loglevel" => Form::Words(LEVELS)], env: "ENNEAD_LOG";
    /// Lines for people, or one JSON object a line. Both go to the standard error stream.
    LOG_FORMAT: LogFormat = "logging.format", Kind::Choice(&["text", "json"]), "text", start;
}

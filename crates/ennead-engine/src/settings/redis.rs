//! The settings as `CONFIG GET` and `CONFIG SET` know them: by Redis's names, in Redis's forms.
//!
//! Parameters for which this server has one behaviour are in [`FIXED`]: they are answered, and refused when another
//! value is asked for. Nothing is accepted and then ignored.

use super::kind::host_and_port;
use super::{Form, Kind, Parsed, SettingError, Settings, TABLE};

/// Redis's parameters with the one value that is supported, and why. A test keeps them apart from the table.
pub const FIXED: &[(&str, &str, &str)] = &[
    ("aclfile", "", "users are kept with the data"),
    ("active-expire-effort", "1", "expired keys are deleted when they are due"),
    ("activedefrag", "no", "the allocator gives memory back by itself"),
    ("activerehashing", "yes", "tables grow a slot at a time"),
    ("aof-load-truncated", "yes", "a torn last record is cut and the log says so"),
    ("aof-use-rdb-preamble", "yes", "the log is flushed into a B-tree in the background"),
    ("appendonly", "yes", "every write goes through the log; lower 'appendfsync' instead"),
    ("appendfilename", "appendonly.aof", "the log has files of its own"),
    ("auto-aof-rewrite-percentage", "100", "the log is recycled by itself"),
    ("auto-aof-rewrite-min-size", "67108864", "the log is recycled by itself"),
    ("cluster-enabled", "no", "cluster mode is not supported"),
    ("daemonize", "no", "the service manager runs the server in the background"),
    ("dbfilename", "dump.rdb", "'backup.directory' in ennead.toml says where backups go"),
    ("dynamic-hz", "yes", "expired keys are deleted when they are due"),
    ("enable-protected-configs", "no", "protected parameters are set in ennead.toml"),
    ("hz", "10", "expired keys are deleted when they are due"),
    ("io-threads-do-reads", "yes", "each worker reads and writes its own connections"),
    ("latency-tracking-info-percentiles", "50 99 99.9", "INFO latencystats shows these"),
    ("latency-tracking", "yes", "latencies are always tracked"),
    ("lazyfree-lazy-eviction", "no", "large values are always freed in the background"),
    ("lazyfree-lazy-expire", "no", "large values are always freed in the background"),
    ("lazyfree-lazy-server-del", "no", "large values are always freed in the background"),
    ("lazyfree-lazy-user-del", "no", "large values are always freed in the background"),
    ("lazyfree-lazy-user-flush", "no", "large values are always freed in the background"),
    ("logfile", "", "logs go to the standard error stream"),
    ("maxmemory-clients", "0", "client buffers are limited one by one"),
    ("maxmemory-eviction-tenacity", "10", "eviction is not tuned by this"),
    ("no-appendfsync-on-rewrite", "no", "the log is never rewritten"),
    ("pidfile", "", "the service manager knows the process"),
    ("rdbchecksum", "yes", "every record and page has a checksum"),
    ("rdbcompression", "yes", "DUMP compresses long strings"),
    ("replicaof", "", "replication is not supported yet"),
    ("save", "", "every write goes through the log; there are no save points"),
    ("slaveof", "", "replication is not supported yet"),
    ("stop-writes-on-bgsave-error", "yes", "a failed write to disk always stops writes"),
    ("supervised", "auto", "systemd is told when it asks to be"),
    ("syslog-enabled", "no", "logs go to the standard error stream"),
    ("unixsocket", "", "there is no listener on a Unix socket"),
];

/// Parameters that tune how Redis keeps its data, and have nothing to tune here: numbers from 0 on that clients may set
/// and read again, with their defaults and why they change nothing.
pub const KEPT: &[(&str, u64, &str)] = &[("list-compress-depth", 0, "elements of lists are not compressed")];

/// Those of [`FIXED`] that a running redis-server does not change either, not even to what they are.
const IMMUTABLE: &[&str] = &[
    "aclfile",
    "appendfilename",
    "cluster-enabled",
    "daemonize",
    "enable-protected-configs",
    "io-threads-do-reads",
    "logfile",
    "pidfile",
    "rdbchecksum",
    "slaveof",
    "supervised",
    "syslog-enabled",
    "unixsocket",
];
/// Parameters that a running redis-server changes, and this one at its start only: here they can be set to what they are.
const SET_AT_START: &[&str] = &["bind", "port", "protected-mode", "tls-ca-cert-file", "tls-cert-file", "tls-key-file"];

const OUTPUT_LIMITS: &str = "client-output-buffer-limit";
/// Limits of clients that there are none of yet, as Redis has them by default: bytes, bytes, seconds.
const REPLICA_LIMITS: [u64; 3] = [256 << 20, 64 << 20, 60];
/// A setting for each of the three limits of a class of clients.
type LimitKeys = (super::Key<u64>, super::Key<u64>, super::Key<std::time::Duration>);
const NORMAL: LimitKeys = (super::OUTPUT_NORMAL_HARD, super::OUTPUT_NORMAL_SOFT, super::OUTPUT_NORMAL_SOFT_TIME);
const SUBSCRIBERS: LimitKeys = (super::OUTPUT_PUBSUB_HARD, super::OUTPUT_PUBSUB_SOFT, super::OUTPUT_PUBSUB_SOFT_TIME);

type Change = (usize, Parsed);

impl Settings {
    /// All parameters that `matches` picks by name, with their values, as `CONFIG GET` lists them. Secrets are given as
    /// they are, which is what Redis does.
    pub fn redis_get(&self, matches: impl Fn(&str) -> bool) -> Vec<(&'static str, String)> {
        let mut found: Vec<_> = TABLE
            .iter()
            .enumerate()
            .flat_map(|(index, setting)| setting.redis.iter().map(move |(name, form)| (index, *name, form)))
            .filter(|(_, name, _)| matches(name))
            .map(|(index, name, form)| (name, form.show(&TABLE[index].kind, &self.text(index))))
            .collect();
        found.extend(
            FIXED.iter().filter(|(name, ..)| matches(name)).map(|(name, value, _)| (*name, (*value).to_owned())),
        );
        let kept = self.kept.lock();
        found.extend(
            KEPT.iter()
                .filter(|(name, ..)| matches(name))
                .map(|(name, default, _)| (*name, kept.get(name).unwrap_or(default).to_string())),
        );
        drop(kept);
        if matches(OUTPUT_LIMITS) {
            found.push((OUTPUT_LIMITS, self.output_limits()));
        }
        found.sort_unstable_by_key(|(name, _)| *name);
        found
    }

    /// Changes parameters by Redis's names: all of them, or none if one is refused.
    ///
    /// # Errors
    /// For the first parameter that is unknown, given twice, only read at start, or has a value that is not supported.
    pub fn redis_set(&self, pairs: &[(&str, &str)]) -> Result<(), SettingError> {
        let mut changes = Vec::with_capacity(pairs.len());
        let mut to_keep = Vec::new();
        for (at, (name, text)) in pairs.iter().enumerate() {
            if pairs[..at].iter().any(|(earlier, _)| earlier.eq_ignore_ascii_case(name)) {
                return Err(SettingError::Duplicate((*name).to_owned()));
            }
            match KEPT.iter().find(|(kept, ..)| kept.eq_ignore_ascii_case(name)) {
                Some((kept, ..)) => to_keep.push((*kept, kept_number(kept, text)?)),
                None => changes.extend(self.redis_change(name, text)?),
            }
        }
        self.kept.lock().extend(to_keep);
        self.apply(changes);
        Ok(())
    }

    /// What a parameter's new value changes.
    fn redis_change(&self, name: &str, text: &str) -> Result<Vec<Change>, SettingError> {
        if name.eq_ignore_ascii_case(OUTPUT_LIMITS) {
            return output_limit_changes(text);
        }
        if let Some((fixed, value, reason)) = FIXED.iter().find(|(fixed, ..)| fixed.eq_ignore_ascii_case(name)) {
            return match text.eq_ignore_ascii_case(value) && !IMMUTABLE.contains(fixed) {
                true => Ok(Vec::new()),
                false if IMMUTABLE.contains(fixed) => Err(SettingError::Immutable((*fixed).to_owned())),
                false => Err(SettingError::Fixed { name: (*fixed).to_owned(), value, reason }),
            };
        }
        let (index, name, form) = TABLE
            .iter()
            .enumerate()
            .flat_map(|(index, setting)| setting.redis.iter().map(move |(name, form)| (index, *name, form)))
            .find(|(_, known, _)| known.eq_ignore_ascii_case(name))
            .ok_or_else(|| SettingError::unknown(name))?;
        if SET_AT_START.contains(&name) && form.show(&TABLE[index].kind, &self.text(index)) == text {
            return Ok(Vec::new());
        }
        if !TABLE[index].live {
            return Err(SettingError::Immutable(name.to_owned()));
        }
        let value = form.parse(&TABLE[index].kind, text).map_err(|reason| SettingError::invalid(name, reason))?;
        Ok(vec![(index, value)])
    }

    fn output_limits(&self) -> String {
        let class = |word: &str, [hard, soft, seconds]: [u64; 3]| format!("{word} {hard} {soft} {seconds}");
        let read = |(hard, soft, time): LimitKeys| [self.read(hard), self.read(soft), self.read(time).as_secs()];
        [class("normal", read(NORMAL)), class("slave", REPLICA_LIMITS), class("pubsub", read(SUBSCRIBERS))].join(" ")
    }
}

/// The value of one of [`KEPT`].
fn kept_number(name: &str, text: &str) -> Result<u64, SettingError> {
    let number: i64 =
        text.parse().map_err(|_| SettingError::invalid(name, "argument couldn't be parsed into an integer"))?;
    let max = i32::MAX;
    u64::try_from(number)
        .ok()
        .filter(|number| *number <= max as u64)
        .ok_or_else(|| SettingError::invalid(name, format!("argument must be between 0 and {max} inclusive")))
}

/// Reads `class hard soft seconds` groups; classes that are not named keep their limits.
fn output_limit_changes(text: &str) -> Result<Vec<Change>, SettingError> {
    let invalid = |reason: &str| SettingError::invalid(OUTPUT_LIMITS, reason);
    let words: Vec<&str> = text.split_whitespace().collect();
    if !words.len().is_multiple_of(4) {
        return Err(invalid("Wrong number of arguments in buffer limit configuration."));
    }
    let mut changes = Vec::new();
    for group in words.chunks_exact(4) {
        let (hard, soft, time) = match group[0].to_ascii_lowercase().as_str() {
            "normal" => NORMAL,
            "pubsub" => SUBSCRIBERS,
            "slave" | "replica" => {
                let sizes = Kind::Bytes { min: 0, max: i64::MAX };
                let expected = REPLICA_LIMITS.map(|limit| Ok(Parsed::Word(limit.cast_signed())));
                if (0..3).all(|at| sizes.parse(group[at + 1]) == expected[at]) {
                    continue;
                }
                return Err(invalid("limits of replicas can't be changed: there are no replicas"));
            }
            _ => return Err(invalid("Invalid client class specified in buffer limit configuration.")),
        };
        let wrong = |_| invalid("Error in hard, soft or soft_seconds setting in buffer limit configuration.");
        changes.push((hard.index, Form::Plain.parse(&hard.setting().kind, group[1]).map_err(wrong)?));
        changes.push((soft.index, Form::Plain.parse(&soft.setting().kind, group[2]).map_err(wrong)?));
        changes.push((time.index, Form::Seconds.parse(&time.setting().kind, group[3]).map_err(wrong)?));
    }
    Ok(changes)
}

impl Form {
    /// A value as Redis would show it.
    fn show(&self, kind: &Kind, text: &str) -> String {
        let word = match kind.parse(text) {
            Ok(Parsed::Word(word)) => word,
            _ => 0,
        };
        match *self {
            Form::Plain => match kind {
                Kind::Bool => if word != 0 { "yes" } else { "no" }.to_owned(),
                Kind::Bytes { .. } => word.to_string(),
                _ => text.to_owned(),
            },
            Form::Not => if word != 0 { "no" } else { "yes" }.to_owned(),
            Form::Seconds => (word / 1000).to_string(),
            Form::Milliseconds => word.to_string(),
            Form::Words(words) => renamed(words, text).to_owned(),
            Form::Port => host_and_port(text).map_or(0, |(_, port)| port).to_string(),
            Form::Host => host_and_port(text).map_or("", |(host, _)| host).to_owned(),
        }
    }

    /// A value as Redis would read it.
    fn parse(&self, kind: &Kind, text: &str) -> Result<Parsed, String> {
        match *self {
            Form::Plain => kind.parse(text),
            Form::Not => match kind.parse(text)? {
                Parsed::Word(word) => Ok(Parsed::Word(i64::from(word == 0))),
                other => Ok(other),
            },
            Form::Seconds => {
                let seconds: i64 =
                    text.parse().map_err(|_| "argument couldn't be parsed into an integer".to_owned())?;
                if !(0..=i64::from(i32::MAX)).contains(&seconds) {
                    return Err(format!("argument must be between 0 and {} inclusive", i32::MAX));
                }
                kind.parse(&format!("{seconds}s"))
            }
            Form::Milliseconds => {
                let milliseconds: i64 =
                    text.parse().map_err(|_| "argument couldn't be parsed into an integer".to_owned())?;
                if milliseconds < 0 {
                    return Err(format!("argument must be between 0 and {} inclusive", i64::MAX));
                }
                kind.parse(&format!("{milliseconds}ms"))
            }
            Form::Words(words) => {
                let Kind::Choice(ours) = *kind else { return kind.parse(text) };
                let theirs: Vec<&str> = ours.iter().map(|word| renamed(words, word)).collect();
                match theirs.iter().position(|word| word.eq_ignore_ascii_case(text)) {
                    Some(index) => kind.parse(ours[index]),
                    None => Err(format!("argument(s) must be one of the following: {}", theirs.join(", "))),
                }
            }
            Form::Port | Form::Host => Err("can't set immutable config".to_owned()),
        }
    }
}

/// Redis's word for one of ours.
fn renamed<'a>(words: &[(&'static str, &'static str)], ours: &'a str) -> &'a str {
    words.iter().find(|(_, word)| *word == ours).map_or(ours, |(theirs, _)| theirs)
}

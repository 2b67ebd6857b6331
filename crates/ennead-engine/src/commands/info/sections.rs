//! The sections of INFO.

use std::fmt::{Display, Write};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use crate::clients::{FLAG_BLOCKED, FLAG_PAUSED};
use crate::figures::Totals;
use crate::host::MemoryFigures;
use crate::pubsub::Topic;
use crate::registry::Registry;
use crate::settings::{LISTEN_RESP, MAXCLIENTS};
use crate::version::{ENNEAD_VERSION, REDIS_VERSION};
use crate::{Clock, Engine, process};

pub(super) struct Report {
    engine: Engine,
    clock: Clock,
    totals: Totals,
    text: String,
}

impl Report {
    pub(super) fn new(engine: &Engine, clock: &Clock) -> Self {
        Report {
            engine: engine.clone(),
            clock: clock.clone(),
            totals: engine.figures().totals(),
            text: String::with_capacity(4096),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn begin(&mut self, name: &str) {
        if !self.text.is_empty() {
            self.text.push_str("\r\n");
        }
        let _ = write!(self.text, "# {name}\r\n");
    }

    fn field(&mut self, name: &str, value: impl Display) {
        let _ = write!(self.text, "{name}:{value}\r\n");
    }

    fn flag(&mut self, name: &str, value: bool) {
        self.field(name, u8::from(value));
    }

    fn bytes(&mut self, name: &str, value: u64) {
        self.field(name, value);
        self.field(&format!("{name}_human"), human(value));
    }

    pub(super) fn server(&mut self) {
        let engine = self.engine.clone();
        let uptime = engine.uptime().as_secs();
        let host = engine.host();
        let address = engine.settings().read(LISTEN_RESP);
        let port = address.rsplit_once(':').map_or("0", |(_, port)| port);
        self.field("redis_version", REDIS_VERSION);
        self.field("redis_git_sha1", "00000000");
        self.field("redis_git_dirty", 0);
        self.field("redis_build_id", 0);
        self.field("redis_mode", "standalone");
        self.field("os", process::system());
        self.field("arch_bits", usize::BITS);
        self.field("multiplexing_api", "epoll");
        self.field("process_id", std::process::id());
        self.field("run_id", engine.run_id());
        self.field("tcp_port", port);
        self.field("server_time_usec", self.clock.unix_us());
        self.field("uptime_in_seconds", uptime);
        self.field("uptime_in_days", uptime / 86_400);
        self.field("hz", 10);
        self.field("configured_hz", 10);
        self.field("lru_clock", (self.clock.unix_ms() / 1000) & 0xff_ffff);
        self.field("executable", host.map_or("", |host| &host.executable));
        self.field("config_file", host.map_or("", |host| &host.config_file));
        self.field("io_threads_active", u8::from(engine.figures().resp_workers.load(Relaxed) > 1));
        self.field("ennead_version", ENNEAD_VERSION);
    }

    pub(super) fn clients(&mut self) {
        let clients = self.engine.clients().list();
        let largest = |read: fn(&crate::Client) -> u64| clients.iter().map(|client| read(client)).max().unwrap_or(0);
        let input = largest(|client| client.query_bytes.load(std::sync::atomic::Ordering::Relaxed));
        let output = largest(|client| client.output_bytes.load(std::sync::atomic::Ordering::Relaxed));
        self.field("connected_clients", clients.len());
        self.field("cluster_connections", 0);
        self.field("maxclients", self.engine.settings().read(MAXCLIENTS));
        self.field("client_recent_max_input_buffer", input);
        self.field("client_recent_max_output_buffer", output);
        let blocked = clients.iter().filter(|client| client.has_flag(FLAG_PAUSED | FLAG_BLOCKED)).count();
        self.field("blocked_clients", blocked);
        self.field("tracking_clients", self.engine.tracking().count());
        self.field("clients_in_timeout_table", 0);
    }

    pub(super) fn memory(&mut self) {
        let engine = self.engine.clone();
        let MemoryFigures { allocated, active, resident, mapped } = engine.memory();
        let keyspace = engine.keyspace().figures();
        let limits = engine.keyspace().settings();
        let dataset = keyspace.used_bytes;
        self.bytes("used_memory", allocated);
        self.bytes("used_memory_rss", resident);
        self.bytes("used_memory_peak", engine.memory_peak());
        self.field("used_memory_peak_perc", percent(allocated, engine.memory_peak()));
        self.field("used_memory_overhead", allocated.saturating_sub(dataset));
        self.field("used_memory_startup", engine.memory_startup());
        self.field("used_memory_dataset", dataset);
        self.field("used_memory_dataset_perc", percent(dataset, allocated));
        self.field("allocator_allocated", allocated);
        self.field("allocator_active", active);
        self.field("allocator_resident", mapped.min(resident));
        self.bytes("total_system_memory", process::machine_bytes());
        let functions = engine.functions();
        let catalogue = functions.catalogue();
        self.field("used_memory_vm_functions", functions.memory().unwrap_or(0));
        self.field("number_of_cached_scripts", engine.scripts().count());
        self.field("number_of_functions", catalogue.functions_len());
        self.field("number_of_libraries", catalogue.libraries.len());
        self.bytes("maxmemory", limits.maxmemory());
        self.field("maxmemory_policy", limits.policy().name_in_info());
        let ratio = if allocated == 0 { 0.0 } else { resident as f64 / allocated as f64 };
        self.field("mem_fragmentation_ratio", format!("{ratio:.2}"));
        self.field("mem_fragmentation_bytes", resident.saturating_sub(allocated));
        self.field("mem_clients_normal", 0);
        self.field("mem_not_counted_for_evict", engine.store().statistics().memtable_bytes);
        self.field("mem_allocator", engine.host().map_or("system", |host| host.allocator));
        self.field("active_defrag_running", 0);
        self.field("lazyfree_pending_objects", keyspace.freeing);
        self.field("memtable_bytes", engine.store().statistics().memtable_bytes);
    }

    pub(super) fn persistence(&mut self) {
        let engine = self.engine.clone();
        let statistics = engine.store().statistics();
        let backups = engine.backups();
        self.flag("loading", false);
        self.field("async_loading", 0);
        self.field("rdb_changes_since_last_save", statistics.committed.saturating_sub(statistics.flushed));
        self.flag("rdb_bgsave_in_progress", backups.is_running());
        self.field("rdb_last_save_time", backups.last_success());
        self.field("rdb_last_bgsave_status", if backups.last_failed() { "err" } else { "ok" });
        self.field("rdb_last_bgsave_time_sec", backups.last_seconds());
        self.field("rdb_current_bgsave_time_sec", backups.current_seconds());
        self.flag("aof_enabled", true);
        self.flag("aof_rewrite_in_progress", false);
        self.flag("aof_rewrite_scheduled", false);
        self.field("aof_last_rewrite_time_sec", -1);
        self.field("aof_current_rewrite_time_sec", -1);
        self.field("aof_last_bgrewrite_status", "ok");
        self.field("aof_last_write_status", if statistics.poisoned.is_some() { "err" } else { "ok" });
        self.field("aof_current_size", statistics.log_bytes);
        self.field("cold_slots", engine.keyspace().figures().cold_slots);
        self.field("store_committed_sequence", statistics.committed);
        self.field("store_written_sequence", statistics.written);
        self.field("store_durable_sequence", statistics.durable);
        self.field("store_flushed_sequence", statistics.flushed);
        self.field("store_flushes", statistics.flushes);
        self.flag("store_flush_running", statistics.flush_running);
        self.field("store_last_flush_usec", statistics.last_flush_micros);
        self.field("store_file_bytes", statistics.file_bytes);
        self.field("store_file_allocated_bytes", statistics.file_allocated_bytes);
        self.field("store_compactions", statistics.compactions);
        self.flag("store_compaction_running", statistics.compaction_running);
        self.field("log_syncs", statistics.log_syncs);
        self.field("log_sync_usec", statistics.log_sync_micros);
    }

    pub(super) fn stats(&mut self) {
        let engine = self.engine.clone();
        let rates = engine.rates().sample(&self.totals);
        let (accepted, refused) = engine.clients().counts();
        let keyspace = engine.keyspace().figures();
        let kilobytes = |bytes: u64| format!("{:.2}", bytes as f64 / 1024.0);
        self.field("total_connections_received", accepted);
        self.field("total_commands_processed", self.totals.calls());
        self.field("instantaneous_ops_per_sec", rates.commands);
        self.field("total_net_input_bytes", self.totals.net_input_bytes);
        self.field("total_net_output_bytes", self.totals.net_output_bytes);
        self.field("instantaneous_input_kbps", kilobytes(rates.input_bytes));
        self.field("instantaneous_output_kbps", kilobytes(rates.output_bytes));
        self.field("rejected_connections", refused);
        self.field("sync_full", self.copies());
        self.field("sync_partial_ok", 0);
        self.field("sync_partial_err", 0);
        self.field("expired_keys", keyspace.expired);
        self.field("evicted_keys", keyspace.evicted);
        self.field("tiered_keys", keyspace.tiered);
        self.field("loaded_keys", keyspace.loaded);
        self.field("evicted_clients", 0);
        self.field("keyspace_hits", keyspace.hits);
        self.field("keyspace_misses", keyspace.misses);
        self.field("pubsub_channels", engine.pubsub().count(Topic::Channel));
        self.field("pubsub_patterns", engine.pubsub().count(Topic::Pattern));
        self.field("pubsubshard_channels", engine.pubsub().count(Topic::Shard));
        self.field("latest_fork_usec", 0);
        self.field("total_forks", 0);
        self.field("migrate_cached_sockets", 0);
        let tracking = engine.tracking().figures();
        self.field("tracking_total_keys", tracking.keys);
        self.field("tracking_total_items", tracking.items);
        self.field("tracking_total_prefixes", tracking.prefixes);
        let errors: u64 = engine.errors().counts().values().sum();
        self.field("total_error_replies", errors);
        self.field("total_reads_processed", self.totals.reads);
        self.field("total_writes_processed", self.totals.writes);
        let denied = engine.users().denial_counts();
        self.field("acl_access_denied_auth", denied.logins);
        self.field("acl_access_denied_cmd", denied.commands);
        self.field("acl_access_denied_key", denied.keys);
        self.field("acl_access_denied_channel", denied.channels);
        self.field("client_query_buffer_limit_disconnections", self.totals.query_buffer_disconnections);
        self.field("client_output_buffer_limit_disconnections", self.totals.output_buffer_disconnections);
    }

    /// Copies that SYNC and PSYNC began.
    fn copies(&self) -> u64 {
        let commands = ["sync", "psync"].iter().filter_map(|name| Registry::get().find(name.as_bytes()));
        commands.map(|command| &self.totals.commands[command.index]).map(|figures| figures.calls - figures.failed).sum()
    }

    pub(super) fn replication(&mut self) {
        self.field("role", "master");
        self.field("connected_slaves", 0);
        self.field("master_failover_state", "no-failover");
        let engine = self.engine.clone();
        self.field("master_replid", engine.run_id());
        self.field("master_replid2", "0000000000000000000000000000000000000000");
        self.field("master_repl_offset", 0);
        self.field("second_repl_offset", -1);
        self.field("repl_backlog_active", 0);
        self.field("repl_backlog_size", 0);
        self.field("repl_backlog_first_byte_offset", 0);
        self.field("repl_backlog_histlen", 0);
    }

    pub(super) fn cpu(&mut self) {
        let time = process::processor_time();
        let seconds = |time: Duration| format!("{:.6}", time.as_secs_f64());
        self.field("used_cpu_sys", seconds(time.system));
        self.field("used_cpu_user", seconds(time.user));
        self.field("used_cpu_sys_children", seconds(time.system_children));
        self.field("used_cpu_user_children", seconds(time.user_children));
    }

    pub(super) fn modules(&mut self) {}

    pub(super) fn command_stats(&mut self) {
        for (command, figures) in Registry::get().commands().iter().zip(&self.totals.commands) {
            if figures.calls == 0 && figures.rejected == 0 {
                continue;
            }
            let micros = figures.micros();
            let mean = if figures.calls == 0 { 0.0 } else { figures.nanos as f64 / 1000.0 / figures.calls as f64 };
            let _ = write!(
                self.text,
                "cmdstat_{}:calls={},usec={micros},usec_per_call={mean:.2},rejected_calls={},failed_calls={}\r\n",
                command.spec.name, figures.calls, figures.rejected, figures.failed
            );
        }
    }

    pub(super) fn error_stats(&mut self) {
        for (word, count) in self.engine.errors().counts() {
            let _ = write!(self.text, "errorstat_{word}:count={count}\r\n");
        }
    }

    pub(super) fn latency_stats(&mut self) {
        for (command, figures) in Registry::get().commands().iter().zip(&self.totals.commands) {
            if figures.calls == 0 {
                continue;
            }
            let _ = write!(
                self.text,
                "latency_percentiles_usec_{}:p50={:.3},p99={:.3},p99.9={:.3}\r\n",
                command.spec.name,
                figures.percentile(0.5),
                figures.percentile(0.99),
                figures.percentile(0.999)
            );
        }
    }

    pub(super) fn cluster(&mut self) {
        self.flag("cluster_enabled", false);
    }

    pub(super) fn keyspace(&mut self) {
        let now_ms = self.clock.unix_ms().cast_unsigned();
        for database in self.engine.keyspace().figures().databases {
            let average = self.engine.keyspace().average_ttl(database.db, now_ms);
            let _ = write!(
                self.text,
                "db{}:keys={},expires={},avg_ttl={average}\r\n",
                database.db, database.keys, database.volatile
            );
        }
    }
}

fn percent(part: u64, whole: u64) -> String {
    let share = if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 };
    format!("{share:.2}%")
}

/// As Redis shows bytes to people: `1.50M`.
fn human(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] = [("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)];
    match UNITS.iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{:.2}{name}", bytes as f64 / *unit as f64),
        None => format!("{bytes}B"),
    }
}

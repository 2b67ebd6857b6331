//! What dashboards, exporters and redis-cli read from INFO must be there. The list is checked against redis-server too, so
//! that it names nothing that Redis does not have.

use std::collections::BTreeSet;

use crate::server::Server;
use crate::wire::Reply;

const READ_BY_TOOLS: &str = "
    # Server: redis_version redis_mode os arch_bits process_id run_id tcp_port uptime_in_seconds uptime_in_days hz executable config_file
    # Clients: connected_clients maxclients blocked_clients tracking_clients client_recent_max_input_buffer client_recent_max_output_buffer
    # Memory: used_memory used_memory_human used_memory_rss used_memory_peak used_memory_overhead
        used_memory_dataset total_system_memory maxmemory maxmemory_human maxmemory_policy mem_fragmentation_ratio mem_allocator
        allocator_allocated allocator_active allocator_resident lazyfree_pending_objects
    # Persistence: loading rdb_changes_since_last_save rdb_bgsave_in_progress rdb_last_save_time rdb_last_bgsave_status
        aof_enabled aof_rewrite_in_progress aof_last_write_status aof_last_bgrewrite_status
    # Stats: total_connections_received total_commands_processed instantaneous_ops_per_sec total_net_input_bytes
        total_net_output_bytes instantaneous_input_kbps instantaneous_output_kbps rejected_connections expired_keys evicted_keys
        keyspace_hits keyspace_misses pubsub_channels pubsub_patterns pubsubshard_channels latest_fork_usec total_error_replies
    # Replication: role connected_slaves master_replid master_repl_offset repl_backlog_active
    # CPU: used_cpu_sys used_cpu_user
    # Commandstats: cmdstat_set
    # Errorstats: errorstat_ERR
    # Latencystats: latency_percentiles_usec_set
    # Cluster: cluster_enabled
    # Keyspace: db0
";

/// Names of the list that a server's INFO lacks.
pub(super) fn missing(server: &Server) -> Vec<String> {
    let mut wire = server.connect();
    wire.call(&[b"SET", b"key", b"value"]).unwrap();
    wire.call(&[b"INCR", b"key"]).unwrap();
    let Reply::Bulk(text) = wire.call(&[b"INFO", b"everything"]).unwrap() else { panic!("INFO gives a text") };
    let text = String::from_utf8(text).unwrap();
    let names: BTreeSet<&str> = text.lines().map(|line| line.split(':').next().unwrap_or(line)).collect();
    let wanted = READ_BY_TOOLS.split('#').flat_map(|section| {
        let (head, fields) = section.split_once(':').unwrap_or_default();
        let head = (!head.is_empty()).then(|| format!("#{head}"));
        head.into_iter().chain(fields.split_whitespace().map(str::to_owned))
    });
    wanted.filter(|name| !names.contains(name.as_str())).collect()
}

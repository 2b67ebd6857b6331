//! The commands of Redis Cluster. This server is no cluster, and answers them as a Redis that is none: clients that ask
//! find out by that.

use ennead_kv::{Category, Error, Flag, Group, Result, Spec};

use super::{CONNECTION, Row};
use crate::session::{Output, Request, Session};

const CLUSTER: Spec = Spec { group: Group::Cluster, flags: &[Flag::Stale], since: "3.0.0", ..CONNECTION };
const ADMIN: &[Flag] = &[Flag::Admin, Flag::Stale];
const CHANGE: &[Flag] = &[Flag::Admin, Flag::Stale, Flag::NoAsyncLoading];
const ASK: &[Flag] = CLUSTER.flags;

const BY_SLOTS: &str = "O(N) where N is the total number of hash slot arguments";
const BY_RANGES: &str = "O(N) where N is the total number of the slots between the start slot and end slot arguments.";
const BY_NODES: &str = "O(N) where N is the total number of Cluster nodes";

macro_rules! rows {
    ($($name:literal $arity:literal $since:literal $flags:ident $complexity:expr, $syntax:literal $summary:literal;)+) => {
        &[$(Row {
            spec: Spec {
                name: $name,
                arity: $arity,
                since: $since,
                flags: $flags,
                complexity: $complexity,
                syntax: $syntax,
                summary: $summary,
                ..CLUSTER
            },
            run: refuse,
        }),+]
    };
}

pub(super) const SUBCOMMANDS: &[Row] = rows! {
    "cluster|addslots" -3 "3.0.0" CHANGE BY_SLOTS, "slot [slot ...]" "Assigns new hash slots to a node.";
    "cluster|addslotsrange" -4 "7.0.0" CHANGE BY_RANGES, "start-slot end-slot [start-slot end-slot ...]" "Assigns new hash slot ranges to a node.";
    "cluster|bumpepoch" 2 "3.0.0" CHANGE "O(1)", "" "Advances the cluster config epoch.";
    "cluster|count-failure-reports" 3 "3.0.0" ADMIN "O(N) where N is the number of failure reports", "node-id" "Returns the number of active failure reports for a node.";
    "cluster|countkeysinslot" 3 "3.0.0" ASK "O(1)", "slot" "Returns the number of keys in a hash slot.";
    "cluster|delslots" -3 "3.0.0" CHANGE BY_SLOTS, "slot [slot ...]" "Sets hash slots as unbound for a node.";
    "cluster|delslotsrange" -4 "7.0.0" CHANGE BY_RANGES, "start-slot end-slot [start-slot end-slot ...]" "Sets hash slot ranges as unbound for a node.";
    "cluster|failover" -2 "3.0.0" CHANGE "O(1)", "[FORCE | TAKEOVER]" "Forces a replica to perform a manual failover of its master.";
    "cluster|flushslots" 2 "3.0.0" CHANGE "O(1)", "" "Deletes all slots information from a node.";
    "cluster|forget" 3 "3.0.0" CHANGE "O(1)", "node-id" "Removes a node from the nodes table.";
    "cluster|getkeysinslot" 4 "3.0.0" ASK "O(N) where N is the number of requested keys", "slot count" "Returns the key names in a hash slot.";
    "cluster|help" 2 "5.0.0" HELP "O(1)", "" "Returns helpful text about the different subcommands.";
    "cluster|info" 2 "3.0.0" ASK "O(1)", "" "Returns information about the state of a node.";
    "cluster|keyslot" 3 "3.0.0" ASK "O(N) where N is the number of bytes in the key", "key" "Returns the hash slot for a key.";
    "cluster|links" 2 "7.0.0" ASK BY_NODES, "" "Returns a list of all TCP links to and from peer nodes.";
    "cluster|meet" -4 "3.0.0" CHANGE "O(1)", "ip port [cluster-bus-port]" "Forces a node to handshake with another node.";
    "cluster|myid" 2 "3.0.0" ASK "O(1)", "" "Returns the ID of a node.";
    "cluster|myshardid" 2 "7.2.0" ASK "O(1)", "" "Returns the shard ID of a node.";
    "cluster|nodes" 2 "3.0.0" ASK BY_NODES, "" "Returns the cluster configuration for a node.";
    "cluster|replicas" 3 "5.0.0" ADMIN "O(N) where N is the number of replicas.", "node-id" "Lists the replica nodes of a master node.";
    "cluster|replicate" 3 "3.0.0" CHANGE "O(1)", "node-id" "Configures a node as replica of a master node.";
    "cluster|reset" -2 "3.0.0" RESET "O(N) where N is the number of known nodes. The command may execute a FLUSHALL as a side effect.", "[HARD | SOFT]" "Resets a node.";
    "cluster|saveconfig" 2 "3.0.0" CHANGE "O(1)", "" "Forces a node to save the cluster configuration to disk.";
    "cluster|set-config-epoch" 3 "3.0.0" CHANGE "O(1)", "config-epoch" "Sets the configuration epoch for a new node.";
    "cluster|setslot" -4 "3.0.0" CHANGE "O(1)", "slot <IMPORTING node-id | MIGRATING node-id | NODE node-id | STABLE>" "Binds a hash slot to a node.";
    "cluster|shards" 2 "7.0.0" ASK BY_NODES, "" "Returns the mapping of cluster slots to shards.";
    "cluster|slaves" 3 "3.0.0" ADMIN "O(N) where N is the number of replicas.", "node-id" "Lists the replica nodes of a master node.";
    "cluster|slots" 2 "3.0.0" ASK BY_NODES, "" "Returns the mapping of cluster slots to nodes.";
};

const HELP: &[Flag] = &[Flag::Loading, Flag::Stale];
const RESET: &[Flag] = &[Flag::Admin, Flag::Stale, Flag::NoScript];
const OF_CONNECTIONS: Spec =
    Spec { arity: 1, flags: &[Flag::Fast, Flag::Loading, Flag::Stale], categories: &[Category::Connection], ..CLUSTER };

pub(super) const ROWS: &[Row] = &[
    Row {
        spec: Spec {
            name: "asking",
            flags: &[Flag::Fast],
            summary: "Signals that a cluster client is following an -ASK redirect.",
            ..OF_CONNECTIONS
        },
        run: refuse,
    },
    Row {
        spec: Spec {
            name: "readonly",
            summary: "Enables read-only queries for a connection to a cluster replica node.",
            ..OF_CONNECTIONS
        },
        run: refuse,
    },
    Row {
        spec: Spec {
            name: "readwrite",
            summary: "Enables read-write queries for a connection to a cluster replica node.",
            ..OF_CONNECTIONS
        },
        run: refuse,
    },
];

fn refuse(_session: &mut Session, _request: &Request<'_>, _reply: &mut dyn Output) -> Result {
    Err(Error::text("ERR This instance has cluster support disabled"))
}

//! The command line. Flags that are settings carry no default here: what is not given falls through to the environment,
//! the file and the table of settings, in this order (see [`crate::config`]).

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use ennead_engine::settings;

/// One daemon over one durable core: Redis, HTTP and gRPC clients, as they are.
#[derive(Debug, Parser)]
#[command(name = "ennead", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: ServeArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server (the default)
    Serve(ServeArguments),
    /// Read flags, environment and file as `serve` would, and say what they come to
    CheckConfig(ServeArguments),
    /// Write a consistent copy of a data directory that no server uses
    Backup(BackupArguments),
    /// Make a data directory from a copy, with archived log segments up to a point in time
    Restore(RestoreArguments),
    /// Say what of a data directory cannot be read and what it would cost to go on without it
    Repair(RepairArguments),
    /// Give the space of deleted rows back to the file system
    Compact(DataArguments),
    /// Write a snapshot file that redis-server loads: of a data directory, or of a running server
    Export(ExportArguments),
    /// Copy a running Redis, a snapshot file of it, or a running etcd to a running Ennead
    Import(ImportArguments),
    /// Print the version and what the binary was built with
    Version,
    /// Write generated files: man page, completions, reference pages
    #[command(hide = true)]
    Generate(GenerateArguments),
}

/// What `serve` and `check-config` take. Everything may also be given by `--set` and by the environment.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ServeArguments {
    /// Read settings from this file (TOML); none is read otherwise
    #[arg(long, value_name = "FILE", env = "ENNEAD_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Directory of the data, created when missing [default: ./data]
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
    /// Address of the Redis protocol, or off [default: 127.0.0.1:6379]
    #[arg(long, value_name = "ADDR")]
    resp: Option<String>,
    /// Address of HTTP, or off [default: 127.0.0.1:9200]
    #[arg(long, value_name = "ADDR")]
    http: Option<String>,
    /// Address of gRPC, or off [default: 127.0.0.1:2379]
    #[arg(long, value_name = "ADDR")]
    grpc: Option<String>,
    /// When a write is acknowledged: always, everysec or none [default: everysec]
    #[arg(long, value_name = "WHEN")]
    durability: Option<String>,
    /// Memory limit of keys and values, such as 2gb [default: none]
    #[arg(long, value_name = "BYTES")]
    maxmemory: Option<String>,
    /// File whose first line is the password
    #[arg(long, value_name = "FILE")]
    password_file: Option<String>,
    /// Certificate chain (PEM): all listeners speak TLS
    #[arg(long, value_name = "FILE")]
    tls_certificate: Option<String>,
    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE")]
    tls_key: Option<String>,
    /// Authorities of clients' certificates (PEM): every client must show one
    #[arg(long, value_name = "FILE")]
    tls_client_ca: Option<String>,
    /// Let other machines in without password and without TLS
    #[arg(long)]
    insecure: bool,
    /// error, warn, info, debug or trace [default: info]
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
    /// text or json [default: text]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// Any setting of ennead.toml, as section.key=value; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
}

impl ServeArguments {
    /// The settings that are given as flags: how the flag was written, the setting, its value. Those of `--set` last,
    /// so that they win.
    ///
    /// # Errors
    /// The `--set` that has no `=`.
    pub(crate) fn overrides(&self) -> Result<Vec<(String, String, String)>, String> {
        let insecure = self.insecure.then(|| "true".to_owned());
        let flags = [
            ("--data", settings::DATA_DIRECTORY.name(), &self.data),
            ("--resp", settings::LISTEN_RESP.name(), &self.resp),
            ("--http", settings::LISTEN_HTTP.name(), &self.http),
            ("--grpc", settings::LISTEN_GRPC.name(), &self.grpc),
            ("--durability", settings::DURABILITY.name(), &self.durability),
            ("--maxmemory", settings::MAXMEMORY.name(), &self.maxmemory),
            ("--password-file", settings::PASSWORD_FILE.name(), &self.password_file),
            ("--tls-certificate", settings::TLS_CERTIFICATE_FILE.name(), &self.tls_certificate),
            ("--tls-key", settings::TLS_KEY_FILE.name(), &self.tls_key),
            ("--tls-client-ca", settings::TLS_CLIENT_CA_FILE.name(), &self.tls_client_ca),
            ("--insecure", settings::INSECURE.name(), &insecure),
            ("--log-level", settings::LOG_LEVEL.name(), &self.log_level),
            ("--log-format", settings::LOG_FORMAT.name(), &self.log_format),
        ];
        let mut found: Vec<_> = flags
            .into_iter()
            .filter_map(|(flag, name, value)| Some((flag.to_owned(), name.to_owned(), value.clone()?)))
            .collect();
        for pair in &self.set {
            let (name, value) = pair.split_once('=').ok_or(format!("--set {pair}: expected section.key=value"))?;
            found.push((format!("--set {name}"), name.to_owned(), value.to_owned()));
        }
        Ok(found)
    }
}

#[derive(Debug, Args)]
pub(crate) struct DataArguments {
    /// Directory of the data
    #[arg(long, value_name = "DIR", env = "ENNEAD_DATA", default_value = "./data")]
    pub(crate) data: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct BackupArguments {
    #[command(flatten)]
    pub(crate) from: DataArguments,
    /// New directory for the copy
    pub(crate) target: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArguments {
    /// Directory that `backup`, SAVE or BGSAVE wrote
    pub(crate) source: PathBuf,
    #[command(flatten)]
    pub(crate) to: DataArguments,
    /// Directory with log segments to replay over the copy; may be repeated
    #[arg(long = "archive", value_name = "DIR")]
    pub(crate) archives: Vec<PathBuf>,
    /// Stop after this batch
    #[arg(long, value_name = "NUMBER", conflicts_with = "until_time")]
    pub(crate) until_batch: Option<u64>,
    /// Stop after the last batch written at this time, such as 2026-11-23T16:40:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) until_time: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RepairArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// Cut off what cannot be read, and what lies behind it; the cut files are kept aside
    #[arg(long)]
    pub(crate) apply: bool,
}

/// From a data directory that no server uses, or by `--from` from a running server, which needs a user that may SYNC.
#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// Snapshot file to write, in the form of Redis 7.0; replaced when whole
    #[arg(long, value_name = "FILE")]
    pub(crate) rdb: PathBuf,
    /// Running server instead of a data directory: redis[s]://[[user:]password@]host[:port]; a Redis is one as well
    #[arg(long, value_name = "ADDR", conflicts_with = "data")]
    pub(crate) from: Option<String>,
    #[command(flatten)]
    pub(crate) tls: TlsArguments,
    #[command(flatten)]
    pub(crate) data: DataArguments,
}

/// For addresses that begin with rediss://, or https:// for etcd.
#[derive(Debug, Default, Args)]
pub(crate) struct TlsArguments {
    /// Authorities (PEM) of the certificates that servers show [default: those of the system]
    #[arg(long, value_name = "FILE")]
    pub(crate) cacert: Option<PathBuf>,
    /// Certificate chain (PEM) to show to servers that ask for one
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,
    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, disable_help_subcommand = true)]
pub(crate) struct ImportArguments {
    #[command(subcommand)]
    pub(crate) other: Option<ImportSource>,
    #[command(flatten)]
    pub(crate) redis: RedisImportArguments,
}

/// What is no Redis.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportSource {
    /// Copy a running etcd: all keys as of one revision, and their leases
    Etcd(EtcdImportArguments),
}

/// Leases keep their ids, the time they were granted for and what is left of it. Revisions and versions are the target's own.
/// With `--follow` each change there is made here as well, until Ctrl-C.
#[derive(Debug, Args)]
pub(crate) struct EtcdImportArguments {
    /// The running etcd, 3.3 or later: [http[s]://]host[:port]
    #[arg(long, value_name = "ADDR")]
    pub(crate) endpoint: String,
    /// User of the source
    #[arg(long, value_name = "NAME", requires = "password")]
    pub(crate) user: Option<String>,
    /// Password of the user
    #[arg(long, value_name = "PASSWORD", requires = "user", env = "ENNEAD_IMPORT_PASSWORD", hide_env_values = true)]
    pub(crate) password: Option<String>,
    /// The running Ennead, its gRPC port: [http[s]://[[user:]password@]]host[:port]
    #[arg(long, value_name = "ADDR")]
    pub(crate) to: String,
    /// After the copy, make each change of the source here as well, until Ctrl-C
    #[arg(long)]
    pub(crate) follow: bool,
    /// Before the copy, delete what the target holds of etcd's keys and leases
    #[arg(long)]
    pub(crate) flush: bool,
    /// Copy over what the target holds; keys that only the target has stay
    #[arg(long, conflicts_with = "flush")]
    pub(crate) merge: bool,
    #[command(flatten)]
    pub(crate) tls: TlsArguments,
}

/// From a running Redis it copies everything and then follows: each change there is made here, until Ctrl-C. Started again it
/// goes on where it stopped, if the source still has what came since; else it copies everything again. It says which.
#[derive(Debug, Args)]
pub(crate) struct RedisImportArguments {
    /// redis[s]://[[user:]password@]host[:port][/database] of a running Redis, or a snapshot file (dump.rdb, up to Redis 7.4)
    // Both are required but where another source is named.
    #[arg(required = true)]
    pub(crate) source: Option<String>,
    /// The running Ennead: host:port, or redis[s]://[[user:]password@]host[:port]
    #[arg(long, value_name = "ADDR", required = true)]
    pub(crate) to: Option<String>,
    /// Stop following once everything is here that the source had a moment ago
    #[arg(long)]
    pub(crate) until_caught_up: bool,
    /// Before a full copy, delete what the target holds
    #[arg(long)]
    pub(crate) flush: bool,
    /// Copy over what the target holds; keys that only the target has stay
    #[arg(long, conflicts_with = "flush")]
    pub(crate) merge: bool,
    /// File that keeps where the next start goes on
    #[arg(long, value_name = "FILE", default_value = "ennead-import.state")]
    pub(crate) state: PathBuf,
    #[command(flatten)]
    pub(crate) tls: TlsArguments,
}

#[derive(Debug, Args)]
pub(crate) struct GenerateArguments {
    /// Directory to write into: the repository's root
    pub(crate) root: PathBuf,
}

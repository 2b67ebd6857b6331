//! `ennead import etcd`: what a running etcd holds goes to a running Ennead, as a client of both: all keys as of one revision
//! with their leases, and, when it is asked to follow, every change from there on.
//!
//! Memory holds two pages of keys at most, one that is read and one that is written.

mod follow;
mod leases;
mod pages;
mod report;
mod target;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use ennead_engine::coord::api::etcdserverpb::{AuthStatusRequest, RangeRequest};
use ennead_grpc::client::{Client, Login, Server};

use super::Existing;
use crate::arguments::EtcdImportArguments;
use crate::meter::{Meter, bar};
use crate::peer::address::{Address, ETCD_SCHEME_ENCRYPTED};
use crate::shutdown;
use crate::tls::Trust;
use leases::Leases;
use pages::Pages;
use report::Report;
use target::Target;

/// The largest answer of the source, but for one with a single key.
const PAGE_BYTES_MAX: usize = 32 << 20;

struct Import {
    source: Client,
    target: Target,
    leases: Leases,
    report: Report,
    meter: Meter,
    stop: Arc<AtomicBool>,
}

/// # Errors
/// One line: what is wrong, or that something of the source is not on the target.
pub(super) fn run(arguments: &EtcdImportArguments) -> Result<(), String> {
    let mut from = Address::parse_etcd(&arguments.endpoint)?;
    let to = Address::parse_etcd(&arguments.to)?;
    if (&from.host, from.port) == (&to.host, to.port) {
        return Err(format!("source and target are both {}", to.place()));
    }
    if let Some(user) = &arguments.user {
        from.user = Some(user.clone());
        from.password = arguments.password.clone();
    }
    let trust = Trust::load(&arguments.tls, from.encrypted || to.encrypted, ETCD_SCHEME_ENCRYPTED)?;
    let existing = match (arguments.flush, arguments.merge) {
        (true, _) => Existing::Flush,
        (_, true) => Existing::Merge,
        _ => Existing::Refuse,
    };
    let stop = shutdown::flag()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start the event loop: {error}"))?;
    runtime.block_on(async {
        let source = Client::connect(server(&from, &trust, PAGE_BYTES_MAX)).await?;
        let target = Target::new(Client::connect(server(&to, &trust, PAGE_BYTES_MAX)).await?);
        let (leases, report, meter) = (Leases::default(), Report::default(), Meter::new());
        let mut import = Import { source, target, leases, report, meter, stop };
        let outcome = import.run(existing, arguments.follow).await;
        import.finish(outcome)
    })
}

fn server(address: &Address, trust: &Trust, answer_bytes_max: usize) -> Server {
    let login = match (&address.user, &address.password) {
        (Some(user), password) => Login::User(user.clone(), password.clone().unwrap_or_default()),
        (None, Some(password)) => Login::Password(password.clone()),
        (None, None) => Login::None,
    };
    let tls = trust.config().filter(|_| address.encrypted);
    Server { host: address.host.clone(), port: address.port, tls, login, answer_bytes_max }
}

/// All keys that there are.
fn everything() -> RangeRequest {
    RangeRequest { key: "\0".into(), range_end: "\0".into(), ..RangeRequest::default() }
}

impl Import {
    async fn run(&mut self, existing: Existing, follow: bool) -> Result<(), String> {
        self.target.prepare(existing).await?;
        let counted = self.source.range(RangeRequest { count_only: true, ..everything() }).await;
        let counted = counted.map_err(|refusal| self.broken(&refusal.message))?;
        let revision = counted.header.map_or(0, |header| header.revision);
        let total = u64::try_from(counted.count).unwrap_or(0);
        self.say(&format!("copying {total} keys of {}, as of revision {revision}", self.source.place()));
        // Of a server that does not say, nothing can be told.
        if self.source.auth_status(AuthStatusRequest {}).await.is_ok_and(|status| status.enabled) {
            self.say("users, roles and their permissions are not copied: they are the target's own");
        }
        self.copy_leases().await?;
        self.copy(revision, total).await?;
        if follow {
            self.follow(revision).await?;
            // Some may have no keys, so that no change told of them.
            self.copy_leases().await?;
        }
        self.leases.settle(&self.source, &self.target, &mut self.report).await.map_err(|why| self.broken(&why))
    }

    async fn copy_leases(&mut self) -> Result<(), String> {
        let copied = self.leases.copy(&self.source, &self.target, &mut self.report).await;
        copied.map_err(|why| self.broken(&why))
    }

    /// Copies all keys, reading one page while another is written.
    async fn copy(&mut self, revision: i64, total: u64) -> Result<(), String> {
        let mut pages = Pages::new(self.source.clone(), revision);
        let mut page = pages.next().await.map_err(|why| self.broken(&why))?;
        while let Some(keys) = page {
            if self.stop.load(SeqCst) {
                return Err("stopped before the copy was whole; start again, with --flush or --merge".to_owned());
            }
            self.leases.renew(&self.source, &self.target).await?;
            let here = self.leases.keep(keys, &mut self.report);
            let written = self.target.put(here, &mut self.report);
            let (next, written) = tokio::join!(pages.next(), written);
            written?;
            page = next.map_err(|why| self.broken(&why))?;
            let done = self.report.keys;
            self.meter.show(|| format!("{}{done} of {total} keys", bar(done, total)));
        }
        Ok(())
    }

    fn broken(&self, why: &str) -> String {
        format!("{}: {why}; the copy is not whole: start again, with --flush or --merge", self.source.place())
    }

    fn say(&mut self, line: &str) {
        self.meter.clear();
        let _ = writeln!(std::io::stderr(), "{line}");
    }

    /// Tells what was done, however it ended.
    fn finish(&mut self, outcome: Result<(), String>) -> Result<(), String> {
        self.meter.clear();
        let mut lines = self.report.lines();
        lines.push(format!("{:.1} s", self.meter.elapsed().as_secs_f64()));
        writeln!(std::io::stdout(), "{}", lines.join("\n"))
            .map_err(|error| format!("the standard output is closed: {error}"))?;
        outcome?;
        if self.report.refused > 0 {
            return Err("not everything of the source is on the target; see the lines in capitals".to_owned());
        }
        Ok(())
    }
}

//! The thread that runs scripts, one after the other.

use std::sync::Arc;
use std::sync::mpsc::{self, Sender};

use parking_lot::Mutex;

use super::Invocation;
use super::item::Item;
use super::run::run;
use crate::Clock;
use crate::clients::Client;
use crate::session::{Hold, Session};

/// Where the reply of a script is found once it is there.
pub(crate) type Answer = Arc<Mutex<Option<(Item, Hold)>>>;

/// A script to be run for a client.
pub(crate) struct Job {
    pub(crate) invocation: Invocation,
    /// What commands of the script run in: it shares the identity of the client's own.
    pub(crate) session: Box<Session>,
    pub(crate) answer: Answer,
    pub(crate) client: Arc<Client>,
}

#[derive(Debug)]
pub(super) struct Thread {
    jobs: Sender<Job>,
}

impl Thread {
    /// It ends with the last handle.
    pub(super) fn start() -> std::io::Result<Thread> {
        let (jobs, waiting) = mpsc::channel::<Job>();
        std::thread::Builder::new().name("scripts".to_owned()).spawn(move || {
            while let Ok(job) = waiting.recv() {
                let Job { invocation, mut session, answer, client } = job;
                let outcome = run(&mut session, &invocation, &Clock::new());
                *answer.lock() = Some(outcome);
                drop(session);
                client.wake();
            }
        })?;
        Ok(Thread { jobs })
    }

    pub(super) fn submit(&self, job: Job) {
        // The thread only ends after this handle.
        drop(self.jobs.send(job));
    }
}

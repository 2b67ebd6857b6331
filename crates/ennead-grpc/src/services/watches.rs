//! `etcdserverpb.Watch`.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ennead_engine::coord::api::etcdserverpb::WatchRequest;
use ennead_engine::coord::{WatchAnswer, WatchStream};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep};
use tokio_stream::Stream;
use tonic::{Request, Response, Status, Streaming};

use super::Api;
use super::made::etcdserverpb::watch_server::Watch;
use crate::error::too_large;

/// How often watches that ask for it are told how far they are: etcd's default.
const PROGRESS_EVERY: Duration = Duration::from_secs(600);

/// Answers in a row after which a stream rests, and for how long. What happens meanwhile to a watch is one answer, which is
/// what a client with many busy watches can take; those with few, or quiet ones, are told at once.
const BURST: usize = 64;
const REST: Duration = Duration::from_millis(5);

/// The answers of one stream. Dropping it, as happens when the client is gone, ends the watches.
pub(crate) struct Answers {
    stream: Arc<WatchStream>,
    in_a_row: usize,
    /// Made when it is needed first.
    rest: Option<Pin<Box<Sleep>>>,
    resting: bool,
    /// Tells whoever takes the requests that nobody wants answers any more.
    _gone: oneshot::Sender<()>,
    /// Why the stream ends, when a request could not be read.
    refusal: Refusal,
}

type Refusal = Arc<Mutex<Option<Status>>>;

impl Answers {
    fn new(stream: Arc<WatchStream>, gone: oneshot::Sender<()>, refusal: Refusal) -> Answers {
        Answers { stream, in_a_row: 0, rest: None, resting: false, _gone: gone, refusal }
    }

    fn poll_rest(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(rest) = self.rest.as_mut().filter(|_| self.resting) {
            ready!(rest.as_mut().poll(context));
            self.resting = false;
        }
        Poll::Ready(())
    }

    /// To be called when everything there was has been told.
    fn pause(&mut self) {
        if std::mem::take(&mut self.in_a_row) >= BURST {
            let rest = self.rest.get_or_insert_with(|| Box::pin(tokio::time::sleep(REST)));
            rest.as_mut().reset(Instant::now() + REST);
            self.resting = true;
        }
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.stream.close();
    }
}

impl Stream for Answers {
    type Item = Result<WatchAnswer, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        ready!(self.poll_rest(context));
        let polled = self.stream.poll_next(context);
        if polled.is_ready() {
            self.in_a_row += 1;
        } else {
            self.pause();
            if self.resting {
                // So that the end of the rest wakes its task, and not what happens meanwhile.
                self.stream.forget_waker();
                return self.poll_next(context);
            }
        }
        let answer = ready!(polled);
        Poll::Ready(answer.map(Ok).or_else(|| lock(&self.refusal).take().map(Err)))
    }
}

#[tonic::async_trait]
impl Watch for Api {
    type WatchStream = Answers;

    async fn watch(&self, request: Request<Streaming<WatchRequest>>) -> Result<Response<Answers>, Status> {
        let stream = Arc::new(self.coord_for(&request)?.watch());
        let (gone, client_gone) = oneshot::channel();
        let refusal = Refusal::default();
        let serving = serve(self.clone(), request.into_inner(), Arc::clone(&stream), Arc::clone(&refusal), client_gone);
        tokio::spawn(serving);
        Ok(Response::new(Answers::new(stream, gone, refusal)))
    }
}

/// A status is whole whatever a thread did that panicked.
fn lock(refusal: &Refusal) -> MutexGuard<'_, Option<Status>> {
    refusal.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the requests of one stream until either side ends it. A client that will ask nothing more still wants answers.
async fn serve(
    mut api: Api,
    mut requests: Streaming<WatchRequest>,
    stream: Arc<WatchStream>,
    refusal: Refusal,
    mut client_gone: oneshot::Receiver<()>,
) {
    let mut progress = tokio::time::interval(PROGRESS_EVERY);
    // The first tick comes at once.
    progress.tick().await;
    let stopped = api.stopped();
    tokio::pin!(stopped);
    let mut asking = true;
    loop {
        tokio::select! {
            request = requests.message(), if asking => match request {
                Ok(Some(request)) => stream.request(request),
                Ok(None) => asking = false,
                Err(failure) => {
                    *lock(&refusal) = Some(too_large(failure));
                    break;
                }
            },
            _ = progress.tick() => stream.notify_progress(),
            _ = &mut client_gone => break,
            () = &mut stopped => break,
        }
    }
    stream.close();
}

//! `etcdserverpb.Watch`.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ennead_engine::coord::WatchStream;
use ennead_engine::coord::api::etcdserverpb::{WatchRequest, WatchResponse};
use tokio_stream::Stream;
use tonic::{Request, Response, Status, Streaming};

use super::Api;
use super::made::etcdserverpb::watch_server::Watch;
use crate::error::too_large;

/// How often watches that ask for it are told how far they are: etcd's default.
const PROGRESS_EVERY: Duration = Duration::from_secs(600);

/// The answers of one stream. Dropping it, as happens when the client is gone, ends the watches.
pub(crate) struct Answers {
    stream: Arc<WatchStream>,
    /// Why the stream ends, when a request could not be read.
    refusal: Refusal,
}

type Refusal = Arc<Mutex<Option<Status>>>;

impl Drop for Answers {
    fn drop(&mut self) {
        self.stream.close();
    }
}

impl Stream for Answers {
    type Item = Result<WatchResponse, Status>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let answer = ready!(self.stream.poll_next(context));
        Poll::Ready(answer.map(Ok).or_else(|| lock(&self.refusal).take().map(Err)))
    }
}

#[tonic::async_trait]
impl Watch for Api {
    type WatchStream = Answers;

    async fn watch(&self, request: Request<Streaming<WatchRequest>>) -> Result<Response<Answers>, Status> {
        let stream = Arc::new(self.coord_for(&request)?.watch());
        let refusal = Refusal::default();
        tokio::spawn(serve(self.clone(), request.into_inner(), Arc::clone(&stream), Arc::clone(&refusal)));
        Ok(Response::new(Answers { stream, refusal }))
    }
}

/// A status is whole whatever a thread did that panicked.
fn lock(refusal: &Refusal) -> MutexGuard<'_, Option<Status>> {
    refusal.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the requests of one stream until either side ends it.
async fn serve(mut api: Api, mut requests: Streaming<WatchRequest>, stream: Arc<WatchStream>, refusal: Refusal) {
    let mut progress = tokio::time::interval(PROGRESS_EVERY);
    // The first tick comes at once.
    progress.tick().await;
    let stopped = api.stopped();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            request = requests.message() => match request {
                Ok(Some(request)) => stream.request(request),
                // The client is done.
                Ok(None) => break,
                Err(failure) => {
                    *lock(&refusal) = Some(too_large(failure));
                    break;
                }
            },
            _ = progress.tick() => stream.notify_progress(),
            () = &mut stopped => break,
        }
    }
    stream.close();
}

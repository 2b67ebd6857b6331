//! `etcdserverpb.Watch`.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ennead_engine::coord::api::etcdserverpb::WatchRequest;
use ennead_engine::coord::{WatchAnswer, WatchStream};
use tokio::sync::oneshot;
use tokio_stream::Stream;
use tonic::{Request, Response, Status, Streaming};

use super::Api;
use super::made::etcdserverpb::watch_server::Watch;

/// How often watches that ask for it are told how far they are: etcd's default.
const PROGRESS_EVERY: Duration = Duration::from_secs(600);

/// The answers of one stream. Dropping it, as happens when the client is gone, ends the watches.
pub(crate) struct Answers {
    stream: Arc<WatchStream>,
    /// Tells whoever takes the requests that nobody wants answers any more.
    _gone: oneshot::Sender<()>,
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.stream.close();
    }
}

impl Stream for Answers {
    type Item = Result<WatchAnswer, Status>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.stream.poll_next(context).map(|answer| answer.map(Ok))
    }
}

#[tonic::async_trait]
impl Watch for Api {
    type WatchStream = Answers;

    async fn watch(&self, request: Request<Streaming<WatchRequest>>) -> Result<Response<Answers>, Status> {
        let stream = Arc::new(self.coord_for(&request)?.watch());
        let (gone, client_gone) = oneshot::channel();
        tokio::spawn(serve(self.clone(), request.into_inner(), Arc::clone(&stream), client_gone));
        Ok(Response::new(Answers { stream, _gone: gone }))
    }
}

/// Takes the requests of one stream until either side ends it. A client that will ask nothing more still wants answers.
async fn serve(
    mut api: Api,
    mut requests: Streaming<WatchRequest>,
    stream: Arc<WatchStream>,
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
                Err(_) => break,
            },
            _ = progress.tick() => stream.notify_progress(),
            _ = &mut client_gone => break,
            () = &mut stopped => break,
        }
    }
    stream.close();
}

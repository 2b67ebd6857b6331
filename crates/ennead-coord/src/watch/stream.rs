//! One client's stream of watches.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use parking_lot::Mutex;

use super::Member;
use super::answer::WatchAnswer;
use super::mailbox::{Item, Mailbox, Watch, Wishes};
use super::response::answers;
use crate::api::etcdserverpb::watch_create_request::FilterType;
use crate::api::etcdserverpb::watch_request::RequestUnion;
use crate::api::etcdserverpb::{WatchCreateRequest, WatchRequest, WatchResponse};
use crate::auth::{Access, Caller};
use crate::coord::{Coord, Shared};
use crate::error::Error;
use crate::span::Span;

/// The id of answers that are about no watch.
const NO_WATCH: i64 = -1;

/// A stream of watches: takes requests, gives answers. Dropping it ends its watches.
#[derive(Debug)]
pub struct WatchStream {
    shared: Arc<Shared>,
    caller: Caller,
    mailbox: Arc<Mailbox>,
    /// Fragments of the answer under way.
    ready: Mutex<VecDeque<WatchAnswer>>,
}

impl Coord {
    /// Opens a stream without watches.
    pub fn watch(&self) -> WatchStream {
        WatchStream {
            shared: Arc::clone(self.shared()),
            caller: self.caller.clone(),
            mailbox: Arc::default(),
            ready: Mutex::default(),
        }
    }
}

impl Drop for WatchStream {
    fn drop(&mut self) {
        self.close();
    }
}

impl WatchStream {
    /// Takes a request. What there is to say about it comes among the answers.
    pub fn request(&self, request: WatchRequest) {
        match request.request_union {
            Some(RequestUnion::CreateRequest(request)) => self.create(request),
            Some(RequestUnion::CancelRequest(request)) => self.cancel(request.watch_id),
            Some(RequestUnion::ProgressRequest(_)) => self.ask_progress(),
            None => {}
        }
    }

    /// The next answer; nothing when the stream is closed.
    pub fn poll_next(&self, context: &Context<'_>) -> Poll<Option<WatchAnswer>> {
        let mut ready = self.ready.lock();
        loop {
            if let Some(answer) = ready.pop_front() {
                return Poll::Ready(Some(answer));
            }
            let mut contents = self.mailbox.0.lock();
            let Some(item) = contents.pop() else {
                if contents.closed {
                    return Poll::Ready(None);
                }
                contents.set_waker(context.waker());
                if contents.behind > 0 && !contents.reading {
                    contents.reading = true;
                    drop(contents);
                    self.shared.hub.ask(Arc::clone(&self.mailbox));
                } else if contents.progress_asked.is_some() && contents.behind == 0 {
                    drop(contents);
                    if self.answer_progress() {
                        continue;
                    }
                    context.waker().wake_by_ref();
                }
                return Poll::Pending;
            };
            drop(contents);
            ready.extend(answers(&self.shared, item));
        }
    }

    /// Wakes nobody before the next call of [`WatchStream::poll_next`], which the caller makes by itself.
    pub fn forget_waker(&self) {
        self.mailbox.0.lock().take_waker();
    }

    /// Tells watches that want to know, and were told of nothing since the last call, how far they are.
    pub fn notify_progress(&self) {
        let level = self.shared.hub.level.lock();
        let mut contents = self.mailbox.0.lock();
        let mut idle = Vec::new();
        for (id, watch) in &mut contents.watches {
            let is_level = watch.behind.is_none() && level.revision >= watch.asked;
            if watch.wishes.progress && !std::mem::take(&mut watch.busy) && is_level {
                idle.push(*id);
            }
        }
        for watch_id in idle {
            contents.close_answer(watch_id);
            let header = Some(self.shared.identity.header(level.revision));
            contents.push(Item::Control(WatchResponse { header, watch_id, ..WatchResponse::default() }));
        }
    }

    /// Ends all watches, and then the answers.
    pub fn close(&self) {
        let mut level = self.shared.hub.level.lock();
        let mut contents = self.mailbox.0.lock();
        for (id, watch) in std::mem::take(&mut contents.watches) {
            level.remove(&watch.span, &self.mailbox, id);
        }
        contents.behind = 0;
        contents.closed = true;
        contents.wake();
    }

    fn create(&self, request: WatchCreateRequest) {
        let revision = self.shared.publication.revision();
        let header = Some(self.shared.identity.header(revision));
        let created = WatchResponse { header, created: true, ..WatchResponse::default() };
        let refuse = |reason: String| {
            let refused =
                WatchResponse { watch_id: NO_WATCH, canceled: true, cancel_reason: reason, ..created.clone() };
            self.mailbox.0.lock().push(Item::Control(refused));
        };
        if request.start_revision < 0 {
            return refuse(Error::Compacted.to_string());
        }
        let key = if request.key.is_empty() { Bytes::from_static(&[0]) } else { Bytes::copy_from_slice(&request.key) };
        let allowed = self.shared.state.read().auth.check(&self.caller, &key, &request.range_end, Access::Read);
        if let Err(error) = allowed {
            // In the words of gRPC's clients.
            return refuse(format!("rpc error: code = {:?} desc = {error}", error.code()));
        }
        let wishes = wishes(&request);
        let span = Span::new(key, Bytes::copy_from_slice(&request.range_end));
        if matches!(&span, Span::Between(start, end) if start >= end) {
            return refuse("mvcc: watcher range is empty".to_owned());
        }
        let mut level = self.shared.hub.level.lock();
        let mut contents = self.mailbox.0.lock();
        if contents.closed {
            return;
        }
        let id = match request.watch_id {
            0 => {
                while contents.is_taken(contents.next_id) {
                    contents.next_id += 1;
                }
                contents.next_id += 1;
                contents.next_id - 1
            }
            id if contents.is_taken(id) => {
                drop(contents);
                return refuse("mvcc: duplicate watch ID provided on the WatchStream".to_owned());
            }
            id => id,
        };
        contents.push(Item::Control(WatchResponse { watch_id: id, ..created }));
        let start = if request.start_revision == 0 { revision + 1 } else { request.start_revision };
        let is_level = start > level.revision;
        contents.watches.insert(id, Watch::new(span.clone(), wishes, request.start_revision));
        if is_level {
            level.places.add(&span, Member { mailbox: Arc::clone(&self.mailbox), id, start, wishes });
        } else {
            contents.fall_behind(id, start);
        }
    }

    fn cancel(&self, id: i64) {
        let mut level = self.shared.hub.caught_up();
        let mut contents = self.mailbox.0.lock();
        match contents.watches.remove(&id) {
            Some(Watch { behind: Some(_), .. }) => contents.behind -= 1,
            Some(watch) => level.remove(&watch.span, &self.mailbox, id),
            None if contents.ended.remove(&id) => {}
            None => return,
        }
        let header = Some(self.shared.identity.header(self.shared.publication.revision()));
        let canceled = WatchResponse { header, watch_id: id, canceled: true, ..WatchResponse::default() };
        contents.push(Item::Control(canceled));
    }

    fn ask_progress(&self) {
        let mut contents = self.mailbox.0.lock();
        if !contents.watches.is_empty() {
            contents.progress_asked = Some(self.shared.publication.revision());
            contents.wake();
        }
    }

    /// Says how far all watches of the stream are, if they are level. Otherwise they are asked again. False when it is to be
    /// called again at once.
    fn answer_progress(&self) -> bool {
        let level = self.shared.hub.caught_up();
        let mut contents = self.mailbox.0.lock();
        if contents.behind > 0 || !contents.is_idle() {
            return true;
        }
        // What a reader was told of is about to come into the inbox.
        if contents.progress_asked.is_some_and(|asked| level.revision < asked) {
            return false;
        }
        contents.progress_asked = None;
        // A watch that begins later has not come to where the others are.
        if contents.watches.values().all(|watch| watch.asked <= level.revision) {
            let header = Some(self.shared.identity.header(level.revision));
            contents.push(Item::Control(WatchResponse { header, watch_id: NO_WATCH, ..WatchResponse::default() }));
        }
        true
    }
}

fn wishes(request: &WatchCreateRequest) -> Wishes {
    let filters = |filter: FilterType| request.filters.contains(&(filter as i32));
    Wishes {
        no_puts: filters(FilterType::Noput),
        no_deletes: filters(FilterType::Nodelete),
        previous: request.prev_kv,
        fragment: request.fragment,
        progress: request.progress_notify,
    }
}

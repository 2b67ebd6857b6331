//! A worker: one thread with an event loop of its own that runs many connections.
//!
//! A turn: the tasks of ready connections read and execute, and queue themselves; the flusher's task, which the first of
//! them woke and which therefore runs after all that were ready, hands the log over once and writes all replies.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::io::Write;
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use ennead_engine::{Clock, Doorbell, Engine, Message as Mail, Origin, Session, Shard};
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::LocalSet;
use tokio_rustls::TlsAcceptor;

use crate::accept::Peers;
use crate::ahead::Ahead;
use crate::connection::{Connection, Handle, Moved, Reached};
use crate::idle;
use crate::options::Limits;
use crate::socket::Socket;
use crate::spread::{Spent, Watch};

/// The read buffer that all connections of a worker share, bytes.
const SCRATCH_BYTES: usize = 64 << 10;
/// Output buffers kept for connections to come, and the largest one kept.
const SPARE_OUTPUTS_MAX: usize = 64;
const SPARE_OUTPUT_BYTES_MAX: usize = 64 << 10;
const TICK: Duration = Duration::from_millis(500);
/// How long a client may take for a TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// What the accepting side sends a worker.
pub(crate) enum Message {
    Connection {
        stream: std::net::TcpStream,
        origin: Origin,
        tls: Option<TlsAcceptor>,
    },
    /// A connection that another worker gives away.
    Moved(Box<Moved>),
    /// Finish what was read, write the replies, close.
    Drain,
}

pub(crate) struct Worker {
    engine: Engine,
    shard: Arc<Shard>,
    pub(crate) clock: RefCell<Clock>,
    pub(crate) limits: RefCell<Limits>,
    pub(crate) scratch: RefCell<Vec<u8>>,
    pub(crate) ahead: RefCell<Ahead>,
    /// Messages on their way from a mailbox to a connection's output; empty between two connections.
    pub(crate) mail: RefCell<Vec<Arc<Mail>>>,
    /// Where publishers say who has mail, and the list that is swapped with theirs.
    doorbell: Arc<Doorbell>,
    rung: RefCell<Vec<u64>>,
    spare_outputs: RefCell<Vec<Vec<u8>>>,
    connections: RefCell<HashMap<u64, Handle>>,
    /// Connections with replies to write.
    pending: RefCell<Vec<Handle>>,
    /// Connections with replies that wait for the log.
    waiting: RefCell<Vec<Handle>>,
    /// What the replies of this turn need from the log.
    needed: Cell<Reached>,
    /// Whether the clock was read in this turn.
    turn_began: Cell<bool>,
    number: usize,
    peers: Weak<Peers>,
    watch: RefCell<Watch>,
    flush_scheduled: Cell<bool>,
    draining: Cell<bool>,
    flusher: Arc<Mutex<Option<Waker>>>,
}

impl Worker {
    fn new(engine: Engine, number: usize, peers: Weak<Peers>) -> Worker {
        let flusher: Arc<Mutex<Option<Waker>>> = Arc::default();
        let waking = Arc::clone(&flusher);
        let wake = move || {
            if let Some(waker) = waking.lock().as_ref() {
                waker.wake_by_ref();
            }
        };
        let woken = wake.clone();
        engine.store().on_durable(Box::new(move |_| woken()));
        let active = peers.upgrade().map_or(1, |peers| peers.spread.active());
        Worker {
            shard: engine.figures().shard(),
            clock: RefCell::new(Clock::new()),
            limits: RefCell::new(Limits::read(&engine)),
            scratch: RefCell::new(Vec::with_capacity(SCRATCH_BYTES)),
            ahead: RefCell::default(),
            mail: RefCell::default(),
            doorbell: Arc::new(Doorbell::new(wake)),
            rung: RefCell::default(),
            spare_outputs: RefCell::default(),
            connections: RefCell::default(),
            pending: RefCell::default(),
            waiting: RefCell::default(),
            needed: Cell::default(),
            turn_began: Cell::new(false),
            watch: RefCell::new(Watch::new(number, active, Instant::now())),
            number,
            peers,
            flush_scheduled: Cell::new(false),
            draining: Cell::new(false),
            flusher,
            engine,
        }
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// Reads the clocks if this is the turn's first request.
    pub(crate) fn begin_turn(&self, clock: &mut Clock) {
        if self.turn_began.replace(true) {
            // Time that system calls took belongs to no command.
            clock.lap();
        } else {
            clock.turn();
            self.limits.borrow_mut().refresh(&self.engine);
            if let Some(peers) = self.peers.upgrade() {
                self.watch.borrow_mut().look(&peers.spread, clock.instant(), || self.spent(), idle::machine);
            }
        }
    }

    fn spent(&self) -> Spent {
        let (ran, waited) = idle::scheduled();
        let exclusive = Duration::from_nanos(self.shard.exclusive_nanos.get());
        Spent { idle: idle::slept(), ran, waited, exclusive }
    }

    /// Whether a connection should go to another worker.
    #[inline]
    pub(crate) fn has_surplus(&self) -> bool {
        self.watch.borrow().has_surplus()
    }

    /// Has the flusher look at a connection at the end of the turn.
    pub(crate) fn queue(&self, handle: Handle) {
        self.pending.borrow_mut().push(handle);
        self.schedule_flush();
    }

    /// Has the log reach this far at the end of the turn.
    pub(crate) fn await_sequence(&self, reached: Reached) {
        self.needed.set(self.needed.get().max(reached));
        self.schedule_flush();
    }

    fn schedule_flush(&self) {
        if !self.flush_scheduled.replace(true)
            && let Some(waker) = self.flusher.lock().as_ref()
        {
            waker.wake_by_ref();
        }
    }

    pub(crate) fn spare_output(&self) -> Vec<u8> {
        self.spare_outputs.borrow_mut().pop().unwrap_or_else(|| Vec::with_capacity(4096))
    }

    pub(crate) fn keep_output(&self, buffer: Vec<u8>) {
        let mut spare = self.spare_outputs.borrow_mut();
        if spare.len() < SPARE_OUTPUTS_MAX && buffer.capacity() <= SPARE_OUTPUT_BYTES_MAX {
            spare.push(buffer);
        }
    }

    /// The end of a turn: one hand-over of the log for all its writes, then the replies.
    fn flush(&self) {
        self.collect_mail();
        self.turn_began.set(false);
        self.flush_scheduled.set(false);
        let store = self.engine.store();
        let needed = self.needed.take();
        let mut failure = None;
        if needed.written > store.written()
            && let Err(error) = store.hand_over(needed.written)
        {
            failure = Some(error.to_string());
        }
        if needed.durable > store.durable() {
            store.request_sync(needed.durable);
        }
        let mut handles = self.waiting.take();
        handles.append(&mut self.pending.borrow_mut());
        if handles.is_empty() {
            return;
        }
        if failure.is_none() {
            failure = store.poisoned();
        }
        let reached = Reached { written: store.written(), durable: store.durable() };
        for handle in handles.drain(..) {
            let mut connection = handle.borrow_mut();
            connection.flush(self, reached);
            if connection.is_held() {
                if let Some(reason) = &failure {
                    connection.fail_held(reason);
                    connection.flush(self, reached);
                } else {
                    connection.queued = true;
                    drop(connection);
                    self.waiting.borrow_mut().push(handle);
                }
            }
        }
        // The vector goes back for its memory.
        let mut pending = self.pending.borrow_mut();
        if pending.is_empty() {
            *pending = handles;
        }
    }

    /// Queues the connections that publishers rang for.
    fn collect_mail(&self) {
        let mut rung = self.rung.borrow_mut();
        self.doorbell.answer(&mut rung);
        if rung.is_empty() {
            return;
        }
        // A worker whose clients only listen has turns, too.
        self.begin_turn(&mut self.clock.borrow_mut());
        let connections = self.connections.borrow();
        for client in rung.drain(..) {
            // One that has gone to another worker rings there.
            let Some(handle) = connections.get(&client) else { continue };
            if handle.borrow_mut().receive(self) {
                self.pending.borrow_mut().push(Rc::clone(handle));
            }
        }
    }

    /// Runs a connection to its end.
    async fn run_connection(self: Rc<Self>, connection: Connection) {
        let id = connection.client_id();
        let handle = Rc::new(RefCell::new(connection));
        self.connections.borrow_mut().insert(id, Rc::clone(&handle));
        poll_fn(|context| handle.borrow_mut().poll(&handle, &self, context)).await;
        self.connections.borrow_mut().remove(&id);
        self.give_away(handle);
    }

    /// Sends a connection that ended here, but is still open, to another worker.
    fn give_away(&self, handle: Handle) {
        let moved = Rc::try_unwrap(handle).ok().and_then(|connection| connection.into_inner().into_moved());
        if let (Some(moved), Some(peers)) = (moved, self.peers.upgrade()) {
            peers.send(self.watch.borrow_mut().give(), Message::Moved(Box::new(moved)));
        }
    }

    /// Goes on with a connection that another worker has given away.
    async fn take_over(self: Rc<Self>, moved: Moved) {
        let Moved { stream, mut session, output } = moved;
        let Ok(stream) = TcpStream::from_std(stream) else { return };
        session.set_shard(Arc::clone(&self.shard));
        session.set_doorbell(Arc::clone(&self.doorbell));
        let mut connection = Connection::new(Socket::Plain(stream), session, Instant::now());
        connection.resume_output(output);
        self.run_connection(connection).await;
    }

    async fn accept(self: Rc<Self>, stream: std::net::TcpStream, origin: Origin, tls: Option<TlsAcceptor>) {
        let clock = Clock::new();
        self.limits.borrow_mut().refresh(&self.engine);
        let keepalive = self.limits.borrow().keepalive;
        if !keepalive.is_zero() {
            let _ = socket2::SockRef::from(&stream).set_tcp_keepalive(&keepalive_of(keepalive));
        }
        let Some(session) = Session::open(&self.engine, Arc::clone(&self.shard), origin, &clock) else {
            // The event loop does not know yet that there is room for it.
            let _ = (&stream).write(b"-ERR max number of clients reached\r\n");
            return;
        };
        let Ok(stream) = TcpStream::from_std(stream) else { return };
        session.set_doorbell(Arc::clone(&self.doorbell));
        let socket = match tls {
            None => Socket::Plain(stream),
            Some(acceptor) => match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => Socket::Tls(Box::new(stream)),
                Ok(Err(error)) => return tracing::debug!(%error, "TLS handshake failed"),
                Err(_) => return tracing::debug!("TLS handshake took too long"),
            },
        };
        self.run_connection(Connection::new(socket, session, Instant::now())).await;
    }

    /// Runs what a message brought, and counts it as gone when it ends.
    async fn serve(self: Rc<Self>, message: Message) {
        let worker = Rc::clone(&self);
        match message {
            Message::Connection { stream, origin, tls } => worker.accept(stream, origin, tls).await,
            Message::Moved(moved) => worker.take_over(*moved).await,
            Message::Drain => return,
        }
        if let Some(peers) = self.peers.upgrade() {
            peers.spread.disconnected(self.number);
        }
    }

    /// About time and limits, while there are connections.
    async fn tick(self: Rc<Self>) {
        loop {
            tokio::time::sleep(TICK).await;
            if self.connections.borrow().is_empty() {
                continue;
            }
            self.limits.borrow_mut().refresh(&self.engine);
            let limits = *self.limits.borrow();
            let now = Instant::now();
            for handle in self.connections.borrow().values() {
                handle.borrow_mut().tick(now, &limits);
            }
        }
    }

    fn poll_flusher(&self, context: &mut Context<'_>) -> Poll<()> {
        {
            let mut flusher = self.flusher.lock();
            if !flusher.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
                *flusher = Some(context.waker().clone());
            }
        }
        self.flush();
        Poll::Pending
    }

    /// Takes connections until it is told to drain, then waits for the last one to end.
    async fn run(self: Rc<Self>, mut messages: UnboundedReceiver<Message>) {
        let flusher = Rc::clone(&self);
        tokio::task::spawn_local(poll_fn(move |context| flusher.poll_flusher(context)));
        tokio::task::spawn_local(Rc::clone(&self).tick());
        while let Some(message) = messages.recv().await {
            if matches!(message, Message::Drain) {
                break;
            }
            tokio::task::spawn_local(Rc::clone(&self).serve(message));
        }
        self.draining.set(true);
        for handle in self.connections.borrow().values() {
            handle.borrow().wake();
        }
        while !self.connections.borrow().is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

fn keepalive_of(interval: Duration) -> socket2::TcpKeepalive {
    let third = (interval / 3).max(Duration::from_secs(1));
    socket2::TcpKeepalive::new().with_time(interval).with_interval(third).with_retries(3)
}

/// The body of a worker's thread.
pub(crate) fn run_thread(
    engine: Engine,
    number: usize,
    peers: Weak<Peers>,
    messages: UnboundedReceiver<Message>,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .on_thread_park(idle::falls_asleep)
        .on_thread_unpark(idle::wakes)
        .build()?;
    LocalSet::new().block_on(&runtime, Rc::new(Worker::new(engine, number, peers)).run(messages));
    Ok(())
}

//! Giving a connection to another worker: between two requests, when nothing of it is on its way here.

use ennead_engine::Session;

use super::{Connection, State};
use crate::reply::Encoder;
use crate::socket::Socket;

/// A connection between two workers. What it has sent meanwhile waits in its socket.
pub(crate) struct Moved {
    pub(crate) stream: std::net::TcpStream,
    pub(crate) session: Session,
    /// Empty, in the version of the protocol that the client speaks.
    pub(crate) output: Encoder,
}

impl Connection {
    pub(crate) fn client_id(&self) -> u64 {
        self.session.client().id
    }

    /// Whether nothing would be lost. An encrypted stream cannot be taken from its event loop.
    pub(super) fn can_move(&self) -> bool {
        self.state == State::Open
            && matches!(self.socket, Socket::Plain(_))
            && self.input.is_empty()
            && self.output.bytes().is_empty()
            && self.held.is_empty()
            && self.retry.is_none()
            && self.put_off.is_none()
            && !self.more
            && !self.session.is_copying()
            && !self.queued
    }

    /// What the next worker needs, if this is a connection that ended here for its sake.
    pub(crate) fn into_moved(self) -> Option<Moved> {
        if self.state != State::Moving {
            return None;
        }
        let Socket::Plain(stream) = self.socket else { return None };
        Some(Moved { stream: stream.into_std().ok()?, session: self.session, output: self.output })
    }

    /// Goes on in the version of the protocol that another worker was told.
    pub(crate) fn resume_output(&mut self, output: Encoder) {
        self.output = output;
    }
}

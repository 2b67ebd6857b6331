//! HELLO and AUTH: who the client is and which protocol it speaks.

use ennead_kv::{Error, Result};

use super::is;
use crate::session::{Output, Request, Session};
use crate::users::LoginError;
use crate::version::REDIS_VERSION;

const NAME_ERROR: Error = Error::text("ERR Client names cannot contain spaces, newlines or special characters.");

pub(super) fn auth(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let args = request.args;
    match args.len() {
        2 => login(session, request, None, &args[1])?,
        3 => login(session, request, Some(&args[1]), &args[2])?,
        _ => return Err(Error::Syntax),
    }
    reply.ok();
    Ok(())
}

pub(super) fn hello(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let args = request.args;
    let mut protocol = session.protocol;
    if let Some(word) = args.get(1) {
        let version =
            super::integer(word).map_err(|_| Error::text("ERR Protocol version is not an integer or out of range"))?;
        protocol = match version {
            2 => 2,
            3 => 3,
            _ => return Err(Error::text("NOPROTO unsupported protocol version")),
        };
    }
    let mut login_words = None;
    let mut name = None;
    let mut at = 2;
    while let Some(option) = args.get(at) {
        match (is(option, "auth"), is(option, "setname")) {
            (true, _) if at + 2 < args.len() => {
                login_words = Some((&args[at + 1], &args[at + 2]));
                at += 3;
            }
            (_, true) if at + 1 < args.len() => {
                name = Some(client_name(&args[at + 1])?);
                at += 2;
            }
            _ => {
                let option = String::from_utf8_lossy(option);
                return Err(Error::Text(format!("ERR Syntax error in HELLO option '{option}'").into()));
            }
        }
    }
    if let Some((user, password)) = login_words {
        login(session, request, Some(user), password)?;
    }
    if !session.authenticated {
        return Err(Error::text(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH \
             <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the \
             same time",
        ));
    }
    if let Some(name) = name {
        session.client.change_identity(|identity| identity.name = name);
    }
    session.set_protocol(protocol, reply);
    describe(session, reply);
    Ok(())
}

fn describe(session: &Session, reply: &mut dyn Output) {
    reply.map(7);
    reply.bulk(b"server");
    reply.bulk(b"redis");
    reply.bulk(b"version");
    reply.bulk(REDIS_VERSION.as_bytes());
    reply.bulk(b"proto");
    reply.integer(session.protocol.into());
    reply.bulk(b"id");
    reply.integer(session.client.id as i64);
    reply.bulk(b"mode");
    reply.bulk(b"standalone");
    reply.bulk(b"role");
    reply.bulk(b"master");
    reply.bulk(b"modules");
    reply.array(0);
}

/// A name without blanks and control characters, as CLIENT LIST needs it.
pub(super) fn client_name(word: &[u8]) -> Result<String> {
    if word.iter().all(|byte| (b'!'..=b'~').contains(byte)) {
        Ok(String::from_utf8_lossy(word).into_owned())
    } else {
        Err(NAME_ERROR)
    }
}

fn login(session: &mut Session, request: &Request<'_>, user: Option<&[u8]>, password: &[u8]) -> Result {
    let account = session.engine.users().login(user, password).map_err(|error| match error {
        LoginError::NoPasswordSet => Error::text(
            "ERR AUTH <password> called without any password configured for the default user. Are you sure your \
             configuration is correct?",
        ),
        LoginError::WrongPair => {
            tracing::warn!(client = %session.client.origin.address, "failed login");
            session.log_failed_login(&request.args[0], user.unwrap_or(b"default"), request.clock);
            Error::text("WRONGPASS invalid username-password pair or user is disabled.")
        }
    })?;
    session.become_user(&account);
    Ok(())
}

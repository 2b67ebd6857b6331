//! What a login gives out, and what is read from it when it is shown again: as `coord.auth_token` has it, in the words of
//! etcd's flag.

use std::collections::BTreeMap;

use ennead_coord::{Claim, Login, Result};

use super::jwt::Jwt;
use super::logins::Logins;
use crate::settings::{COORD_AUTH_TOKEN, COORD_AUTH_TOKEN_TTL, Settings};

#[derive(Debug)]
pub(crate) enum Tokens {
    /// Random ones that are remembered.
    Simple(Logins),
    /// Signed ones that are not.
    Jwt(Box<Jwt>),
}

impl Tokens {
    /// # Errors
    /// As text, for a setting that means nothing and for keys that cannot be used.
    pub(crate) fn open(settings: &Settings) -> ennead_kv::Result<Tokens> {
        let text = settings.read(COORD_AUTH_TOKEN);
        let (kind, options) = parse(&text).map_err(refused)?;
        match kind {
            "simple" if options.is_empty() => Ok(Tokens::Simple(Logins::new(settings.read(COORD_AUTH_TOKEN_TTL)))),
            "simple" => Err(refused("simple tokens have no options".to_owned())),
            "jwt" => Ok(Tokens::Jwt(Box::new(Jwt::open(&options).map_err(refused)?))),
            _ => Err(refused(format!("`{kind}` is none of simple and jwt"))),
        }
    }

    /// A token for a user who has logged in.
    ///
    /// # Errors
    /// `VerifyOnly` when tokens are made elsewhere.
    pub(crate) fn give(&self, user: &str, login: Login) -> Result<String> {
        match self {
            Tokens::Simple(logins) => logins.give(user),
            Tokens::Jwt(jwt) => jwt.give(user, login.auth_revision),
        }
    }

    /// What a token says, when it is good. Showing a simple one keeps it good.
    pub(crate) fn find(&self, token: &str) -> Option<Claim> {
        match self {
            Tokens::Simple(logins) => logins.find(token).map(|user| Claim { user, revision: None }),
            Tokens::Jwt(jwt) => jwt.claim(token),
        }
    }

    /// Ends the tokens of a user. Signed ones are void since users were changed.
    pub(crate) fn forget(&self, user: &str) {
        if let Tokens::Simple(logins) = self {
            logins.forget(user);
        }
    }
}

fn refused(reason: String) -> ennead_kv::Error {
    ennead_kv::Error::Text(format!("ERR {}: {reason}", COORD_AUTH_TOKEN.name()).into())
}

/// The kind of tokens, and its options by their names.
fn parse(text: &str) -> Result<(&str, BTreeMap<&str, &str>), String> {
    let mut words = text.split(',');
    let kind = words.next().unwrap_or_default();
    let mut options = BTreeMap::new();
    for word in words {
        let pair = word.split_once('=').filter(|(_, value)| !value.contains('='));
        let (name, value) = pair.ok_or_else(|| format!("`{word}` is not of the form name=value"))?;
        if options.insert(name, value).is_some() {
            return Err(format!("`{name}` is given twice"));
        }
    }
    Ok((kind, options))
}

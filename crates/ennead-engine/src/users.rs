//! Who may connect: for now the one user `default`, with the password of the settings or none.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::settings::{PASSWORD, Settings};

pub(crate) const DEFAULT_USER: &str = "default";

/// Why a login failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginError {
    /// A password alone was given and the default user has none.
    NoPasswordSet,
    WrongPair,
}

#[derive(Debug)]
pub struct Users {
    settings: Arc<Settings>,
}

impl Users {
    pub(crate) fn new(settings: Arc<Settings>) -> Self {
        Users { settings }
    }

    /// Whether a client that says nothing is let in.
    pub fn is_open(&self) -> bool {
        !self.settings.is_set(PASSWORD)
    }

    /// Compares in a time that does not depend on the password.
    pub fn login(&self, user: Option<&[u8]>, password: &[u8]) -> Result<(), LoginError> {
        let expected = self.settings.read(PASSWORD);
        if expected.is_empty() {
            return match user {
                None => Err(LoginError::NoPasswordSet),
                Some(user) if user == DEFAULT_USER.as_bytes() => Ok(()),
                Some(_) => Err(LoginError::WrongPair),
            };
        }
        let same_user = user.is_none_or(|user| user == DEFAULT_USER.as_bytes());
        let same_password = bool::from(Sha256::digest(password).ct_eq(&Sha256::digest(expected.as_bytes())));
        if same_password && same_user { Ok(()) } else { Err(LoginError::WrongPair) }
    }
}

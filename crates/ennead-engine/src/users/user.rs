//! A user as the rules of ACL SETUSER make it: whether and how it may log in, and what it may do.
//!
//! Passwords are known by their SHA-256 only. A user is a value: it is copied, changed and put in the place of the former.

use std::borrow::Cow;
use std::fmt::Write;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::rule_error::{Refusal, RuleError};
use super::selector::Selector;

type Hash = [u8; 32];
type ApplyRule = fn(&mut Selector, &[u8]) -> Result<(), Refusal>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub(super) enabled: bool,
    /// Any password will do.
    pub(super) no_password: bool,
    /// Kept and shown as Redis does: RESTORE checks every payload here.
    skip_sanitize: bool,
    passwords: Vec<Hash>,
    pub(super) root: Selector,
    pub(super) others: Vec<Selector>,
}

impl User {
    /// One that may do nothing, not even log in.
    pub(super) fn new(all_channels: bool) -> User {
        User {
            enabled: false,
            no_password: false,
            skip_sanitize: false,
            passwords: Vec::new(),
            root: Selector::new(all_channels),
            others: Vec::new(),
        }
    }

    /// The user `default` of a new store: everything, without a password.
    pub(crate) fn omnipotent() -> User {
        let mut user = User::new(true);
        (user.enabled, user.no_password, user.root.all_keys) = (true, true, true);
        user.root.commands.set_all(true);
        user
    }

    /// A user from its [`User::rules`], each on a line. Rules about commands that this version does not know are left
    /// out: there is nothing they could allow or forbid.
    pub(super) fn parse(text: &[u8]) -> Result<User, RuleError> {
        let mut user = User::new(false);
        for rule in text.split(|byte| *byte == b'\n') {
            user.apply_one(rule, false, apply_known).map_err(|refusal| refused(rule, refusal))?;
        }
        Ok(user)
    }

    /// The user after these rules. `all_channels` is what new selectors begin with.
    pub(super) fn with<'a>(
        &self,
        rules: impl Iterator<Item = &'a [u8]>,
        all_channels: bool,
    ) -> Result<User, RuleError> {
        let mut user = self.clone();
        for rule in joined(rules)? {
            user.apply_one(&rule, all_channels, Selector::apply).map_err(|refusal| refused(&rule, refusal))?;
        }
        Ok(user)
    }

    /// `apply` puts a rule about commands, keys or channels into effect.
    fn apply_one(&mut self, rule: &[u8], all_channels: bool, apply: ApplyRule) -> Result<(), Refusal> {
        match rule.to_ascii_lowercase().as_slice() {
            b"" => return Ok(()),
            b"on" => self.enabled = true,
            b"off" => self.enabled = false,
            b"skip-sanitize-payload" => self.skip_sanitize = true,
            b"sanitize-payload" => self.skip_sanitize = false,
            b"nopass" | b"resetpass" => {
                self.no_password = rule[0].eq_ignore_ascii_case(&b'n');
                self.passwords.clear();
            }
            b"clearselectors" => self.others.clear(),
            b"reset" => *self = User::new(all_channels),
            _ => match (rule[0], &rule[1..]) {
                (b'>', password) => self.add_password(Sha256::digest(password).into()),
                (b'#', hash) => self.add_password(parse_hash(hash)?),
                (b'<', password) => self.remove_password(Sha256::digest(password).into())?,
                (b'!', hash) => self.remove_password(parse_hash(hash)?)?,
                (b'(', rest) if rest.ends_with(b")") => {
                    self.others.push(Selector::parse(rule, all_channels, apply)?);
                }
                _ => apply(&mut self.root, rule)?,
            },
        }
        Ok(())
    }

    fn add_password(&mut self, hash: Hash) {
        self.no_password = false;
        if !self.passwords.contains(&hash) {
            self.passwords.push(hash);
        }
    }

    fn remove_password(&mut self, hash: Hash) -> Result<(), Refusal> {
        let at = self.passwords.iter().position(|known| *known == hash).ok_or(Refusal::NoSuchPassword)?;
        self.passwords.remove(at);
        Ok(())
    }

    /// Replaces all passwords; an empty one: none is asked for.
    pub(super) fn set_password(&mut self, password: &str) {
        self.passwords.clear();
        self.no_password = password.is_empty();
        if !password.is_empty() {
            self.add_password(Sha256::digest(password).into());
        }
    }

    /// Whether a client that says nothing may be this user.
    pub(super) fn is_open(&self) -> bool {
        self.enabled && self.no_password
    }

    /// Whether the user may log in with this password. Takes a time that does not depend on how alike passwords are.
    pub(super) fn accepts(&self, password: &[u8]) -> bool {
        let known = self.knows(password);
        self.enabled && (self.no_password || known)
    }

    /// Whether this is one of the passwords.
    pub(super) fn knows(&self, password: &[u8]) -> bool {
        let hash: Hash = Sha256::digest(password).into();
        self.passwords.iter().fold(false, |found, known| found | bool::from(known.ct_eq(&hash)))
    }

    /// Whether the user may do everything, so that nothing has to be checked.
    pub(super) fn is_unrestricted(&self) -> bool {
        self.selectors().any(Selector::is_all)
    }

    /// The root's first, which rules outside of parentheses change.
    pub(super) fn selectors(&self) -> impl Iterator<Item = &Selector> {
        std::iter::once(&self.root).chain(&self.others)
    }

    pub(crate) fn root(&self) -> &Selector {
        &self.root
    }

    /// The selectors that were given in parentheses.
    pub(crate) fn others(&self) -> &[Selector] {
        &self.others
    }

    pub(crate) fn flags(&self) -> Vec<&'static str> {
        let mut flags = vec![if self.enabled { "on" } else { "off" }];
        if self.no_password {
            flags.push("nopass");
        }
        flags.push(if self.skip_sanitize { "skip-sanitize-payload" } else { "sanitize-payload" });
        flags
    }

    /// The SHA-256 of each password, in hexadecimal.
    pub(crate) fn passwords(&self) -> impl ExactSizeIterator<Item = String> {
        self.passwords.iter().map(|hash| {
            hash.iter().fold(String::with_capacity(64), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            })
        })
    }

    /// The rules that make this user: parted by blanks as ACL LIST shows it, by line ends, which none of them has, as it
    /// is stored.
    pub(crate) fn rules(&self) -> Vec<Vec<u8>> {
        let mut rules: Vec<Vec<u8>> = self.flags().iter().map(|flag| flag.as_bytes().to_vec()).collect();
        rules.extend(self.passwords().map(|hash| format!("#{hash}").into_bytes()));
        rules.extend(self.root.rules());
        rules.extend(self.others.iter().map(|rights| [b"(", rights.rules().join(&b' ').as_slice(), b")"].concat()));
        rules
    }
}

/// A rule of a stored user; what it says of commands that are not there has no effect.
fn apply_known(rights: &mut Selector, rule: &[u8]) -> Result<(), Refusal> {
    match rights.apply(rule) {
        Err(Refusal::Unknown) => {
            tracing::warn!(rule = %String::from_utf8_lossy(rule), "a user's rule names no command of this version");
            Ok(())
        }
        // `%RW~*` is stored as `~*`: what follows it adds nothing.
        Err(Refusal::AllKeys) => Ok(()),
        outcome => outcome,
    }
}

fn refused(rule: &[u8], refusal: Refusal) -> RuleError {
    RuleError::Refused { rule: String::from_utf8_lossy(rule).into_owned(), refusal }
}

fn parse_hash(text: &[u8]) -> Result<Hash, Refusal> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let bytes: Option<Vec<u8>> =
        text.chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?)).collect();
    bytes.and_then(|bytes| Hash::try_from(bytes).ok()).ok_or(Refusal::BadHash)
}

/// The rules with each selector as one, also where its parts are words of their own.
fn joined<'a>(words: impl Iterator<Item = &'a [u8]>) -> Result<Vec<Cow<'a, [u8]>>, RuleError> {
    let mut rules = Vec::new();
    let mut selector: Option<(&[u8], Vec<u8>)> = None;
    for word in words {
        let closes = word.ends_with(b")");
        match &mut selector {
            None if word.starts_with(b"(") && !closes => selector = Some((word, word.to_vec())),
            None => rules.push(Cow::Borrowed(word)),
            Some((_, text)) => {
                text.push(b' ');
                text.extend_from_slice(word);
                if closes {
                    rules.push(Cow::Owned(std::mem::take(text)));
                    selector = None;
                }
            }
        }
    }
    match selector {
        None => Ok(rules),
        Some((start, _)) => Err(RuleError::Unmatched(String::from_utf8_lossy(start).into_owned())),
    }
}

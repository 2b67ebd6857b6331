//! Where a server is: `host:port`, or a URL of Redis with user, password and database.

#[cfg(test)]
mod tests;

const SCHEME: &str = "redis://";
pub(crate) const SCHEME_ENCRYPTED: &str = "rediss://";
const PORT: u16 = 6379;

const ETCD_SCHEME: &str = "http://";
pub(crate) const ETCD_SCHEME_ENCRYPTED: &str = "https://";
const ETCD_PORT: u16 = 2379;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// Whether the connection is encrypted.
    pub(crate) encrypted: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) db: Option<u64>,
}

/// Whether a text names a server and not a file.
pub(crate) fn is_url(text: &str) -> bool {
    text.contains("://")
}

impl Address {
    /// # Errors
    /// One line, without the password.
    pub(crate) fn parse(text: &str) -> Result<Address, String> {
        let encrypted = text.strip_prefix(SCHEME_ENCRYPTED);
        let rest = match encrypted.or_else(|| text.strip_prefix(SCHEME)) {
            Some(rest) => rest,
            None if is_url(text) => {
                return Err(
                    "the address of a server is redis://[[user:]password@]host[:port][/database], or rediss:// for TLS"
                        .into(),
                );
            }
            None => text,
        };
        Address::parse_rest(rest, encrypted.is_some(), PORT)
    }

    /// An address of etcd's API: `host:port`, or a URL of HTTP with user and password.
    ///
    /// # Errors
    /// One line, without the password.
    pub(crate) fn parse_etcd(text: &str) -> Result<Address, String> {
        let encrypted = text.strip_prefix(ETCD_SCHEME_ENCRYPTED);
        let rest = encrypted.or_else(|| text.strip_prefix(ETCD_SCHEME)).unwrap_or(text);
        if is_url(rest) {
            return Err("the address of an etcd is [http://]host[:port], or https:// for TLS".into());
        }
        let address = Address::parse_rest(rest, encrypted.is_some(), ETCD_PORT)?;
        if address.db.is_some() { Err("the address of an etcd names no database".into()) } else { Ok(address) }
    }

    fn parse_rest(rest: &str, encrypted: bool, default_port: u16) -> Result<Address, String> {
        let (credentials, place) = match rest.rsplit_once('@') {
            Some((credentials, place)) => (Some(credentials), place),
            None => (None, rest),
        };
        let (place, db) = match place.split_once('/') {
            Some((place, "")) => (place, None),
            Some((place, db)) => {
                (place, Some(db.parse().map_err(|_| format!("the database {db} in the address is no number"))?))
            }
            None => (place, None),
        };
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => {
                (host, port.parse().map_err(|_| format!("the port {port} in the address is none"))?)
            }
            _ => (place, default_port),
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() {
            return Err("the address of the server names no host".into());
        }
        let (user, password) = match credentials {
            Some(text) => {
                let (user, password) = text.split_once(':').unwrap_or(("", text));
                (Some(unescape(user)?).filter(|user| !user.is_empty()), Some(unescape(password)?))
            }
            None => (None, None),
        };
        Ok(Address { encrypted, host: host.to_owned(), port, user, password, db })
    }

    /// Host and port, for messages and as a name.
    pub(crate) fn place(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// Puts bytes in the place of `%41` and the like.
fn unescape(text: &str) -> Result<String, String> {
    let wrong =
        || "user or password in the address: after % two hexadecimal digits are expected (%25 for %)".to_owned();
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let byte = if byte == b'%' {
            let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16)).ok_or_else(wrong);
            (digit()? << 4 | digit()?) as u8
        } else {
            byte
        };
        bytes.push(byte);
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

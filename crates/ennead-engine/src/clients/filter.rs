//! The filters of CLIENT KILL and CLIENT LIST.

use ennead_kv::{Args, Error, Result};

use super::Client;

/// Conditions that a client must all fulfil.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    ids: Option<Vec<u64>>,
    kind: Option<Kind>,
    address: Option<Vec<u8>>,
    local_address: Option<Vec<u8>>,
    user: Option<Vec<u8>>,
    max_age_seconds: Option<i64>,
    /// Whether the asking client is left out.
    pub(crate) skip_me: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Subscriber,
    /// There are none of these yet.
    Replication,
}

impl Kind {
    pub(crate) fn parse(word: &[u8]) -> Result<Kind> {
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        if is("normal") {
            Ok(Kind::Normal)
        } else if is("pubsub") {
            Ok(Kind::Subscriber)
        } else if ["master", "slave", "replica"].iter().any(|name| is(name)) {
            Ok(Kind::Replication)
        } else {
            Err(Error::Text(format!("ERR Unknown client type '{}'", String::from_utf8_lossy(word)).into()))
        }
    }

    fn of(client: &Client) -> Kind {
        if client.is_subscriber() { Kind::Subscriber } else { Kind::Normal }
    }
}

impl Filter {
    /// Reads `name value` pairs of CLIENT KILL from the words after `CLIENT KILL`.
    pub(crate) fn of_kill(args: Args<'_>) -> Result<Filter> {
        let mut filter = Filter { skip_me: true, ..Filter::default() };
        let words: Vec<&[u8]> = args.iter_from(0).collect();
        if !words.len().is_multiple_of(2) {
            return Err(Error::Syntax);
        }
        for pair in words.chunks_exact(2) {
            let (name, value) = (pair[0].to_ascii_lowercase(), pair[1]);
            match name.as_slice() {
                b"id" => {
                    let id = integer(value).filter(|id| *id > 0);
                    let id = id.ok_or(Error::text("ERR client-id should be greater than 0"))?;
                    filter.ids.get_or_insert_default().push(id as u64);
                }
                b"type" => filter.kind = Some(Kind::parse(value)?),
                b"addr" => filter.address = Some(value.to_vec()),
                b"laddr" => filter.local_address = Some(value.to_vec()),
                b"user" if value == b"default" => filter.user = Some(value.to_vec()),
                b"user" => {
                    let user = String::from_utf8_lossy(value);
                    return Err(Error::Text(format!("ERR No such user '{user}'").into()));
                }
                b"skipme" if value.eq_ignore_ascii_case(b"yes") => filter.skip_me = true,
                b"skipme" if value.eq_ignore_ascii_case(b"no") => filter.skip_me = false,
                b"maxage" => {
                    let age = integer(value).ok_or(Error::text("ERR maxage is not an integer or out of range"))?;
                    if age <= 0 {
                        return Err(Error::text("ERR maxage should be greater than 0"));
                    }
                    filter.max_age_seconds = Some(age);
                }
                _ => return Err(Error::Syntax),
            }
        }
        Ok(filter)
    }

    /// `CLIENT KILL addr`.
    pub(crate) fn of_address(address: &[u8]) -> Filter {
        Filter { address: Some(address.to_vec()), ..Filter::default() }
    }

    pub(crate) fn of_kind(kind: Kind) -> Filter {
        Filter { kind: Some(kind), ..Filter::default() }
    }

    pub(crate) fn of_ids(ids: Vec<u64>) -> Filter {
        Filter { ids: Some(ids), ..Filter::default() }
    }

    pub(crate) fn matches(&self, client: &Client, now_ms: i64) -> bool {
        self.ids.as_ref().is_none_or(|ids| ids.contains(&client.id))
            && self.kind.is_none_or(|kind| kind == Kind::of(client))
            && self.address.as_ref().is_none_or(|address| address == client.origin.address.as_bytes())
            && self.local_address.as_ref().is_none_or(|address| address == client.origin.local_address.as_bytes())
            && self.user.as_ref().is_none_or(|user| user == client.identity().user.as_bytes())
            && self.max_age_seconds.is_none_or(|age| (now_ms - client.created_ms) / 1000 >= age)
    }
}

fn integer(word: &[u8]) -> Option<i64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

//! A reply as a value: what a script's calls give it, and what it gives its client.

use ennead_kv::Reply;

use crate::session::Output;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    Null,
    NullArray,
    Boolean(bool),
    Integer(i64),
    Double(f64),
    Bulk(Vec<u8>),
    Simple(String),
    /// With its prefix, without the dash.
    Error(String),
    /// One that was counted when the command of a script gave it.
    CountedError(String),
    Array(Vec<Item>),
    /// Keys and values in turn.
    Map(Vec<Item>),
    Set(Vec<Item>),
    BigNumber(String),
    Verbatim(String, Vec<u8>),
}

impl Item {
    pub(crate) fn write(&self, reply: &mut dyn Output) {
        match self {
            Item::Array(items) => {
                reply.array(items.len());
                items.iter().for_each(|item| item.write(reply));
            }
            Item::Map(items) => {
                reply.map(items.len() / 2);
                items.iter().for_each(|item| item.write(reply));
            }
            Item::Set(items) => {
                reply.set(items.len());
                items.iter().for_each(|item| item.write(reply));
            }
            Item::Null => reply.null(),
            Item::NullArray => reply.null_array(),
            Item::Boolean(value) => reply.boolean(*value),
            Item::Integer(value) => reply.integer(*value),
            Item::Double(value) => reply.double(*value),
            Item::Bulk(bytes) => reply.bulk(bytes),
            Item::Simple(text) => reply.simple(text),
            Item::Error(text) | Item::CountedError(text) => reply.error(text),
            Item::BigNumber(digits) => reply.big_number(digits),
            Item::Verbatim(format, text) => reply.verbatim(format, text),
        }
    }
}

/// Takes one reply in.
#[derive(Debug)]
pub(crate) struct Collector {
    protocol: u8,
    /// Aggregates that are not complete: their kind, how many items they still need, and those they have.
    open: Vec<(Aggregate, usize, Vec<Item>)>,
    done: Option<Item>,
}

#[derive(Debug, Clone, Copy)]
enum Aggregate {
    Array,
    Map,
    Set,
}

impl Collector {
    pub(crate) fn new(protocol: u8) -> Collector {
        Collector { protocol, open: Vec::new(), done: None }
    }

    /// The reply; null if there was none.
    pub(crate) fn finish(self) -> Item {
        self.done.unwrap_or(Item::Null)
    }

    fn begin(&mut self, aggregate: Aggregate, len: usize) {
        self.open.push((aggregate, len, Vec::with_capacity(len.min(1024))));
        self.close();
    }

    fn item(&mut self, item: Item) {
        match self.open.last_mut() {
            Some((_, left, items)) => {
                *left -= 1;
                items.push(item);
                self.close();
            }
            None => self.done = Some(item),
        }
    }

    fn close(&mut self) {
        while let Some((aggregate, _, items)) = self.open.pop_if(|(_, left, _)| *left == 0) {
            let item = match aggregate {
                Aggregate::Array => Item::Array(items),
                Aggregate::Map => Item::Map(items),
                Aggregate::Set => Item::Set(items),
            };
            match self.open.last_mut() {
                Some((_, left, items)) => {
                    *left -= 1;
                    items.push(item);
                }
                None => self.done = Some(item),
            }
        }
    }
}

impl Reply for Collector {
    fn protocol(&self) -> u8 {
        self.protocol
    }
    fn simple(&mut self, text: &str) {
        self.item(Item::Simple(text.to_owned()));
    }
    fn error(&mut self, text: &str) {
        self.item(Item::Error(text.to_owned()));
    }
    fn integer(&mut self, value: i64) {
        self.item(Item::Integer(value));
    }
    fn bulk(&mut self, bytes: &[u8]) {
        self.item(Item::Bulk(bytes.to_vec()));
    }
    fn null(&mut self) {
        self.item(Item::Null);
    }
    fn null_array(&mut self) {
        self.item(Item::NullArray);
    }
    fn array(&mut self, len: usize) {
        self.begin(Aggregate::Array, len);
    }
    fn map(&mut self, pairs: usize) {
        let aggregate = if self.protocol >= 3 { Aggregate::Map } else { Aggregate::Array };
        self.begin(aggregate, pairs * 2);
    }
    fn set(&mut self, len: usize) {
        let aggregate = if self.protocol >= 3 { Aggregate::Set } else { Aggregate::Array };
        self.begin(aggregate, len);
    }
    fn push(&mut self, len: usize) {
        self.begin(Aggregate::Array, len);
    }
    fn attribute(&mut self, _pairs: usize) {}
    fn double(&mut self, value: f64) {
        self.item(Item::Double(value));
    }
    fn boolean(&mut self, value: bool) {
        self.item(if self.protocol >= 3 { Item::Boolean(value) } else { Item::Integer(value.into()) });
    }
    fn big_number(&mut self, digits: &str) {
        self.item(Item::BigNumber(digits.to_owned()));
    }
    fn verbatim(&mut self, format: &str, text: &[u8]) {
        self.item(match self.protocol {
            3 => Item::Verbatim(format.to_owned(), text.to_vec()),
            _ => Item::Bulk(text.to_vec()),
        });
    }
}

impl Output for Collector {
    fn mark(&self) -> usize {
        0
    }
    /// Forgets everything: there is one reply.
    fn rewind(&mut self, _mark: usize) {
        self.open.clear();
        self.done = None;
    }
    fn set_protocol(&mut self, version: u8) {
        self.protocol = version;
    }
}

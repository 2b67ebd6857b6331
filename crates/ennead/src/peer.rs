//! Another server of Redis's protocol, to which this program is a client, or a replica: addresses, connections, requests and
//! replies. What is done with them is told by [`crate::import`] and [`crate::export`].

pub(crate) mod address;
pub(crate) mod client;
pub(crate) mod source;
pub(crate) mod stream;
pub(crate) mod wire;

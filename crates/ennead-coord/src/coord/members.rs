//! Requests about the members of the cluster, of which there is one, this server.

use super::Coord;
use crate::api::etcdserverpb::MemberUpdateRequest;
use crate::error::{Error, Result};
use crate::publication::Answer;
use crate::writer::Effect;

impl Coord {
    /// Where other members would reach this one: what it was told last.
    pub fn peer_urls(&self) -> Vec<String> {
        self.shared().state.read().peer_urls.clone()
    }

    /// Takes peer URLs of a member. Like etcd it does not look at them.
    ///
    /// # Errors
    /// `MemberNotFound` for any but this one.
    ///
    /// # Durability
    /// The answer waits for the disk.
    pub fn member_update(&self, request: &MemberUpdateRequest) -> Result<Answer<()>> {
        let member = self.shared().identity.member_id;
        self.write(|writer| {
            writer.state.auth.check_admin(&self.caller)?;
            if request.id != member {
                return Err(Error::MemberNotFound);
            }
            writer.rows.put_peer_urls(&mut writer.batch, request);
            writer.effects.push(Effect::PeerUrls(request.peer_ur_ls.clone()));
            Ok(())
        })
    }

    /// Why a member with these peer URLs is not added.
    pub fn member_add_refusal(&self, urls: &[String]) -> Error {
        if urls.is_empty() || !urls.iter().all(|url| is_peer_url(url.trim())) {
            return Error::MemberBadUrls;
        }
        if let Err(error) = self.check_admin() {
            return error;
        }
        let known = self.peer_urls();
        if urls.iter().any(|url| known.contains(url)) {
            return Error::PeerUrlExists;
        }
        Error::Unsupported("there is one member, and others cannot be added yet")
    }
}

/// Whether etcd takes a URL for that of a member: a scheme it knows, host and port, and no path.
fn is_peer_url(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    match scheme.to_ascii_lowercase().as_str() {
        "unix" | "unixs" => true,
        "http" | "https" => {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let authority = rest[..end].rsplit_once('@').map_or(&rest[..end], |(_, authority)| authority);
            let Some((host, port)) = authority.rsplit_once(':') else { return false };
            let is_host = !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
            is_host && port.bytes().all(|byte| byte.is_ascii_digit()) && !rest[end..].starts_with('/')
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;

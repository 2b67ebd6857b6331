//! Tokens of the form JWT, with the claims that etcd's have: `username`, `revision` of users and roles, `exp`. Whoever has the
//! key can check them, so they are good on every server that has it, and through restarts.

mod signature;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ennead_coord::{Claim, Result, go_duration};
use serde_json::{Value, json};

use signature::{Keys, Method};

/// How long a token is good when nothing is said: etcd's default.
const GOOD_FOR: Duration = Duration::from_secs(300);

/// Makes tokens and reads them.
#[derive(Debug)]
pub(crate) struct Jwt {
    method: Method,
    keys: Keys,
    good_for: Duration,
}

impl Jwt {
    /// # Errors
    /// What is wrong with the options or the keys.
    pub(super) fn open(options: &BTreeMap<&str, &str>) -> Result<Jwt, String> {
        let known = ["sign-method", "pub-key", "priv-key", "ttl"];
        if let Some(name) = options.keys().find(|name| !known.contains(name)) {
            return Err(format!("`{name}` is none of {}", known.join(", ")));
        }
        let method = Method::named(options.get("sign-method").copied().unwrap_or_default())?;
        let good_for = match options.get("ttl") {
            Some(text) => go_duration(text).ok_or_else(|| format!("the ttl `{text}` is no time like 10m or 1h30m"))?,
            None => GOOD_FOR,
        };
        let read = |name: &str| {
            let read = options.get(name).map(|path| std::fs::read(path).map_err(|error| format!("{path}: {error}")));
            read.transpose()
        };
        let keys = Keys::new(method, read("priv-key")?.as_deref(), read("pub-key")?.as_deref())?;
        Ok(Jwt { method, keys, good_for })
    }

    pub(super) fn give(&self, user: &str, revision: u64) -> Result<String> {
        let exp = (now() + self.good_for).as_secs();
        self.made(&json!({ "username": user, "revision": revision, "exp": exp }))
    }

    fn made(&self, claims: &Value) -> Result<String> {
        let header = json!({ "alg": self.method.name, "typ": "JWT" });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = self.keys.sign(signed.as_bytes())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// What a token says, when its signature is right and its time is not over.
    pub(super) fn claim(&self, token: &str) -> Option<Claim> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let json = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
        // A token does not choose how it is verified.
        if json(header)?.get("alg")?.as_str()? != self.method.name {
            return None;
        }
        if !self.keys.verifies(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?) {
            return None;
        }
        let claims = json(claims)?;
        let now = now().as_secs_f64();
        // Those that others make may be good for ever. What is no time is none that has not come.
        let within = |name: &str, holds: fn(f64, f64) -> bool| match claims.get(name) {
            None => true,
            Some(time) => time.as_f64().is_some_and(|time| holds(now, time)),
        };
        if !within("exp", |now, exp| now < exp) || !within("nbf", |now, nbf| now >= nbf) {
            return None;
        }
        let revision = claims.get("revision")?.as_f64()?;
        Some(Claim { user: claims.get("username")?.as_str()?.into(), revision: Some(revision as u64) })
    }
}

/// The wall's time: tokens outlive the process.
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

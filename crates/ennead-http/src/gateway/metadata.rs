//! What the head of a request says about its call.

use std::time::Duration;

use axum::http::{HeaderMap, header};
use tokio::time::Instant;

use super::refusal::{INVALID_ARGUMENT, PERMISSION_DENIED, Refusal};

/// Headers that are metadata by their own names.
const KEPT: [&str; 2] = ["authorization", "ennead-fence"];
/// Headers that begin like this are metadata by the rest of their names.
const PREFIX: &str = "grpc-metadata-";

/// Tokens, passwords and fences for the services.
pub(super) fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let pair = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
        let name = name.as_str();
        let name = if KEPT.contains(&name) { name } else { name.strip_prefix(PREFIX)? };
        Some((name.to_owned(), value.to_str().ok()?.to_owned()))
    };
    headers.iter().filter_map(pair).collect()
}

/// A page of another server must not call this one through the browser that shows it.
///
/// # Errors
/// `PermissionDenied` for a request that says it comes from there.
pub(super) fn check_origin(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let from = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    if from.is_some() && from == host {
        return Ok(());
    }
    Err(Refusal::new(PERMISSION_DENIED, "pages of another origin may not call this server"))
}

/// Until when the client waits, from `Grpc-Timeout`: a number and a unit.
///
/// # Errors
/// `InvalidArgument` for another form.
pub(super) fn deadline(headers: &HeaderMap) -> Result<Option<Instant>, Refusal> {
    let Some(value) = headers.get("grpc-timeout") else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let wrong = || Refusal::new(INVALID_ARGUMENT, format!("invalid grpc-timeout: {text}"));
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    // One more digit than gRPC allows would still be no more than some thousand years.
    let number = text.strip_suffix(unit).filter(|digits| digits.len() <= 8).and_then(|digits| digits.parse().ok());
    let number: u64 = number.ok_or_else(wrong)?;
    let wait = match unit {
        'H' => Duration::from_secs(number * 3600),
        'M' => Duration::from_secs(number * 60),
        'S' => Duration::from_secs(number),
        'm' => Duration::from_millis(number),
        'u' => Duration::from_micros(number),
        'n' => Duration::from_nanos(number),
        _ => return Err(wrong()),
    };
    Ok(Some(Instant::now() + wait))
}

//! Points in time as people write them on a command line: RFC 3339 in UTC, to the second or finer.

#[cfg(test)]
mod tests;

/// Milliseconds since 1970, or nothing when the text is no such time.
pub(super) fn unix_ms(text: &str) -> Option<u64> {
    let (date, rest) = text.split_once(['T', ' '])?;
    let clock = rest.strip_suffix('Z')?;
    let [year, month, day] = numbers(date, '-')?;
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [hour, minute, second] = numbers(whole, ':')?;
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    if !(1..=days_of(year, month)).contains(&day)
        || fraction.is_empty()
        || !fraction.bytes().all(|c| c.is_ascii_digit())
    {
        return None;
    }
    let days: u64 = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum::<u64>()
        + (1..month).map(|month| days_of(year, month)).sum::<u64>()
        + (day - 1);
    let millis: u64 = format!("{fraction:0<3}")[..3].parse().ok()?;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + millis)
}

fn numbers(text: &str, separator: char) -> Option<[u64; 3]> {
    let parts: Vec<u64> = text
        .split(separator)
        .map(|part| part.parse().ok().filter(|_| part.bytes().all(|c| c.is_ascii_digit())))
        .collect::<Option<_>>()?;
    parts.try_into().ok()
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

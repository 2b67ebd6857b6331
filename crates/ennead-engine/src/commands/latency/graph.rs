//! LATENCY GRAPH: an event's samples as columns of characters, each with its age below, as Redis draws them.

#[cfg(test)]
mod tests;

use crate::latency::Event;

/// Columns of one drawing; more samples go into drawings below.
const COLUMNS: usize = 80;
const ROWS: usize = 4;
/// A third, two thirds and all of a row.
const CHARACTERS: [char; 3] = ['_', 'o', '#'];

/// The drawing of an event at a moment, Unix seconds.
pub(super) fn draw(name: &str, event: &Event, now: i64) -> String {
    let millis = || event.samples.iter().map(|sample| sample.millis);
    let (low, high) = (millis().min().unwrap_or(0), millis().max().unwrap_or(0));
    let mut text = format!(
        "{name} - high {high} ms, low {low} ms (all time high {} ms)\n{}\n",
        event.max_millis,
        "-".repeat(COLUMNS)
    );
    let columns: Vec<(usize, String)> = event
        .samples
        .iter()
        .map(|sample| (step(sample.millis - low, high - low), age(now - sample.unix_seconds)))
        .collect();
    for (number, part) in columns.chunks(COLUMNS).enumerate() {
        if number > 0 {
            text.push('\n');
        }
        draw_part(part, &mut text);
    }
    text
}

/// How many thirds of a row a column is high, counted from 0.
fn step(above: u64, range: u64) -> usize {
    let steps = CHARACTERS.len() * ROWS;
    ((above * steps as u64 / range.max(1)) as usize).min(steps - 1)
}

fn draw_part(columns: &[(usize, String)], text: &mut String) {
    for row in (0..ROWS).rev() {
        let bottom = row * CHARACTERS.len();
        text.extend(columns.iter().map(|(step, _)| match step.checked_sub(bottom) {
            None => ' ',
            Some(third) => CHARACTERS.get(third).copied().unwrap_or('|'),
        }));
        text.push('\n');
    }
    // A row of blanks, then the labels from top to bottom.
    text.push_str(&" ".repeat(columns.len()));
    text.push('\n');
    let longest = columns.iter().map(|(_, label)| label.len()).max().unwrap_or(0);
    for letter in 0..longest {
        text.extend(
            columns.iter().map(|(_, label)| label.as_bytes().get(letter).map_or(' ', |byte| char::from(*byte))),
        );
        text.push('\n');
    }
}

/// How long ago something was, in the largest unit that fits.
fn age(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

use super::*;
use crate::latency::Sample;

fn event(samples: &[(i64, u64)]) -> Event {
    let samples = samples.iter().map(|&(unix_seconds, millis)| Sample { unix_seconds, millis }).collect();
    Event { samples, max_millis: 900 }
}

#[test]
fn columns_rise_with_the_samples_and_carry_their_age() {
    let drawn = draw("command", &event(&[(0, 100), (90_000, 700), (99_500, 400), (99_990, 100)]), 100_000);
    let expected = [
        "command - high 700 ms, low 100 ms (all time high 900 ms)",
        &"-".repeat(80),
        " #  ",
        " |_ ",
        " || ",
        "_||_",
        "    ",
        "1281",
        "dhm0",
        "   s",
        "",
    ];
    assert_eq!(drawn, expected.join("\n"));
}

#[test]
fn equal_samples_lie_flat_and_many_go_below_each_other() {
    let samples: Vec<(i64, u64)> = (0..81).map(|second| (second, 5)).collect();
    let drawn = draw("fork", &event(&samples), 81);
    let lines: Vec<&str> = drawn.lines().collect();
    assert_eq!(lines[5], "_".repeat(80));
    assert_eq!((lines[10], lines.last()), ("", Some(&"s")));
    assert!(lines[..5].iter().skip(2).all(|line| line.trim().is_empty()));
}

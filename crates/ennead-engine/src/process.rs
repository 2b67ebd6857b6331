//! What the system knows about this process, read from `/proc`.

use std::time::Duration;

/// Bytes of a page and ticks of a second, as on all Linux systems this runs on.
const PAGE_BYTES: u64 = 4096;
const TICKS_PER_SECOND: u64 = 100;

/// Physical memory, bytes; 0 when it cannot be found out.
pub(crate) fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * PAGE_BYTES
}

/// Memory of the machine, bytes.
pub(crate) fn machine_bytes() -> u64 {
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024
}

/// Processor time in the kernel, in the program, and the same of children that ended.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ProcessorTime {
    pub(crate) system: Duration,
    pub(crate) user: Duration,
    pub(crate) system_children: Duration,
    pub(crate) user_children: Duration,
}

pub(crate) fn processor_time() -> ProcessorTime {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may hold blanks.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: Vec<u64> = rest.split_whitespace().skip(11).take(4).map(|word| word.parse().unwrap_or(0)).collect();
    let time = |index: usize| Duration::from_millis(ticks.get(index).copied().unwrap_or(0) * 1000 / TICKS_PER_SECOND);
    ProcessorTime { user: time(0), system: time(1), user_children: time(2), system_children: time(3) }
}

/// Name and release of the system.
pub(crate) fn system() -> String {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap_or_default();
    format!("{} {} {}", read("ostype").trim(), read("osrelease").trim(), std::env::consts::ARCH)
}

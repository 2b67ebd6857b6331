//! jemalloc: it gives memory back after scattered deletes and knows what it holds. Without the feature `jemalloc` the
//! system's allocator serves, and the figures are the kernel's.

use ennead_engine::MemoryFigures;

#[cfg(all(test, feature = "jemalloc"))]
mod tests;

#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Has jemalloc give pages back from a thread of its own instead of during requests.
pub(crate) fn start() {
    #[cfg(feature = "jemalloc")]
    if let Err(error) = tikv_jemalloc_ctl::background_thread::write(true) {
        tracing::warn!(%error, "the allocator's background thread did not start; memory is given back more slowly");
    }
}

/// Name and version, as INFO gives them.
pub(crate) fn name() -> &'static str {
    #[cfg(feature = "jemalloc")]
    {
        let version = tikv_jemalloc_ctl::version::read().unwrap_or("unknown");
        format!("jemalloc-{}", version.split('-').next().unwrap_or(version)).leak()
    }
    #[cfg(not(feature = "jemalloc"))]
    {
        "libc"
    }
}

pub(crate) fn figures() -> MemoryFigures {
    let resident = resident().unwrap_or_default();
    #[cfg(feature = "jemalloc")]
    {
        use tikv_jemalloc_ctl::{epoch, stats};
        // The statistics are a copy that is refreshed by advancing the epoch.
        let _ = epoch::advance();
        let read = |value: tikv_jemalloc_ctl::Result<usize>| value.map_or(0, |bytes| bytes as u64);
        MemoryFigures {
            allocated: read(stats::allocated::read()),
            active: read(stats::active::read()),
            resident: if resident == 0 { read(stats::resident::read()) } else { resident },
            mapped: read(stats::mapped::read()),
        }
    }
    #[cfg(not(feature = "jemalloc"))]
    {
        MemoryFigures { allocated: resident, active: resident, resident, mapped: resident }
    }
}

/// Physical memory of this process, from the kernel; none where there is no such file.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// Gives unused pages back to the system now.
pub(crate) fn purge() {
    #[cfg(feature = "jemalloc")]
    if let Err(code) = purge_all() {
        tracing::warn!(code, "the allocator did not give memory back");
    }
}

/// The error is a number of the system.
#[cfg(feature = "jemalloc")]
#[expect(unsafe_code, reason = "jemalloc offers its purge only by name, and refuses the forms of call that are typed")]
fn purge_all() -> Result<(), i32> {
    // 4096 stands for all arenas.
    let name = c"arena.4096.purge";
    let (none, nothing) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: the name ends in a zero byte, takes no value and gives none, and may be called from any thread at any time.
    match unsafe { tikv_jemalloc_sys::mallctl(name.as_ptr(), none, nothing, none, 0) } {
        0 => Ok(()),
        code => Err(code),
    }
}

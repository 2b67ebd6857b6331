//! The access clock of an entry, 24 bits: seconds of the last access (LRU), or minutes of the last decay and a
//! logarithmic counter (LFU), as Redis keeps them.

use crate::options::Settings;

/// The counter of a new key under LFU, so that it is not the first to go.
const LFU_INIT: u32 = 5;

/// How accesses are counted during one command.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Clock {
    Lru { seconds: u32 },
    Lfu { minutes: u32, log_factor: u32, decay_minutes: u32 },
}

impl Clock {
    #[inline]
    pub(crate) fn new(settings: &Settings, now_ms: u64) -> Clock {
        if settings.policy().is_lfu() {
            Clock::Lfu {
                minutes: (now_ms / 60_000) as u32 & 0xffff,
                log_factor: settings.lfu_log_factor(),
                decay_minutes: settings.lfu_decay_time(),
            }
        } else {
            Clock::Lru { seconds: (now_ms / 1000) as u32 & 0xff_ffff }
        }
    }

    /// The clock of a new key.
    #[inline]
    pub(crate) fn fresh(self) -> u32 {
        match self {
            Clock::Lru { seconds } => seconds,
            Clock::Lfu { minutes, .. } => minutes << 8 | LFU_INIT,
        }
    }

    /// The clock after one more access.
    #[inline]
    pub(crate) fn touched(self, access: u32, random: u64) -> u32 {
        match self {
            Clock::Lru { seconds } => seconds,
            Clock::Lfu { minutes, log_factor, .. } => {
                let counter = self.frequency(access);
                let base = counter.saturating_sub(LFU_INIT);
                // True with probability 1 / (base * factor + 1).
                let rises = counter < 255
                    && (random >> 32) * (u64::from(base) * u64::from(log_factor) + 1) <= u64::from(u32::MAX);
                minutes << 8 | (counter + u32::from(rises))
            }
        }
    }

    /// The counter of an entry, decayed up to now. Meaningful under LFU only.
    pub(crate) fn frequency(self, access: u32) -> u32 {
        let Clock::Lfu { minutes, decay_minutes, .. } = self else { return access & 0xff };
        let elapsed = minutes.wrapping_sub(access >> 8) & 0xffff;
        let periods = elapsed.checked_div(decay_minutes).unwrap_or(0);
        (access & 0xff).saturating_sub(periods)
    }

    /// Seconds since the last access. Meaningful under LRU only.
    pub(crate) fn idle_seconds(self, access: u32) -> u32 {
        let Clock::Lru { seconds } = self else { return 0 };
        seconds.wrapping_sub(access) & 0xff_ffff
    }

    /// The clock of a key that was last used so many seconds ago.
    pub(crate) fn idle(self, seconds_ago: u32) -> u32 {
        match self {
            Clock::Lru { seconds } => seconds.wrapping_sub(seconds_ago) & 0xff_ffff,
            Clock::Lfu { .. } => self.fresh(),
        }
    }

    /// The clock of a key with a given frequency counter.
    pub(crate) fn frequent(self, counter: u8) -> u32 {
        match self {
            Clock::Lru { .. } => self.fresh(),
            Clock::Lfu { minutes, .. } => minutes << 8 | u32::from(counter),
        }
    }
}

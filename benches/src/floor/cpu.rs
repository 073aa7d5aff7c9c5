//! CPU time of the calling thread, as Linux accounts for it.

use std::io;
use std::time::Duration;

/// `/proc` counts in ticks of a hundredth of a second on every Linux (`USER_HZ`, proc(5)).
const TICK: Duration = Duration::from_millis(10);

/// CPU of a thread. The total is exact. The system's share of it is what timer ticks sampled,
/// unless the kernel accounts at every system call, so it wants measurements of seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThreadCpu {
    /// User and system.
    pub total: Duration,
    /// System alone.
    pub system: Duration,
}

impl ThreadCpu {
    /// What the calling thread has used so far.
    ///
    /// # Errors
    ///
    /// If `/proc` does not tell.
    pub fn now() -> io::Result<Self> {
        let stat = std::fs::read_to_string("/proc/thread-self/stat")?;
        let scheduler = std::fs::read_to_string("/proc/thread-self/schedstat")?;
        Self::parse(&stat, &scheduler)
            .ok_or_else(|| io::Error::other("/proc/thread-self has no CPU times"))
    }

    /// What was used since `earlier`.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            total: self.total.saturating_sub(earlier.total),
            system: self.system.saturating_sub(earlier.system),
        }
    }

    fn parse(stat: &str, scheduler: &str) -> Option<Self> {
        // The command's name, in parentheses, may contain anything.
        let (_, fields) = stat.rsplit_once(')')?;
        let system: u32 = fields.split_whitespace().nth(12)?.parse().ok()?;
        let total = scheduler.split_whitespace().next()?.parse().ok()?;
        Some(Self {
            total: Duration::from_nanos(total),
            system: TICK * system,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_any_name() {
        let stat = "42 (a ) b) S 1 2 3 4 5 6 7 8 9 10 150 250 0 0 20 0 1 0 99";
        let cpu = ThreadCpu::parse(stat, "4100000000 7 8").unwrap();
        assert_eq!(cpu.total, Duration::from_millis(4_100));
        assert_eq!(cpu.system, Duration::from_millis(2_500));
        assert_eq!(ThreadCpu::parse("42 (a", "1"), None);
    }

    #[test]
    fn work_is_seen() {
        let before = ThreadCpu::now().unwrap();
        let mut sum = 0_u64;
        while ThreadCpu::now().unwrap().since(before).total < Duration::from_millis(5) {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(sum > 0);
    }
}

//! What the load benchmark itself uses and loses.

use std::collections::HashSet;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use crate::measure::CpuTime;

/// CPU of the whole process.
pub(crate) fn process_cpu() -> CpuTime {
    cpu(UsageWho::RUSAGE_SELF)
}

/// CPU of the calling thread.
pub(super) fn thread_cpu() -> CpuTime {
    cpu(UsageWho::RUSAGE_THREAD)
}

fn cpu(who: UsageWho) -> CpuTime {
    getrusage(who).map_or_else(
        |_| CpuTime::default(),
        |usage| CpuTime {
            user: duration(usage.user_time()),
            system: duration(usage.system_time()),
        },
    )
}

fn duration(time: TimeVal) -> Duration {
    let seconds = u64::try_from(time.tv_sec()).unwrap_or_default();
    let micros = u64::try_from(time.tv_usec()).unwrap_or_default();
    Duration::from_secs(seconds) + Duration::from_micros(micros)
}

/// Datagrams that the kernel dropped at the sockets on these ports since they were opened.
pub(crate) fn socket_drops(ports: &HashSet<u16>) -> u64 {
    ["/proc/net/udp", "/proc/net/udp6"]
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .map(|table| drops_in(&table, ports))
        .sum()
}

/// Sums the last column of the rows whose second column, `ADDRESS:PORT` in hex, has such a port.
fn drops_in(table: &str, ports: &HashSet<u16>) -> u64 {
    table
        .lines()
        .skip(1)
        .filter_map(|row| {
            let mut words = row.split_ascii_whitespace();
            let (_, port) = words.nth(1)?.rsplit_once(':')?;
            let port = u16::from_str_radix(port, 16).ok()?;
            ports.contains(&port).then_some(())?;
            words.next_back()?.parse::<u64>().ok()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  100: 0100007F:1ECA 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0 3
  101: 0100007F:1ECB 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0 40
";

    #[test]
    fn drops_are_those_of_our_ports() {
        assert_eq!(drops_in(TABLE, &HashSet::from([7_882, 9])), 3);
        assert_eq!(drops_in(TABLE, &HashSet::from([7_882, 7_883])), 43);
    }

    #[test]
    fn work_uses_cpu() {
        let before = process_cpu().total();
        let mut sum = 0_u64;
        while process_cpu().total() == before {
            sum = (0..100_000).fold(sum, |sum, n| std::hint::black_box(sum ^ n));
        }
        assert!(thread_cpu().total() > Duration::ZERO, "{sum}");
    }
}

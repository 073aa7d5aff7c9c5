//! CPU and memory of a process, out of `/proc` (proc_pid_stat(5), proc_pid_status(5)).

use crate::measure::{CpuTime, ServerSample};
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Microseconds of a clock tick: `USER_HZ` is 100 on every Linux that Rust runs on.
const TICK_US: u64 = 10_000;

/// A process that may be read.
pub(super) struct Process {
    pid: u32,
    folder: PathBuf,
}

/// One thread's CPU since it began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ThreadCpu {
    pub(super) name: String,
    pub(super) cpu: CpuTime,
}

impl Process {
    /// # Errors
    /// If there is no such process, or it is not ours to read.
    pub(super) fn new(pid: u32) -> Result<Self> {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        match fs::read_to_string(folder.join("stat")) {
            Ok(_) => Ok(Self { pid, folder }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                bail!(
                    "--pid {pid}: there is no such process; give the server's, such as \
                       $(pidof plenum), on the machine where it runs"
                )
            }
            Err(error) => Err(error).with_context(|| {
                format!("--pid {pid}: the process cannot be read; run as its user or as root")
            }),
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// CPU and memory now.
    ///
    /// # Errors
    /// If the process has ended.
    pub(super) fn sample(&self, at: Duration) -> Result<ServerSample> {
        let read = |name: &str| {
            let text = fs::read_to_string(self.folder.join(name));
            text.with_context(|| format!("the server, process {}, has ended", self.pid))
        };
        let (_, cpu) = parse_stat(&read("stat")?)
            .with_context(|| format!("/proc/{}/stat is not as documented", self.pid))?;
        // A process that has ended and is not waited for has no memory any more.
        let rss_bytes = parse_rss(&read("status")?)
            .with_context(|| format!("the server, process {}, has ended", self.pid))?;
        Ok(ServerSample { at, cpu, rss_bytes })
    }

    /// CPU of every thread that runs now, by its id.
    ///
    /// # Errors
    /// If the process has ended.
    pub(super) fn threads(&self) -> Result<BTreeMap<u32, ThreadCpu>> {
        threads_of(&self.folder)
            .with_context(|| format!("the server, process {}, has ended", self.pid))
    }
}

fn threads_of(process: &Path) -> std::io::Result<BTreeMap<u32, ThreadCpu>> {
    let mut threads = BTreeMap::new();
    for entry in fs::read_dir(process.join("task"))? {
        let entry = entry?;
        // A thread may end between the listing and the reading.
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        let id = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        if let Some((id, (name, cpu))) = id.zip(parse_stat(&stat)) {
            threads.insert(id, ThreadCpu { name, cpu });
        }
    }
    Ok(threads)
}

/// Name and CPU time. The name stands in parentheses and may contain anything, these too; user
/// and system time are the 12th and 13th words after it.
fn parse_stat(stat: &str) -> Option<(String, CpuTime)> {
    let (before, after) = stat.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    let mut ticks = after.split_whitespace().skip(11).map(str::parse::<u64>);
    let mut time = || Some(Duration::from_micros(ticks.next()?.ok()? * TICK_US));
    let (user, system) = (time()?, time()?);
    Some((name.to_owned(), CpuTime { user, system }))
}

/// Resident memory in bytes, from `/proc/PID/status`.
fn parse_rss(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_hold_parentheses_and_spaces() {
        let stat = "17 (a (b) c) S 1 17 17 0 -1 4194560 99 0 1 0 250 70 0 0 20 0 3 0 1 2 3";
        let (name, cpu) = parse_stat(stat).unwrap();
        assert_eq!(name, "a (b) c");
        assert_eq!(cpu.user, Duration::from_millis(2_500));
        assert_eq!(cpu.system, Duration::from_millis(700));
        for wrong in [
            "",
            "17 a S 1",
            "17 (a) S 1 2 3",
            "17 (a) S 1 1 1 1 1 1 1 1 1 1 x y",
        ] {
            assert_eq!(parse_stat(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn resident_memory_is_in_kibibytes() {
        let status = "Name:\tplenum\nVmHWM:\t   99 kB\nVmRSS:\t   64 kB\nThreads:\t2\n";
        assert_eq!(parse_rss(status), Some(65_536));
        assert_eq!(parse_rss("Name:\tzombie\n"), None);
    }

    #[test]
    fn a_process_reads_itself() {
        let process = Process::new(std::process::id()).unwrap();
        let sample = process.sample(Duration::from_secs(1)).unwrap();
        assert!(sample.rss_bytes > 1 << 16);
        let threads = process.threads().unwrap();
        let own = thread_name();
        assert!(
            threads.values().any(|thread| thread.name == own),
            "{own} in {threads:?}"
        );
    }

    /// As the kernel has it.
    fn thread_name() -> String {
        fs::read_to_string("/proc/thread-self/comm")
            .unwrap()
            .trim_end()
            .to_owned()
    }

    #[test]
    fn a_process_that_is_not_there_is_named() {
        // Above the largest pid that Linux gives.
        let error = Process::new(4_194_305).err().unwrap().to_string();
        assert!(
            error.contains("--pid 4194305: there is no such process"),
            "{error}"
        );
    }

    #[test]
    fn a_process_that_has_ended_is_said_to_have() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let process = Process::new(child.id()).unwrap();
        assert!(process.sample(Duration::ZERO).is_ok());
        child.kill().unwrap();
        child.wait().unwrap();
        let error = process.sample(Duration::ZERO).unwrap_err().to_string();
        assert!(error.contains("has ended"), "{error}");
    }
}

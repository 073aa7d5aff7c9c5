//! What a figure was measured on.

use std::fmt;
use std::process::Command;

use serde::Serialize;

/// Processor, kernel and commit.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// Model name of the processor.
    pub cpu: String,
    /// How many of them.
    pub cpus: usize,
    /// Kernel release.
    pub kernel: String,
    /// Commit of the working tree, `-dirty` if it has changes; empty outside of a repository.
    pub commit: String,
}

impl Machine {
    /// This one.
    pub fn here() -> Self {
        let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = processors
            .lines()
            .find(|line| line.starts_with("model name"))
            .and_then(|line| line.split_once(':'));
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            cpu: model.map_or_else(|| "unknown".to_owned(), |(_, name)| name.trim().to_owned()),
            cpus: processors
                .lines()
                .filter(|line| line.starts_with("processor"))
                .count(),
            kernel: kernel.trim().to_owned(),
            commit: commit(),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cpu,
            cpus,
            kernel,
            commit,
        } = self;
        write!(f, "{cpu} × {cpus}, Linux {kernel}, commit {commit}")
    }
}

fn commit() -> String {
    let described = Command::new("git")
        .args(["describe", "--always", "--dirty", "--exclude=*"])
        .output();
    let described = described.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&described).trim().to_owned()
}

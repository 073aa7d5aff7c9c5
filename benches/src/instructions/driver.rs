//! Has the operations run under callgrind and reads the profiles.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// Instructions of each operation, by name.
pub type Counts = BTreeMap<String, f64>;

/// [`counted_region`](super::counted_region) among mangled names: collect within it,
const COLLECT: &str = "--toggle-collect=*counted_region*";
/// and write a profile after it. (Callgrind forgets one of two options with one pattern.)
const DUMP: &str = "--dump-after=_*counted_region*";

/// Adds to each fan-out what is left of it without ciphers. The library chooses their code by the
/// processor; the rest is ours alone, and can be held more strictly.
pub fn add_rests(counts: &mut Counts) {
    let rests: Vec<_> = counts
        .iter()
        .filter_map(|(name, per_copy)| {
            let (subscribers, profile) = name.strip_prefix("fan_out/")?.split_once('/')?;
            let protect = counts.get(&format!("protect/{profile}"))?;
            let unprotect = counts.get(&format!("unprotect/{profile}"))?;
            let ciphers = protect + unprotect / subscribers.parse::<f64>().ok()?;
            Some((format!("forward/{subscribers}"), per_copy - ciphers))
        })
        .collect();
    counts.extend(rests);
}

/// A line of the operations' output.
#[derive(Debug, PartialEq, Eq)]
struct Operation<'l> {
    name: &'l str,
    /// Profiles that belong to it, in a row.
    profiles: usize,
    /// What its instructions are divided by.
    units: u32,
}

/// Counts by running `program` with `arguments` under callgrind.
///
/// # Errors
///
/// If valgrind is missing or fails, or its profiles are not those of the operations.
pub fn count(program: &Path, arguments: &[&str]) -> Result<Counts> {
    let directory = Scratch::new()?;
    let out = directory.0.join("profile");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", COLLECT, DUMP, "--demangle=no"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .context("valgrind cannot be started: install it (tests/install does)")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("valgrind failed ({}):\n{said}", output.status);
    }
    counts(&String::from_utf8(output.stdout)?, |number| {
        let path = directory.0.join(format!("profile.{number}"));
        let text = fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
        total(&text).with_context(|| format!("no total in {}", path.display()))
    })
}

/// Pairs the lines that operations printed with profiles, which count from 1.
fn counts(lines: &str, profile: impl Fn(usize) -> Result<u64>) -> Result<Counts> {
    let mut counts = Counts::new();
    let mut next = 1;
    for line in lines.lines() {
        let operation = Operation::parse(line).with_context(|| format!("not a name: {line:?}"))?;
        let mut instructions = 0;
        for number in next..next + operation.profiles {
            instructions += profile(number)?;
        }
        next += operation.profiles;
        ensure!(instructions > 0, "{}: nothing was counted", operation.name);
        let per_unit = instructions as f64 / f64::from(operation.units);
        counts.insert(operation.name.to_owned(), per_unit);
    }
    ensure!(!counts.is_empty(), "no operation was run");
    ensure!(
        profile(next).unwrap_or(0) == 0,
        "more profiles than operations: the counted function was found elsewhere too"
    );
    Ok(counts)
}

impl<'l> Operation<'l> {
    fn parse(line: &'l str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let operation = Self {
            name: words.next()?,
            profiles: words.next()?.parse().ok()?,
            units: words.next()?.parse().ok().filter(|units| *units > 0)?,
        };
        words.next().is_none().then_some(operation)
    }
}

/// What a profile counted in all.
fn total(profile: &str) -> Option<u64> {
    let total = profile
        .lines()
        .find_map(|line| line.strip_prefix("totals:"))?;
    total.trim().parse().ok()
}

/// A directory that goes when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self> {
        let name = format!("plenum-instructions-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).with_context(|| format!("{}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind is in the system's place for such things.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(number: usize) -> Result<u64> {
        let totals = [100, 10, 30];
        totals.get(number - 1).copied().context("no such profile")
    }

    #[test]
    fn profiles_are_shared_out_in_order_and_divided() {
        let counts = counts("a/b 1 10\nc 2 20\n", profile).unwrap();
        assert_eq!(counts["a/b"], 10.0);
        assert_eq!(counts["c"], 2.0);
    }

    #[test]
    fn profiles_that_do_not_fit_are_refused() {
        assert!(counts("a 1 10\n", profile).is_err(), "one is left over");
        assert!(counts("a 4 10\n", profile).is_err(), "one is missing");
        assert!(counts("a 3 0\n", profile).is_err(), "nothing to divide by");
        assert!(counts("", profile).is_err());
    }

    #[test]
    fn what_a_fan_out_does_besides_ciphers_is_told() {
        let mut counts = Counts::from([
            ("fan_out/10/P".to_owned(), 5_000.0),
            ("protect/P".to_owned(), 3_000.0),
            ("unprotect/P".to_owned(), 4_000.0),
        ]);
        add_rests(&mut counts);
        assert_eq!(counts["forward/10"], 1_600.0);
        assert_eq!(counts.len(), 4);
    }

    #[test]
    fn totals_are_found() {
        assert_eq!(total("events: Ir\nfn=(1)\n3 4\n\ntotals: 512\n"), Some(512));
        assert_eq!(total("events: Ir\n"), None);
    }
}

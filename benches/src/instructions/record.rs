//! What was counted once, kept in the repository, and how much more is refused.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::Counts;

/// Instructions that an operation may take beyond what is recorded. Repeated runs differ by less
/// than a thousandth.
const TOLERANCE: f64 = 0.03;

/// The same where all stages together are counted. What the optimizer draws into what, across
/// crates, differs from one build folder to another: `forward/500` was 1,267 in one and 1,305 in
/// the next, of the same source.
const TOLERANCE_WHOLE: f64 = 0.06;

/// The same where a cipher takes part: the cryptographic library chooses its code by what the
/// processor can, within what valgrind lets through (up to AVX2).
const TOLERANCE_CIPHER: f64 = 0.10;

/// With another compiler than recorded, for both: what it makes of the same source is not a
/// regression of ours.
const TOLERANCE_COMPILER: f64 = 0.15;

/// Names of operations that go through all stages begin so.
const WHOLE: [&str; 2] = ["forward/", "link_hop"];

/// Names of operations with a cipher begin so.
const CIPHER: [&str; 3] = ["protect/", "unprotect/", "fan_out/"];

/// Counts, and what they were made with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The compiler, as it names itself.
    pub compiler: String,
    /// Processor that they were counted on; only to be read.
    pub processor: String,
    /// Instructions of each operation.
    pub counts: Counts,
}

/// How an operation compares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// Within the tolerance.
    Same,
    /// More than that.
    Worse,
    /// So much less that the record should follow.
    Better,
    /// Not recorded.
    New,
    /// Recorded, and not there any more.
    Gone,
}

/// One operation, then and now.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Its name.
    pub name: String,
    /// Instructions as recorded.
    pub recorded: Option<f64>,
    /// Instructions now.
    pub counted: Option<f64>,
    /// What that means.
    pub verdict: Verdict,
}

impl Record {
    /// Reads the record at `path`.
    ///
    /// # Errors
    ///
    /// If it is not there or not a record.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("no record at {}: make it with --record", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{}", path.display()))
    }

    /// Writes it to `path`.
    ///
    /// # Errors
    ///
    /// If that cannot be.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        std::fs::write(path, text).with_context(|| format!("{}", path.display()))
    }

    /// Compares what was counted now with this record, operation by operation.
    pub fn compare(&self, now: &Self) -> Vec<Comparison> {
        let same_compiler = self.compiler == now.compiler;
        let names = self.counts.keys().chain(now.counts.keys());
        let names: std::collections::BTreeSet<_> = names.collect();
        names
            .into_iter()
            .map(|name| {
                let recorded = self.counts.get(name).copied();
                let counted = now.counts.get(name).copied();
                let tolerance = tolerance(name, same_compiler);
                Comparison {
                    name: name.clone(),
                    recorded,
                    counted,
                    verdict: verdict(recorded, counted, tolerance),
                }
            })
            .collect()
    }
}

fn tolerance(name: &str, same_compiler: bool) -> f64 {
    if !same_compiler {
        TOLERANCE_COMPILER
    } else if CIPHER.iter().any(|cipher| name.starts_with(cipher)) {
        TOLERANCE_CIPHER
    } else if WHOLE.iter().any(|whole| name.starts_with(whole)) {
        TOLERANCE_WHOLE
    } else {
        TOLERANCE
    }
}

fn verdict(recorded: Option<f64>, counted: Option<f64>, tolerance: f64) -> Verdict {
    match (recorded, counted) {
        (Some(then), Some(now)) if now > then * (1.0 + tolerance) => Verdict::Worse,
        (Some(then), Some(now)) if now < then * (1.0 - tolerance) => Verdict::Better,
        (Some(_), Some(_)) => Verdict::Same,
        (None, _) => Verdict::New,
        (Some(_), None) => Verdict::Gone,
    }
}

impl Verdict {
    /// Whether the record is still true. One that is not fails, an improvement too: what was won
    /// would otherwise be lost unseen.
    pub const fn holds(self) -> bool {
        matches!(self, Self::Same)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number =
            |count: Option<f64>| count.map_or("–".to_owned(), |count| format!("{count:.0}"));
        let change = match (self.recorded, self.counted) {
            (Some(then), Some(now)) => format!("{:+.1} %", (now / then - 1.0) * 100.0),
            _ => String::new(),
        };
        let (recorded, counted) = (number(self.recorded), number(self.counted));
        write!(f, "| {} | {recorded} | {counted} | {change} |", self.name)?;
        match self.verdict {
            Verdict::Same => Ok(()),
            Verdict::Worse => f.write_str(" ← more than recorded"),
            Verdict::Better => f.write_str(" ← fewer than recorded"),
            Verdict::New => f.write_str(" ← not recorded"),
            Verdict::Gone => f.write_str(" ← not counted"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(compiler: &str, counts: &[(&str, f64)]) -> Record {
        let counts = counts
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count));
        Record {
            compiler: compiler.to_owned(),
            processor: String::new(),
            counts: counts.collect(),
        }
    }

    fn verdicts(then: &Record, now: &Record) -> Vec<Verdict> {
        let compared = then.compare(now);
        compared.iter().map(|one| one.verdict).collect()
    }

    #[test]
    fn ciphers_may_differ_more_than_our_own_code() {
        let then = record("rustc 1", &[("describe/vp8", 100.0), ("fan_out/1", 100.0)]);
        let now = record("rustc 1", &[("describe/vp8", 104.0), ("fan_out/1", 104.0)]);
        assert_eq!(verdicts(&then, &now), [Verdict::Worse, Verdict::Same]);
        assert_eq!(verdicts(&now, &then), [Verdict::Better, Verdict::Same]);
        let now = record("rustc 1", &[("describe/vp8", 102.0), ("fan_out/1", 111.0)]);
        assert_eq!(verdicts(&then, &now), [Verdict::Same, Verdict::Worse]);
    }

    #[test]
    fn all_stages_together_may_differ_more_than_one() {
        let then = record(
            "rustc 1",
            &[("write_copy/vp8", 100.0), ("forward/10", 100.0)],
        );
        let now = record(
            "rustc 1",
            &[("write_copy/vp8", 105.0), ("forward/10", 105.0)],
        );
        assert_eq!(verdicts(&now, &then), [Verdict::Same, Verdict::Better]);
        assert_eq!(verdicts(&then, &now), [Verdict::Same, Verdict::Worse]);
        let now = record(
            "rustc 1",
            &[("write_copy/vp8", 100.0), ("forward/10", 107.0)],
        );
        assert_eq!(verdicts(&then, &now), [Verdict::Worse, Verdict::Same]);
    }

    #[test]
    fn another_compiler_may_differ_but_not_by_any_amount() {
        let then = record("rustc 1", &[("describe/vp8", 100.0)]);
        let now = record("rustc 2", &[("describe/vp8", 110.0)]);
        assert_eq!(verdicts(&then, &now), [Verdict::Same]);
        let now = record("rustc 2", &[("describe/vp8", 120.0)]);
        assert_eq!(verdicts(&then, &now), [Verdict::Worse]);
    }

    #[test]
    fn operations_that_come_and_go_are_seen() {
        let then = record("rustc 1", &[("a", 1.0)]);
        let now = record("rustc 1", &[("b", 1.0)]);
        assert_eq!(verdicts(&then, &now), [Verdict::Gone, Verdict::New]);
        assert!(!Verdict::Gone.holds() && !Verdict::New.holds());
    }
}

//! What a run is told as: a progress line, a table, JSON with stable keys, a page with plots
//! over time, and whether thresholds hold.
//!
//! | file | one idea |
//! |---|---|
//! | `summary` | the figures, as JSON has them |
//! | `table` | the same for people |
//! | `flags` | the command line's part of it |
//! | `thresholds` | what has to hold |
//! | `progress` | the live line |
//! | `series` | which figures are plotted over time |
//! | `plot` | one plot as SVG |
//! | `html` | the page |
//! | `format` | numbers for people |

mod flags;
mod format;
mod html;
mod plot;
mod progress;
#[cfg(test)]
pub(crate) mod sample;
mod series;
mod summary;
mod table;
mod thresholds;

use crate::measure::Outcome;
use anyhow::{Context, Result};
use std::fmt;
use std::path::Path;

pub use flags::ReportFlags;
pub(crate) use progress::Progress;
pub(crate) use summary::Summary;
pub use thresholds::Thresholds;

/// What a run found.
#[derive(Clone, Debug)]
pub struct Report {
    outcome: Outcome,
    summary: Summary,
}

impl Report {
    pub(crate) fn new(outcome: Outcome) -> Self {
        let summary = Summary::new(&outcome);
        Self { outcome, summary }
    }

    /// One line for each threshold that does not hold, with by how much.
    pub fn failures(&self, thresholds: &Thresholds) -> Vec<String> {
        thresholds.failures(&self.summary)
    }

    /// The figures as JSON. The names of the keys do not change.
    ///
    /// # Errors
    /// None that a figure could cause.
    pub fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(&self.summary)? + "\n")
    }

    /// A page with plots over time that needs no other file.
    pub fn html(&self) -> String {
        html::page(&self.outcome, &self.summary)
    }

    /// Writes the files that `flags` ask for.
    ///
    /// # Errors
    /// If a file cannot be written; the text says which.
    pub fn write(&self, flags: &ReportFlags) -> Result<()> {
        if let Some(path) = &flags.json {
            write(path, &self.json()?)?;
        }
        if let Some(path) = &flags.html {
            write(path, &self.html())?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&table::table(&self.summary))
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

//! The part of the command line that says where the report goes and what has to hold.

use super::Thresholds;
use anyhow::{Context, Result};
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

/// Where the report goes, and what sets the exit code.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ReportFlags {
    /// Write the figures as JSON to this file.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write a page with plots over time to this file.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Exit with an error if a larger share of packets is lost, such as 0.1%.
    #[arg(long, value_name = "SHARE", value_parser = parse_ratio)]
    fail_loss: Option<f64>,
    /// Exit with an error if one packet of a hundred takes longer, such as 5ms.
    #[arg(long, value_name = "TIME", value_parser = parse_us)]
    fail_latency_p99: Option<u64>,
    /// Exit with an error if the server spends more microseconds of CPU per packet that
    /// subscribers receive, such as 1.5. Needs --pid.
    #[arg(long, value_name = "US", requires = "pid", value_parser = parse_positive)]
    fail_cpu_us_per_packet: Option<f64>,
}

impl ReportFlags {
    /// Tries the files, so that a mistyped path is found before the run and not after it.
    ///
    /// # Errors
    /// If one cannot be written.
    pub fn try_files(&self) -> Result<()> {
        [&self.json, &self.html]
            .into_iter()
            .flatten()
            .try_for_each(|path| try_file(path))
    }

    /// What has to hold.
    pub fn thresholds(&self) -> Thresholds {
        Thresholds {
            loss_ratio: self.fail_loss,
            latency_p99_us: self.fail_latency_p99,
            cpu_us_per_packet: self.fail_cpu_us_per_packet,
        }
    }
}

/// Whether a file may be written there. Leaves nothing behind, and what is there as it is.
fn try_file(path: &Path) -> Result<()> {
    let existed = path.exists();
    let opened = OpenOptions::new().create(true).append(true).open(path);
    opened.with_context(|| format!("cannot write {}", path.display()))?;
    if !existed {
        fs::remove_file(path).with_context(|| format!("cannot replace {}", path.display()))?;
    }
    Ok(())
}

/// Parses `0.1%` or `0.001`.
fn parse_ratio(text: &str) -> std::result::Result<f64, String> {
    let (number, scale) = match text.strip_suffix('%') {
        Some(number) => (number, 0.01),
        None => (text, 1.0),
    };
    let ratio: f64 = number
        .parse()
        .map_err(|_| format!("'{text}' is no share, write 0.1%"))?;
    let ratio = ratio * scale;
    if (0.0..=1.0).contains(&ratio) {
        Ok(ratio)
    } else {
        Err(format!("'{text}' is outside 0% to 100%"))
    }
}

/// Parses `500us`, `2.5ms`, `1s` to microseconds.
fn parse_us(text: &str) -> std::result::Result<u64, String> {
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let scale = match unit {
        "us" | "µs" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        _ => return Err(format!("'{text}' needs a unit: us, ms or s")),
    };
    let number = parse_positive(number).map_err(|_| format!("'{text}' is no time, write 5ms"))?;
    Ok((number * scale).round() as u64)
}

/// Parses a number above zero.
fn parse_positive(text: &str) -> std::result::Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        Ok(_) | Err(_) => Err(format!("'{text}' is no number above zero")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_cannot_be_written_is_found_early() {
        let at = |path: PathBuf| ReportFlags {
            json: Some(path),
            ..ReportFlags::default()
        };
        let name = format!("plenum-report-{}", std::process::id());
        let fresh = std::env::temp_dir().join(name);
        assert!(at(fresh.clone()).try_files().is_ok());
        assert!(!fresh.exists(), "nothing is left behind");
        fs::write(&fresh, "kept").unwrap();
        assert!(at(fresh.clone()).try_files().is_ok());
        assert_eq!(fs::read_to_string(&fresh).unwrap(), "kept");
        let error = at(fresh.join("below-a-file")).try_files().unwrap_err();
        assert!(error.to_string().starts_with("cannot write "), "{error:#}");
        fs::remove_file(fresh).unwrap();
    }

    #[test]
    fn ratios_are_shares() {
        assert!((parse_ratio("0.1%").unwrap() - 0.001).abs() < 1e-12);
        assert!((parse_ratio("0.25").unwrap() - 0.25).abs() < 1e-12);
        for wrong in ["101%", "-1", "few", "", "%"] {
            assert!(parse_ratio(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_have_a_unit() {
        let times = ["500us", "500µs", "2.5ms", "1s"].map(|text| parse_us(text).unwrap());
        assert_eq!(times, [500, 500, 2_500, 1_000_000]);
        for wrong in ["5", "ms", "1.2.3ms", "-1ms", "5min", "0ms"] {
            assert!(parse_us(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn costs_are_above_zero() {
        assert_eq!(parse_positive("1.5"), Ok(1.5));
        for wrong in ["0", "-1", "inf", "NaN", "x"] {
            assert!(parse_positive(wrong).is_err(), "{wrong}");
        }
    }
}

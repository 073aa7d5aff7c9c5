//! Instructions of the packet path's operations, compared with what is recorded:
//! `cargo run --release -p plenum-benches --bin instructions`.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "figures are for whoever runs it")]

use std::io::stdout;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Parser;
use plenum_benches::Machine;
use plenum_benches::instructions::{Record, add_rests, count, run};

/// The record, beside the sources.
const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.json");

/// Counts the instructions of each operation under callgrind and compares them with the record.
#[derive(Parser)]
struct Args {
    /// Write what is counted into the record instead.
    #[arg(long)]
    record: bool,
    /// The record.
    #[arg(long, value_name = "FILE", default_value = RECORD)]
    file: PathBuf,
    /// Execute the operations; what callgrind is given to run.
    #[arg(long, hide = true)]
    execute: bool,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    if args.execute {
        run(&mut stdout().lock(), start())?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut counts = count(&std::env::current_exe()?, &["--execute"])?;
    add_rests(&mut counts);
    let now = Record {
        compiler: compiler()?,
        processor: Machine::here().cpu,
        counts,
    };
    if args.record {
        now.write(&args.file)?;
        println!("{} operations recorded", now.counts.len());
        return Ok(ExitCode::SUCCESS);
    }
    compare(&args.file, &now)
}

fn compare(file: &Path, now: &Record) -> Result<ExitCode> {
    let then = Record::read(file)?;
    println!("Instructions of each operation or copy.\n");
    println!("| operation | recorded | now | change |\n|---|---|---|---|");
    let compared = then.compare(now);
    for comparison in &compared {
        println!("{comparison}");
    }
    println!("\nrecorded with {}, {}", then.compiler, then.processor);
    println!("counted with {}, {}", now.compiler, now.processor);
    if compared.iter().all(|comparison| comparison.verdict.holds()) {
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "\nThe record no longer holds. If the change is meant, say so in the commit and record it:\n  \
         cargo run --release -p plenum-benches --bin instructions -- --record"
    );
    Ok(ExitCode::FAILURE)
}

fn compiler() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .arg("--version")
        .output()
        .context("rustc cannot be asked for its version")?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

#[expect(
    clippy::disallowed_methods,
    reason = "benches need some origin; only differences count"
)]
fn start() -> Instant {
    Instant::now()
}

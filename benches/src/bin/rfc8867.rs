//! Bandwidth estimation on the links of RFC 8867, as figures and as curves:
//! `cargo run --release -p plenum-benches --bin rfc8867 -- --html report.html`.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "figures are for whoever runs it")]

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use plenum_benches::congestion::{CALLS, CASES, CallRun, Figures, Run, page, run, run_call};

/// Runs the cases of RFC 8867 §5 in virtual time.
#[derive(Parser)]
struct Args {
    /// Only this case: 5.1 to 5.8, or `call` for the calls through the engine.
    #[arg(long)]
    case: Option<String>,
    /// Another seed is another run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write the curves into this file.
    #[arg(long)]
    html: Option<PathBuf>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let wanted = |section: &str| args.case.as_ref().is_none_or(|case| case == section);
    let runs: Vec<Run> = CASES
        .into_iter()
        .filter(|case| wanted(case.section))
        .map(|case| run(case, args.seed))
        .collect();
    let calls: Vec<CallRun> = CALLS
        .into_iter()
        .filter(|call| wanted(call.case.section))
        .map(|call| run_call(call, args.seed))
        .collect();
    ensure!(
        !runs.is_empty() || !calls.is_empty(),
        "--case: name one from 5.1 to 5.8, or call"
    );
    print_cases(&runs);
    print_calls(&calls);
    if let Some(file) = args.html {
        let only = args.case.as_ref();
        let only = only.map_or_else(String::new, |case| format!(" --case {case}"));
        let command = format!(
            "cargo run --release -p plenum-benches --bin rfc8867 -- --seed {}{only}",
            args.seed
        );
        std::fs::write(&file, page(&runs, &calls, &command))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

fn percent(value: f64) -> String {
    format!("{:.1} %", value * 100.0)
}

fn print_cases(runs: &[Run]) {
    if runs.is_empty() {
        return;
    }
    println!(
        "{:<46}{:>8}{:>8}{:>8}{:>8}{:>9}{:>9}{:>7}{:>8}{:>6}",
        "case", "steady", "least", "whole", "media", "q95", "q95 all", "loss", "probes", "Jain"
    );
    for run in runs {
        print_row(run);
    }
}

fn print_calls(calls: &[CallRun]) {
    if calls.is_empty() {
        return;
    }
    println!(
        "{:<36}{:>9}{:>10}{:>7}{:>9}{:>8}{:>8}  estimate of capacity, kbit/s",
        "call", "switches", "freeze", "q95", "q95 all", "loss", "probes"
    );
    for call in calls {
        let figures = Figures::of(&call.run);
        println!(
            "{:<36}{:>9}{:>10}{:>7}{:>9}{:>8}{:>8}  {}",
            call.run.case.title,
            call.switches(),
            format!("{} ms", call.longest_freeze.as_millis()),
            format!("{:.0} ms", figures.queue_p95_ms),
            format!("{:.0} ms", figures.queue_whole_p95_ms),
            percent(figures.loss),
            percent(figures.probes),
            call.estimates(),
        );
    }
}

fn print_row(run: &Run) {
    let figures = Figures::of(run);
    println!(
        "{:<46}{:>8}{:>8}{:>8}{:>8}{:>9}{:>9}{:>7}{:>8}{:>6.2}",
        format!("{} {}", run.case.section, run.case.title),
        percent(figures.steady),
        percent(figures.steady_least),
        percent(figures.whole),
        percent(figures.media_share),
        format!("{:.0} ms", figures.queue_p95_ms),
        format!("{:.0} ms", figures.queue_whole_p95_ms),
        percent(figures.loss),
        percent(figures.probes),
        figures.fairness,
    );
}

//! The kernel's cost of sending, by run length: `cargo run --release -p plenum-benches --bin floor`.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "figures are for whoever runs it")]

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use plenum_benches::floor::{Plan, Report, measure};

/// Measures what sending costs the kernel: from one socket to many on loopback, in bursts.
#[derive(Parser)]
struct Args {
    /// Receiving sockets.
    #[arg(long, default_value_t = 400)]
    sockets: usize,
    /// Datagrams to each socket at a tick; several lengths with commas between.
    #[arg(long, value_delimiter = ',', default_value = "1,2,5,6,8,16")]
    runs: Vec<usize>,
    /// UDP payload of a datagram. A video packet of 1,100 bytes has 16 more under AEAD.
    #[arg(long, default_value_t = 1_116)]
    bytes: usize,
    /// Datagrams a second over all sockets, to compare at equal rates; without it, 30 bursts a
    /// second.
    #[arg(long)]
    rate: Option<f64>,
    /// Seconds of one measurement.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Rounds through all rows; the first is not counted.
    #[arg(long, default_value_t = 4)]
    rounds: usize,
    /// Core of the sender.
    #[arg(long)]
    pin: Option<usize>,
    /// Core of the receivers.
    #[arg(long)]
    pin_receivers: Option<usize>,
    /// Also write the figures here, as JSON; "-" writes them to standard output instead of the
    /// table.
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let plan = plan(&args)?;
    let report = Report::new(&plan, &measure(&plan)?);
    let json = serde_json::to_string_pretty(&report)?;
    match &args.json {
        Some(path) if path.as_os_str() == "-" => println!("{json}"),
        Some(path) => {
            std::fs::write(path, json).with_context(|| format!("{}", path.display()))?;
            println!("{}", report.table());
        }
        None => println!("{}", report.table()),
    }
    Ok(())
}

fn plan(args: &Args) -> Result<Plan> {
    let longest = args.runs.iter().copied().max().unwrap_or(0);
    ensure!(args.sockets > 0, "--sockets must be at least 1");
    ensure!(args.rounds > 0, "--rounds must be at least 1");
    ensure!(
        args.runs.iter().all(|run| *run > 0),
        "--runs: a run has at least one datagram"
    );
    ensure!(
        args.bytes > 0 && longest.saturating_mul(args.bytes) <= 65_507,
        "--bytes times the longest of --runs must be 1 to 65507, what one message holds"
    );
    ensure!(
        args.seconds > 0.0 && args.seconds <= 600.0,
        "--seconds must be above 0 and at most 600"
    );
    ensure!(
        args.rate.is_none_or(|rate| rate >= 1.0),
        "--rate must be at least 1 datagram a second"
    );
    Ok(Plan {
        sockets: args.sockets,
        runs: args.runs.clone(),
        datagram_bytes: args.bytes,
        packets_per_second: args.rate,
        period: Duration::from_secs_f64(args.seconds),
        rounds: args.rounds,
        sender_core: args.pin,
        receiver_core: args.pin_receivers,
    })
}

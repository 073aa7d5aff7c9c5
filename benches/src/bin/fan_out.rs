//! What forwarding a packet costs without IO, by number of subscribers:
//! `cargo run --release -p plenum-benches --bin fan_out`.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "figures are for whoever runs it")]
#![expect(clippy::disallowed_methods, reason = "measures real time")]

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Parser;
use plenum_benches::FanOut;
use plenum_types::SrtpProfile;
use serde::Serialize;

/// Frames forwarded for one figure; the median is taken.
const FRAMES: usize = 300;

/// Measures the time of a video frame's way through a shard, from datagrams to encrypted copies.
#[derive(Parser)]
struct Args {
    /// Subscribers; several numbers with commas between.
    #[arg(long, value_delimiter = ',', default_value = "1,10,100,500")]
    subscribers: Vec<u32>,
    /// Write JSON instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row {
    subscribers: u32,
    ns_per_copy: f64,
}

fn main() -> Result<()> {
    let args = Args::parse();
    ensure!(
        args.subscribers.iter().all(|count| *count > 0),
        "--subscribers: at least 1"
    );
    let rows: Vec<Row> = args
        .subscribers
        .iter()
        .map(|count| measure(*count))
        .collect();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(());
    }
    println!("| subscribers | ns per copy |\n|---|---|");
    for row in rows {
        println!("| {} | {:.0} |", row.subscribers, row.ns_per_copy);
    }
    Ok(())
}

fn measure(subscribers: u32) -> Row {
    let mut fan_out = FanOut::new(subscribers, SrtpProfile::AeadAes128Gcm, Instant::now());
    let mut times = Vec::with_capacity(FRAMES);
    let mut copies = 0;
    for _ in 0..FRAMES {
        let mut burst = fan_out.next_burst();
        let start = Instant::now();
        copies = fan_out.handle_burst(&mut burst);
        times.push(start.elapsed());
    }
    let (_, median, _) = times.select_nth_unstable(FRAMES / 2);
    let ns_per_copy = per_copy(*median, copies);
    Row {
        subscribers,
        ns_per_copy,
    }
}

fn per_copy(time: Duration, copies: usize) -> f64 {
    time.as_nanos() as f64 / copies as f64
}

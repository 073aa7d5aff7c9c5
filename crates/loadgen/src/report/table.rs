//! The table for people.

use super::Summary;
use super::format::{NOTHING, decimal, grouped, measured, measured_bytes};
use std::fmt::{self, Write};

/// Characters of the column of labels.
const LABEL_WIDTH: usize = 24;

/// The whole table.
pub(super) fn table(summary: &Summary) -> String {
    let mut text = String::new();
    // Writing into a string does not fail.
    let _ = header(&mut text, summary)
        .and_then(|()| media(&mut text, summary))
        .and_then(|()| joins(&mut text, summary))
        .and_then(|()| server(&mut text, summary))
        .and_then(|()| client(&mut text, summary));
    text
}

fn header(text: &mut String, summary: &Summary) -> fmt::Result {
    let machine = &summary.machine;
    writeln!(text, "{} at {}", summary.scenario, summary.url)?;
    row(text, "rooms", &summary.rooms.to_string())?;
    row(text, "publishers", &grouped(summary.publishers as f64))?;
    row(text, "subscribers", &grouped(summary.subscribers as f64))?;
    row(text, "load", &summary.details)?;
    row(
        text,
        "counted",
        &format!("{} s", decimal(summary.duration_s, 1)),
    )?;
    row(text, "commit", &machine.commit)?;
    row(text, "CPU", &machine.cpu)?;
    row(text, "kernel", &machine.kernel)?;
    row(text, "cipher", &machine.cipher)
}

fn media(text: &mut String, summary: &Summary) -> fmt::Result {
    section(text, "media", &["received", "offered", "sent"])?;
    let rate = |packets: u64| match summary.duration_s > 0.0 {
        true => grouped(packets as f64 / summary.duration_s),
        false => NOTHING.to_owned(),
    };
    let packets = [
        summary.packets_received,
        summary.packets_expected,
        summary.packets_sent,
    ];
    columns(
        text,
        "packets",
        &packets.map(|packets| grouped(packets as f64)),
    )?;
    columns(text, "packets/s", &packets.map(rate))?;
    columns(text, "Mbit/s", &[decimal(summary.bits_per_second / 1e6, 1)])?;
    columns(
        text,
        "loss",
        &[format!("{} %", decimal(summary.loss_ratio * 100.0, 4))],
    )?;
    section(text, "latency", &["p50", "p99", "p99.9", "max"])?;
    let latency = summary.latency_us;
    let us = [latency.p50, latency.p99, latency.p999, latency.max];
    columns(
        text,
        "forwarding, µs",
        &us.map(|us| measured(us.map(|us| us as f64), 0)),
    )?;
    section(text, "events", &["count"])?;
    for (name, count) in [
        ("frames", summary.frames),
        ("freezes", summary.freezes),
        ("layer switches", summary.layer_switches),
        ("NACKed packets", summary.nacks_sent),
        ("retransmissions", summary.rtx_received),
        ("keyframe requests", summary.plis_sent),
        ("clients cut off", summary.clients_lost),
        ("clients not joined", summary.clients_failed),
    ] {
        columns(text, name, &[grouped(count as f64)])?;
    }
    Ok(())
}

fn joins(text: &mut String, summary: &Summary) -> fmt::Result {
    section(text, "joining", &["p50", "p99"])?;
    let join = &summary.join_ms;
    columns(
        text,
        "whole join, ms",
        &[measured(join.p50, 1), measured(join.p99, 1)],
    )?;
    for phase in crate::measure::JoinPhase::ALL {
        let spread = join
            .by_phase
            .get(phase.as_str())
            .copied()
            .unwrap_or_default();
        let name = format!("  {}", phase.as_str().replace('_', " "));
        columns(
            text,
            &name,
            &[measured(spread.p50, 1), measured(spread.p99, 1)],
        )?;
    }
    let first = summary.first_frame_ms;
    columns(
        text,
        "first frame, ms",
        &[measured(first.p50, 1), measured(first.p99, 1)],
    )?;
    columns(text, "joins/s", &[measured(summary.joins_per_second, 1)])
}

fn server(text: &mut String, summary: &Summary) -> fmt::Result {
    let server = &summary.server;
    if server.pid.is_none() {
        return Ok(());
    }
    section(text, "server", &["all", "user", "system"])?;
    let cpu = [
        server.cpu_us_per_packet,
        server.cpu_user_us_per_packet,
        server.cpu_system_us_per_packet,
    ];
    columns(text, "CPU µs per packet", &cpu.map(|us| measured(us, 3)))?;
    columns(text, "cores busy", &[measured(server.cores_busy, 2)])?;
    columns(
        text,
        "packets/s per core",
        &[measured(server.packets_per_second_per_core, 0)],
    )?;
    for thread in &server.threads {
        let user = measured(thread.cpu_user_us_per_packet, 3);
        let system = measured(thread.cpu_system_us_per_packet, 3);
        let all = thread
            .cpu_user_us_per_packet
            .zip(thread.cpu_system_us_per_packet);
        let all = measured(all.map(|(user, system)| user + system), 3);
        let count = if thread.threads > 1 {
            format!(" ×{}", thread.threads)
        } else {
            String::new()
        };
        columns(
            text,
            &format!("  {}{count}", thread.name),
            &[all, user, system],
        )?;
    }
    let rss = server.rss_bytes.map(|rss| rss as f64);
    columns(text, "resident memory", &[measured_bytes(rss)])?;
    columns(
        text,
        "  per publisher",
        &[measured_bytes(server.rss_bytes_per_publisher)],
    )?;
    columns(
        text,
        "  per subscriber",
        &[measured_bytes(server.rss_bytes_per_subscriber)],
    )?;
    columns(
        text,
        "GSO segments per send",
        &[measured(server.gso_segments_per_send, 2)],
    )?;
    for (reason, count) in server.drops.iter().flatten() {
        columns(
            text,
            &format!("  drops: {reason}"),
            &[grouped(*count as f64)],
        )?;
    }
    Ok(())
}

fn client(text: &mut String, summary: &Summary) -> fmt::Result {
    let client = &summary.client;
    writeln!(text, "\nclients")?;
    columns(text, "cores busy", &[decimal(client.cores_busy, 2)])?;
    columns(
        text,
        "busiest media thread",
        &[decimal(client.busiest_media_thread, 2)],
    )?;
    columns(text, "socket drops", &[grouped(client.drops as f64)])?;
    columns(text, "late sends", &[grouped(client.late_sends as f64)])?;
    match &client.bottleneck {
        Some(reason) => writeln!(
            text,
            "\nThe clients were the bottleneck, these figures do not measure the server: {reason}"
        ),
        None => Ok(()),
    }
}

fn section(text: &mut String, name: &str, heads: &[&str]) -> fmt::Result {
    write!(text, "\n{name:<LABEL_WIDTH$}")?;
    for head in heads {
        write!(text, "  {head:>13}")?;
    }
    writeln!(text)
}

fn columns(text: &mut String, label: &str, cells: &[String]) -> fmt::Result {
    write!(text, "  {label:<0$}", LABEL_WIDTH - 2)?;
    for cell in cells {
        write!(text, "  {cell:>13}")?;
    }
    writeln!(text)
}

fn row(text: &mut String, label: &str, value: &str) -> fmt::Result {
    let value = if value.is_empty() { NOTHING } else { value };
    writeln!(text, "  {label:<12}{value}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn every_figure_has_its_row() {
        let text = table(&Summary::new(&sample::outcome()));
        for part in [
            "livestream at http://localhost:7880",
            "cipher      AEAD_AES_128_GCM",
            "packets/s",
            "forwarding, µs",
            "  signaling",
            "CPU µs per packet",
            "  shard-0",
            "  per subscriber",
            "GSO segments per send",
            "busiest media thread",
        ] {
            assert!(text.contains(part), "no '{part}' in\n{text}");
        }
        assert!(!text.contains("bottleneck"));
    }

    #[test]
    fn cells_stand_under_their_heads() {
        let text = table(&Summary::new(&sample::outcome()));
        let end_of = |line: &str, part: &str| {
            let from = line.find(part).unwrap();
            line[..from].chars().count() + part.chars().count()
        };
        let line = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap();
        let user = line("  CPU µs per packet")
            .split_whitespace()
            .nth(5)
            .unwrap();
        assert_eq!(
            end_of(line("server "), "user"),
            end_of(line("  CPU µs per packet"), user)
        );
    }

    #[test]
    fn a_bottleneck_is_said_aloud() {
        let mut outcome = sample::outcome();
        outcome.client.bottleneck = Some("a media thread was 97 % busy".to_owned());
        let text = table(&Summary::new(&outcome));
        assert!(text.contains("do not measure the server: a media thread was 97 % busy"));
    }

    #[test]
    fn without_a_server_there_is_no_section_of_it() {
        let mut outcome = sample::outcome();
        outcome.server = None;
        assert!(!table(&Summary::new(&outcome)).contains("resident memory"));
    }
}

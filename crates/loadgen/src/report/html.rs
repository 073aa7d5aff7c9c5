//! The page: what was measured where, the figures, the plots. It needs no other file, so that it
//! can be kept, mailed and attached.

use super::Summary;
use super::format::{NOTHING, decimal, grouped, measured, measured_bytes};
use super::plot::Chart;
use super::series;
use super::table::table;
use crate::measure::Outcome;
use std::fmt::Write;

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// The whole page.
pub(super) fn page(outcome: &Outcome, summary: &Summary) -> String {
    let title = format!(
        "{}: {}, {}",
        escaped(&summary.scenario),
        counted(summary.publishers, "publisher"),
        counted(summary.subscribers, "subscriber"),
    );
    let charts: String = series::charts(outcome).iter().map(Chart::html).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header><h1>{title}</h1>\n<p>{}</p>\n{}</header>\n{}\
         <div class=\"tiles\">{}</div>\n<div class=\"charts\">{charts}</div>\n\
         <details><summary>All figures</summary><pre>{}</pre></details>\n\
         <script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        escaped(&summary.details),
        facts(summary),
        bottleneck(summary),
        tiles(summary),
        escaped(&table(summary)),
    )
}

/// `1 publisher`, `400 subscribers`.
fn counted(number: usize, name: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {name}{plural}", grouped(number as f64))
}

/// Where it was measured.
fn facts(summary: &Summary) -> String {
    let machine = &summary.machine;
    let mut html = String::from("<dl>");
    for (name, value) in [
        ("server", &summary.url),
        ("counted", &format!("{} s", decimal(summary.duration_s, 1))),
        ("commit", &machine.commit),
        ("CPU", &machine.cpu),
        ("kernel", &machine.kernel),
        ("cipher", &machine.cipher),
    ] {
        let value = if value.is_empty() { NOTHING } else { value };
        // Writing into a string does not fail.
        let _ = write!(
            html,
            "<div><dt>{name}</dt><dd>{}</dd></div>",
            escaped(value)
        );
    }
    html + "</dl>"
}

fn bottleneck(summary: &Summary) -> String {
    summary.client.bottleneck.as_ref().map_or_else(String::new, |reason| {
        format!(
            "<p class=\"warning\">The clients were the bottleneck, these figures do not measure \
             the server: {}</p>\n",
            escaped(reason)
        )
    })
}

/// The figures that people look for first.
fn tiles(summary: &Summary) -> String {
    let server = &summary.server;
    let ms = |us: Option<u64>| measured(us.map(|us| us as f64 / 1_000.0), 2);
    let latency = summary.latency_us;
    let cpu = format!(
        "user {}, system {}",
        measured(server.cpu_user_us_per_packet, 2),
        measured(server.cpu_system_us_per_packet, 2)
    );
    let tail = format!("p50 {}, p99.9 {}", ms(latency.p50), ms(latency.p999));
    let joins = format!("p99 {}", measured(summary.join_ms.p99, 1));
    let cores = format!(
        "{} per core",
        measured(server.packets_per_second_per_core, 0)
    );
    let publisher = format!(
        "{} per publisher",
        measured_bytes(server.rss_bytes_per_publisher)
    );
    let bits = format!("{} Mbit/s", decimal(summary.bits_per_second / 1e6, 1));
    let lost = format!("{} packets", grouped(summary.packets_lost as f64));
    let mut tiles = tile(
        "packets/s received",
        &grouped(summary.packets_per_second),
        &bits,
    );
    tiles += &tile("loss, %", &decimal(summary.loss_ratio * 100.0, 3), &lost);
    tiles += &tile("latency p99, ms", &ms(latency.p99), &tail);
    tiles += &tile("join p50, ms", &measured(summary.join_ms.p50, 1), &joins);
    if server.pid.is_some() {
        let us = measured(server.cpu_us_per_packet, 2);
        tiles += &tile("CPU, µs per packet", &us, &cpu);
        tiles += &tile("server cores busy", &measured(server.cores_busy, 2), &cores);
        let memory = measured_bytes(server.rss_bytes_per_subscriber);
        tiles += &tile("memory/subscriber", &memory, &publisher);
    }
    let freezes = grouped(summary.freezes as f64);
    let frames = format!("of {} frames", grouped(summary.frames as f64));
    tiles + &tile("freezes", &freezes, &frames)
}

fn tile(name: &str, value: &str, beside: &str) -> String {
    format!("<div><span>{name}</span><b>{value}</b><small>{beside}</small></div>")
}

/// Text as HTML has it.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            _ => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn rendered(outcome: &Outcome) -> String {
        page(outcome, &Summary::new(outcome))
    }

    #[test]
    fn the_page_needs_no_other_file() {
        let html = rendered(&sample::outcome());
        for reference in ["src=", "href=", "@import", "url("] {
            assert!(!html.contains(reference), "{reference}");
        }
        // The address of the server is text; nothing else may name one.
        assert_eq!(
            html.matches("http").count(),
            html.matches("http://localhost:7880").count()
        );
    }

    #[test]
    fn every_figure_over_time_has_a_plot() {
        let html = rendered(&sample::outcome());
        for title in [
            "Packets",
            "Throughput",
            "Loss",
            "Forwarding latency",
            "Server CPU",
            "Server memory",
            "Joins",
            "Freezes and layer switches",
            "Load benchmark CPU",
        ] {
            assert!(
                html.contains(&format!("<figcaption><b>{title}</b>")),
                "{title}"
            );
        }
        assert_eq!(html.matches("<svg").count(), html.matches("</svg>").count());
        assert_eq!(html.matches("<svg").count(), 9);
        assert!(!html.contains("NaN") && !html.contains("inf "));
    }

    #[test]
    fn texts_are_escaped() {
        let mut outcome = sample::outcome();
        outcome.scenario.url = "http://localhost:7880/<script>\"&".to_owned();
        let html = rendered(&outcome);
        assert!(html.contains("/&lt;script&gt;&quot;&amp;"));
        assert_eq!(html.matches("<script>").count(), 1);
    }

    #[test]
    fn a_bottleneck_stands_at_the_top() {
        let mut outcome = sample::outcome();
        assert!(!rendered(&outcome).contains("class=\"warning\""));
        outcome.client.bottleneck = Some("busy".to_owned());
        let html = rendered(&outcome);
        let warning = html.find("class=\"warning\"").unwrap();
        assert!(warning < html.find("class=\"tiles\"").unwrap());
    }

    #[test]
    fn a_run_without_a_single_packet_renders() {
        let mut outcome = sample::outcome();
        outcome.snapshots.clear();
        outcome.joins.clear();
        outcome.server = None;
        outcome.latency.clear();
        outcome.totals = crate::measure::Counters::default();
        let html = rendered(&outcome);
        assert!(!html.contains("NaN") && html.contains("</html>"));
    }
}

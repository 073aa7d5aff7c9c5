//! The page: for each case its figures and its curves. It needs no other file.

use std::fmt::Write;

use super::calls::CallRun;
use super::figures::Figures;
use super::plot::{Line, plot, plot_in_steps};
use super::run::{Run, Sample};

const STYLE: &str = include_str!("page.css");
/// Samples that a drawn rate is the mean of: a second.
const SMOOTH: usize = 5;

/// The whole page. `command` tells how to make it again.
pub fn page(runs: &[Run], calls: &[CallRun], command: &str) -> String {
    let mut rows = String::new();
    let mut sections = String::new();
    for run in runs {
        let figures = Figures::of(run);
        // Writing into a string does not fail.
        let _ = write!(rows, "{}", row(run, &figures));
        let _ = write!(
            sections,
            "<section><h2>{} {}</h2>{}</section>",
            run.case.section,
            run.case.title,
            curves(run)
        );
    }
    let mut call_rows = String::new();
    for call in calls {
        let _ = write!(call_rows, "{}", call_row(call));
        let _ = write!(
            sections,
            "<section><h2>Call: {}</h2>{}{}</section>",
            call.run.case.title,
            curves(&call.run),
            layers(call)
        );
    }
    let table = if runs.is_empty() {
        String::new()
    } else {
        cases_table(&rows)
    };
    let call_table = if calls.is_empty() {
        String::new()
    } else {
        calls_table(&call_rows)
    };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Bandwidth estimation on the links of RFC 8867</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>Bandwidth estimation on the links of RFC 8867</h1>\n\
         <p>Made by <code>{command}</code>.</p>\n{table}{call_table}{sections}</body>\n</html>\n"
    )
}

fn cases_table(rows: &str) -> String {
    format!(
        "<p>Each flow is fed by a source that follows its estimate, in 30 frames a second. Steady \
         is what comes from ten seconds after a change to the next.</p>\n\
         <table><thead><tr><th>case</th><th>used, steady</th><th>least stretch</th>\
         <th>used, whole</th><th>of it media</th><th>queue p95, steady</th>\
         <th>queue p95, whole</th><th>loss</th><th>probes</th><th>fairness</th></tr></thead>\
         <tbody>{rows}</tbody></table>\n"
    )
}

fn calls_table(rows: &str) -> String {
    format!(
        "<p>Calls go through the engine: simulcast of 150, 400 and 1,000 kbit/s and sound, to a \
         subscriber behind the link. Estimates are means of the last five seconds before each \
         change.</p>\n\
         <table><thead><tr><th>call</th><th>estimate of capacity, kbit/s</th><th>switches</th>\
         <th>longest freeze</th><th>queue p95, steady</th><th>queue p95, whole</th><th>loss</th>\
         <th>probes</th></tr></thead><tbody>{rows}</tbody></table>\n"
    )
}

fn call_row(call: &CallRun) -> String {
    let figures = Figures::of(&call.run);
    format!(
        "<tr><th>{}</th><td class=\"text\">{}</td><td>{}</td><td>{:.0} ms</td><td>{:.0} ms</td><td>{:.0} ms</td>\
         <td>{:.1} %</td><td>{:.1} %</td></tr>",
        call.run.case.title,
        call.estimates(),
        call.switches(),
        call.longest_freeze.as_secs_f64() * 1_000.0,
        figures.queue_p95_ms,
        figures.queue_whole_p95_ms,
        figures.loss * 100.0,
        figures.probes * 100.0,
    )
}

/// Which layer is shown over time.
fn layers(call: &CallRun) -> String {
    let line = Line {
        name: "layer".to_owned(),
        class: "c2".to_owned(),
        stepped: true,
        points: call
            .layers
            .iter()
            .map(|(at, layer)| (*at, layer.map_or(0.0, |layer| f64::from(layer) + 1.0)))
            .collect(),
    };
    let seconds = call.run.case.seconds as f64;
    plot_in_steps("Layer", "0 is paused, 3 the best", seconds, &[line], 1.0)
}

fn row(run: &Run, figures: &Figures) -> String {
    let percent = |value: f64| format!("<td>{:.1} %</td>", value * 100.0);
    format!(
        "<tr><th>{} {}</th>{}{}{}{}<td>{:.0} ms</td><td>{:.0} ms</td>{}{}<td>{:.3}</td></tr>",
        run.case.section,
        run.case.title,
        percent(figures.steady),
        percent(figures.steady_least),
        percent(figures.whole),
        percent(figures.media_share),
        figures.queue_p95_ms,
        figures.queue_whole_p95_ms,
        percent(figures.loss),
        percent(figures.probes),
        figures.fairness,
    )
}

fn curves(run: &Run) -> String {
    let seconds = run.case.seconds as f64;
    let flows = run.case.media.len();
    let both = !run.case.backward.is_empty();
    let mut rates = vec![stepped(run, "capacity", "capacity", |sample| {
        sample.capacity_kbps[0]
    })];
    let mut targets = vec![stepped(run, "capacity", "capacity", |sample| {
        sample.capacity_kbps[0]
    })];
    if both {
        let back = |sample: &Sample| sample.capacity_kbps[1];
        rates.push(stepped(run, "capacity back", "back", back));
        targets.push(stepped(run, "capacity back", "back", back));
    }
    for flow in 0..flows {
        let name = format!("flow {}", flow + 1);
        rates.push(line(run, &name, flow, |sample| sample.rate_kbps[flow]));
        targets.push(line(run, &name, flow, |sample| sample.target_kbps[flow]));
    }
    if !run.case.tcp.is_empty() {
        rates.push(Line {
            class: "tcp".to_owned(),
            ..line(run, "TCP", 0, |sample| sample.tcp_kbps)
        });
    }
    let mut queues = vec![raw(run, "forward", "c0", |sample| sample.queue_ms[0])];
    if both {
        queues.push(raw(run, "back", "c1", |sample| sample.queue_ms[1]));
    }
    let losses: Vec<Line> = (0..flows)
        .map(|flow| {
            line(run, &format!("flow {}", flow + 1), flow, |sample| {
                sample.loss[flow] * 100.0
            })
        })
        .collect();
    [
        plot("Rate", "kbit/s, mean of a second", seconds, &rates),
        plot("Target", "kbit/s, the estimate", seconds, &targets),
        plot("Queue", "ms, longest of 200 ms", seconds, &queues),
        plot("Loss", "%, mean of a second", seconds, &losses),
    ]
    .concat()
}

fn raw(run: &Run, name: &str, class: &str, value: impl Fn(&Sample) -> f64) -> Line {
    Line {
        name: name.to_owned(),
        class: class.to_owned(),
        stepped: false,
        points: run
            .samples
            .iter()
            .map(|sample| (sample.at_s, value(sample)))
            .collect(),
    }
}

fn stepped(run: &Run, name: &str, class: &str, value: impl Fn(&Sample) -> f64) -> Line {
    Line {
        stepped: true,
        ..raw(run, name, class, value)
    }
}

/// Smoothed over [`SMOOTH`] samples.
fn line(run: &Run, name: &str, flow: usize, value: impl Fn(&Sample) -> f64) -> Line {
    let points = run.samples.chunks(SMOOTH).map(|chunk| {
        let mean = chunk.iter().map(&value).sum::<f64>() / chunk.len() as f64;
        (chunk[chunk.len() - 1].at_s, mean)
    });
    Line {
        name: name.to_owned(),
        class: format!("c{flow}"),
        stepped: false,
        points: points.collect(),
    }
}

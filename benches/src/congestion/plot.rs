//! One plot as inline SVG: axes with round numbers, lines over the seconds of a run, a legend.

use std::fmt::Write;

/// The SVG's own units; the page scales it to the width of its column.
const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 26.0;
const Y_TICKS: usize = 4;

/// A line. Points without a finite value are left out.
pub(super) struct Line {
    pub(super) name: String,
    /// Its class in the page's style.
    pub(super) class: String,
    /// Goes from value to value in steps.
    pub(super) stepped: bool,
    pub(super) points: Vec<(f64, f64)>,
}

/// The plot of `lines`, `seconds` long, with its heading and legend, as HTML.
pub(super) fn plot(title: &str, unit: &str, seconds: f64, lines: &[Line]) -> String {
    plot_in_steps(title, unit, seconds, lines, 0.0)
}

/// The same; the axis of values has steps of at least `step_min`.
pub(super) fn plot_in_steps(
    title: &str,
    unit: &str,
    seconds: f64,
    lines: &[Line],
    step_min: f64,
) -> String {
    let finite = lines.iter().flat_map(|line| &line.points);
    let highest = finite
        .map(|(_, value)| *value)
        .filter(|value| value.is_finite())
        .fold(0.0, f64::max);
    // An axis of a line at zero still has a scale.
    let highest = if highest > 0.0 { highest } else { 1.0 };
    let step = nice_step((highest / Y_TICKS as f64).max(step_min));
    let top = (highest / step).ceil().max(1.0) * step;
    let x = |at: f64| LEFT + at / seconds * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title} in {unit}\">"
    );
    // Writing into a string does not fail.
    let mut value = 0.0;
    while value <= top * 1.001 {
        let at = y(value);
        let _ = write!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{}\"/>\
             <text class=\"y\" x=\"{}\" y=\"{:.1}\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            at + 4.0,
            rounded(value)
        );
        value += step;
    }
    let every = nice_step(seconds / 10.0);
    let mut at = 0.0;
    while at <= seconds {
        let _ = write!(
            svg,
            "<text class=\"x\" x=\"{:.1}\" y=\"{}\">{} s</text>",
            x(at),
            HEIGHT - 8.0,
            rounded(at)
        );
        at += every;
    }
    for line in lines {
        let _ = write!(
            svg,
            "<path class=\"line {}\" d=\"{}\"/>",
            line.class,
            path(line, x, y)
        );
    }
    svg.push_str("</svg>");
    let legend: String = lines
        .iter()
        .map(|line| {
            format!(
                "<i class=\"key {}\"></i><span>{}</span>",
                line.class, line.name
            )
        })
        .collect();
    format!(
        "<figure><figcaption><b>{title}</b> <span>{unit}</span><span class=\"legend\">{legend}\
         </span></figcaption>{svg}</figure>"
    )
}

fn path(line: &Line, x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) -> String {
    let mut path = String::new();
    let mut pen = 'M';
    for (at, value) in &line.points {
        if !value.is_finite() {
            pen = 'M';
            continue;
        }
        let (at, value) = (x(*at), y(*value));
        if line.stepped && pen == 'L' {
            let _ = write!(path, "H{at:.1}");
        }
        let _ = write!(path, "{pen}{at:.1} {value:.1}");
        pen = 'L';
    }
    path
}

/// 1, 2 or 5 times a power of ten, at least `least`.
fn nice_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.max(1e-6).log10().floor());
    let nice = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|nice| nice * power >= least);
    nice.unwrap_or(10.0) * power
}

fn rounded(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_large_enough() {
        assert_eq!(
            [0.3, 1.0, 12.0, 260.0].map(|least| rounded(nice_step(least))),
            ["0.5", "1", "20", "500"]
        );
    }

    #[test]
    fn a_gap_lifts_the_pen() {
        let line = Line {
            name: "rate".to_owned(),
            class: "c0".to_owned(),
            stepped: false,
            points: vec![(0.0, 1.0), (1.0, f64::INFINITY), (2.0, 2.0)],
        };
        let html = plot("Rate", "kbit/s", 2.0, &[line]);
        let drawn = html
            .split("line c0\" d=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        assert_eq!(drawn.map(|path| path.matches('M').count()), Some(2));
        assert!(!html.contains("inf") && !html.contains("NaN"));
    }
}

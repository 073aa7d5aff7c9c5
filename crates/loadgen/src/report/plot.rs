//! One plot as inline SVG: axes with round numbers, lines or stacked areas, a legend.

mod scale;

use super::format::decimal;
use scale::{Scale, nice_ceiling, ticks};
use serde_json::json;
use std::fmt::Write;

/// The SVG's own units; the page scales it to the width of its column.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 240.0;
/// Room for the numbers of the y axis.
const LEFT: f64 = 62.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 12.0;
/// Room for the numbers of the x axis.
const BOTTOM: f64 = 28.0;
/// Steps of the y axis at most; more than five are hard to tell apart.
const Y_TICKS: usize = 4;
const X_TICKS: usize = 8;

/// Values over the seconds of a run. A value that is no number is a gap.
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) points: Vec<(f64, f64)>,
}

/// How lines are drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Each by itself.
    Lines,
    /// Areas that stand upon each other; all have their points at the same times.
    Stacked,
}

/// A plot.
pub(super) struct Chart {
    pub(super) title: &'static str,
    pub(super) unit: &'static str,
    pub(super) lines: Vec<Line>,
    pub(super) shape: Shape,
    /// What comes before is shaded: clients were joining.
    pub(super) counted_from_s: f64,
}

impl Chart {
    /// The plot with its heading and legend, as HTML.
    pub(super) fn html(&self) -> String {
        let mut html = String::new();
        // Writing into a string does not fail.
        let _ = write!(
            html,
            "<figure><figcaption><b>{}</b> <span>{}</span>{}</figcaption>{}</figure>",
            self.title,
            self.unit,
            self.legend(),
            self.svg()
        );
        html
    }

    fn legend(&self) -> String {
        let entry = |(n, line): (usize, &Line)| {
            format!("<i class=\"key c{n}\"></i><span>{}</span>", line.name)
        };
        let entries: String = self.lines.iter().enumerate().map(entry).collect();
        format!("<span class=\"legend\">{entries}</span>")
    }

    fn svg(&self) -> String {
        let stacked = self.stacked();
        let lines = stacked.as_deref().unwrap_or(&self.lines);
        let points = || lines.iter().flat_map(|line| &line.points);
        let last_s = points().map(|point| point.0).fold(1.0, f64::max);
        let highest = points().map(|point| point.1).fold(0.0, f64::max);
        let x = Scale::new(0.0..last_s, LEFT..WIDTH - RIGHT);
        let y = Scale::new(0.0..nice_ceiling(highest, Y_TICKS), HEIGHT - BOTTOM..TOP);
        let mut svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
             aria-label=\"{} in {} over time\" data-values=\"{}\">",
            self.title,
            self.unit,
            self.values(last_s).replace('"', "&quot;")
        );
        self.joining(&mut svg, &x);
        y_axis(&mut svg, &y);
        x_axis(&mut svg, &x);
        match self.shape {
            // The first line last: it is the one that matters most, where they meet.
            Shape::Lines => draw(&mut svg, "line", lines, |line| path(line, &x, &y)),
            // The highest first, so that the lower ones cover their part of it.
            Shape::Stacked => draw(&mut svg, "area", lines, |line| area(line, &x, &y)),
        }
        svg.push_str("</svg>");
        svg
    }

    /// The numbers behind the lines, and where they are, for the page's script.
    fn values(&self, last_s: f64) -> String {
        let times = self.lines.first().map_or(&[][..], |line| &line.points);
        let times: Vec<f64> = times.iter().map(|point| shortened(point.0)).collect();
        let lines = self.lines.iter().map(|line| {
            let values = line.points.iter().map(|point| shortened(point.1));
            json!([line.name, values.collect::<Vec<f64>>()])
        });
        json!({
            "width": WIDTH,
            "left": LEFT,
            "right": WIDTH - RIGHT,
            "top": TOP,
            "bottom": HEIGHT - BOTTOM,
            "seconds": last_s,
            "times": times,
            "lines": lines.collect::<Vec<_>>(),
        })
        .to_string()
    }

    /// Every line raised by those before it.
    fn stacked(&self) -> Option<Vec<Line>> {
        if self.shape != Shape::Stacked {
            return None;
        }
        let longest = self.lines.iter().map(|line| line.points.len()).max()?;
        let mut below = vec![0.0; longest];
        let lines = self.lines.iter().map(|line| {
            let raised = line
                .points
                .iter()
                .zip(&mut below)
                .map(|(&(at, value), below)| {
                    *below += value;
                    (at, *below)
                });
            Line {
                name: line.name,
                points: raised.collect(),
            }
        });
        Some(lines.collect())
    }

    fn joining(&self, svg: &mut String, x: &Scale) {
        let until = x.at(self.counted_from_s).min(WIDTH - RIGHT);
        let width = until - LEFT;
        if width <= 0.0 {
            return;
        }
        let height = HEIGHT - TOP - BOTTOM;
        let _ = write!(
            svg,
            "<rect class=\"joining\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{width:.1}\" \
             height=\"{height}\"><title>clients were joining</title></rect>"
        );
    }
}

/// Draws the lines from the last to the first.
fn draw(svg: &mut String, class: &str, lines: &[Line], path: impl Fn(&Line) -> String) {
    for (n, line) in lines.iter().enumerate().rev() {
        let _ = write!(svg, "<path class=\"{class} c{n}\" d=\"{}\"/>", path(line));
    }
}

fn y_axis(svg: &mut String, y: &Scale) {
    let ticks = ticks(y.to_value(), Y_TICKS);
    let digits = ticks.digits;
    for value in ticks.values {
        let (at, right) = (y.at(value), WIDTH - RIGHT);
        let _ = write!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{right}\"/>\
             <text class=\"y\" x=\"{}\" y=\"{:.1}\">{}</text>",
            LEFT - 8.0,
            at + 4.0,
            decimal(value, digits)
        );
    }
}

fn x_axis(svg: &mut String, x: &Scale) {
    let ticks = ticks(x.to_value(), X_TICKS);
    for value in ticks.values {
        let _ = write!(
            svg,
            "<text class=\"x\" x=\"{:.1}\" y=\"{:.1}\">{} s</text>",
            x.at(value),
            HEIGHT - BOTTOM + 18.0,
            decimal(value, ticks.digits)
        );
    }
}

/// To a thousandth: more cannot be read from a plot and makes the page large.
fn shortened(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

/// The line from point to point, lifted over gaps.
fn path(line: &Line, x: &Scale, y: &Scale) -> String {
    let mut path = String::new();
    let mut pen = 'M';
    for &(at, value) in &line.points {
        if value.is_finite() {
            let _ = write!(path, "{pen}{:.1} {:.1}", x.at(at), y.at(value));
            pen = 'L';
        } else {
            pen = 'M';
        }
    }
    path
}

/// The line and all that is below it.
fn area(line: &Line, x: &Scale, y: &Scale) -> String {
    match (line.points.first(), line.points.last()) {
        (Some(first), Some(last)) => {
            let floor = y.at(0.0);
            let line = path(line, x, y);
            format!(
                "{line}L{:.1} {floor:.1}L{:.1} {floor:.1}Z",
                x.at(last.0),
                x.at(first.0)
            )
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(shape: Shape, values: [&[f64]; 2]) -> Chart {
        let line = |name, values: &[f64]| {
            let points = values
                .iter()
                .enumerate()
                .map(|(at, &value)| (at as f64, value));
            Line {
                name,
                points: points.collect(),
            }
        };
        let lines = vec![line("one", values[0]), line("two", values[1])];
        Chart {
            title: "Title",
            unit: "unit",
            lines,
            shape,
            counted_from_s: 0.0,
        }
    }

    #[test]
    fn a_gap_lifts_the_pen() {
        let svg = chart(Shape::Lines, [&[1.0, f64::NAN, 2.0, 3.0], &[]]).svg();
        let line = svg.split("line c0\" d=\"").nth(1).unwrap();
        let line = line.split('"').next().unwrap();
        assert_eq!(
            (line.matches('M').count(), line.matches('L').count()),
            (2, 1),
            "{line}"
        );
        assert!(!svg.contains("NaN"));
    }

    #[test]
    fn stacked_lines_stand_upon_each_other() {
        let chart = chart(Shape::Stacked, [&[1.0, 2.0], &[3.0, 4.0]]);
        let stacked = chart.stacked().unwrap();
        assert_eq!(stacked[0].points, [(0.0, 1.0), (1.0, 2.0)]);
        assert_eq!(stacked[1].points, [(0.0, 4.0), (1.0, 6.0)]);
        let svg = chart.svg();
        assert!(svg.find("area c1").unwrap() < svg.find("area c0").unwrap());
    }

    #[test]
    fn an_empty_plot_still_has_axes() {
        let html = chart(Shape::Stacked, [&[], &[]]).html();
        assert!(
            html.contains("class=\"grid\"") && !html.contains("NaN"),
            "{html}"
        );
    }

    #[test]
    fn the_time_of_joining_is_shaded() {
        let mut chart = chart(Shape::Lines, [&[1.0, 1.0, 1.0], &[]]);
        assert!(!chart.svg().contains("joining"));
        chart.counted_from_s = 1.0;
        assert!(chart.svg().contains("<rect class=\"joining\""));
    }
}

//! From values to places, and round numbers to label an axis with.

use std::ops::Range;

/// Maps values linearly to places.
pub(super) struct Scale {
    values: Range<f64>,
    places: Range<f64>,
}

impl Scale {
    /// `values.start` goes to `places.start`, the ends to each other.
    pub(super) fn new(values: Range<f64>, places: Range<f64>) -> Self {
        Self { values, places }
    }

    /// Where `value` goes.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = (value - self.values.start) / (self.values.end - self.values.start);
        self.places.start + share * (self.places.end - self.places.start)
    }

    /// The largest value.
    pub(super) fn to_value(&self) -> f64 {
        self.values.end
    }
}

/// Labels of an axis from zero on.
#[derive(Debug, PartialEq)]
pub(super) struct Ticks {
    pub(super) values: Vec<f64>,
    /// Decimals that tell them apart.
    pub(super) digits: usize,
}

/// At most `count` steps of 1, 2 or 5 times a power of ten, from zero to `end`.
pub(super) fn ticks(end: f64, count: usize) -> Ticks {
    let step = step(end, count);
    // A hair of tolerance: 3 × 0.1 is a little more than 0.3.
    let steps = (end / step * (1.0 + 1e-9)).floor() as usize;
    let digits = (-step.log10().floor()).max(0.0) as usize;
    Ticks {
        values: (0..=steps).map(|n| n as f64 * step).collect(),
        digits,
    }
}

/// The smallest whole number of steps that holds `highest`; 1 if there is nothing to hold.
pub(super) fn nice_ceiling(highest: f64, count: usize) -> f64 {
    if highest <= 0.0 {
        return 1.0;
    }
    let step = step(highest, count);
    (highest / step * (1.0 - 1e-9)).ceil() * step
}

fn step(end: f64, count: usize) -> f64 {
    let rough = end / count as f64;
    let magnitude = 10_f64.powf(rough.log10().floor());
    let nice = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * magnitude);
    nice.into_iter()
        .find(|&step| step >= rough * (1.0 - 1e-9))
        .unwrap_or(rough)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        for (end, count, values, digits) in [
            (100.0, 4, vec![0.0, 50.0, 100.0], 0),
            (
                70.0,
                8,
                vec![0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0],
                0,
            ),
            (1.0, 4, vec![0.0, 0.5, 1.0], 1),
        ] {
            assert_eq!(ticks(end, count), Ticks { values, digits });
        }
        assert_eq!(ticks(0.08, 4).digits, 2);
    }

    #[test]
    fn the_ceiling_holds_the_highest() {
        for highest in [0.003, 0.97, 1.0, 59_731.0, 1e9] {
            let ceiling = nice_ceiling(highest, 4);
            assert!(
                (highest..=highest * 2.0).contains(&ceiling),
                "{highest}: {ceiling}"
            );
        }
        assert!((nice_ceiling(0.0, 4) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn places_are_in_proportion() {
        let scale = Scale::new(0.0..10.0, 100.0..0.0);
        assert_eq!(
            [0.0, 5.0, 10.0].map(|value| scale.at(value)),
            [100.0, 50.0, 0.0]
        );
    }
}

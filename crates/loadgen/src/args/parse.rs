//! Values with units. What cannot be read says how it would be.

use std::time::Duration;

/// Parses `250ms`, `30s`, `2m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split_unit(text);
    let number: u64 = number
        .parse()
        .map_err(|_| format!("'{text}' does not start with a whole number, write 30s"))?;
    match unit {
        "us" | "µs" => Ok(Duration::from_micros(number)),
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        _ => Err(format!("'{text}' needs a unit: us, ms, s or m")),
    }
}

/// Parses `50/s` or `50`.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    let rate: f64 = number
        .parse()
        .map_err(|_| format!("'{text}' is no rate, write 50/s"))?;
    if rate.is_finite() && rate > 0.0 {
        Ok(rate)
    } else {
        Err(format!("'{text}' has to be above 0/s"))
    }
}

/// Parses `800000`, `800k`, `2.5M`.
pub(super) fn bitrate(text: &str) -> Result<u64, String> {
    let (number, unit) = split_unit(text);
    let number: f64 = number
        .parse()
        .map_err(|_| format!("'{text}' is no bitrate, write 1500k or 1.5M"))?;
    let scale = match unit {
        "" => 1.0,
        "k" => 1e3,
        "M" => 1e6,
        _ => return Err(format!("'{text}' has an unknown unit: use k or M")),
    };
    let bits = number * scale;
    if (10e3..=100e6).contains(&bits) {
        Ok(bits as u64)
    } else {
        Err(format!("'{text}' is outside 10k to 100M"))
    }
}

/// Parses a number above zero.
pub(super) fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err(format!("'{text}' has to be a whole number above 0")),
        Ok(number) => Ok(number),
    }
}

fn split_unit(text: &str) -> (&str, &str) {
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    text.split_at(split)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert!(duration("10").is_err());
        assert!(duration("s").is_err());
    }

    #[test]
    fn rates_are_per_second() {
        assert_eq!(rate("50/s"), Ok(50.0));
        assert_eq!(rate("0.5"), Ok(0.5));
        for wrong in ["0/s", "-1", "50/m", "inf", "fast"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn bitrates_have_a_range() {
        assert_eq!(bitrate("1320k"), Ok(1_320_000));
        assert_eq!(bitrate("2.5M"), Ok(2_500_000));
        for wrong in ["1k", "1G", "1.5.2M", ""] {
            assert!(bitrate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn zero_is_refused_where_it_means_nothing() {
        assert_eq!(positive("3"), Ok(3));
        assert!(positive("0").is_err());
    }
}

//! Numbers with units: `30s`, `2MiB`. A number without a unit is refused, because the reader
//! of a configuration should not have to guess.

use std::time::Duration;

/// Units of time and their nanoseconds, longest first.
const TIME: &[(&str, u64)] = &[
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
];

/// Units of memory and their bytes, largest first.
const SIZE: &[(&str, u64)] = &[
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
    ("B", 1),
];

/// Reads a length of time such as `500ms`, `1.5s` or `1h30m`.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut nanoseconds: u64 = 0;
    loop {
        let part = &rest[..first_part(rest)];
        nanoseconds = nanoseconds.checked_add(parse_quantity(part, TIME)?)?;
        rest = rest[part.len()..].trim_start();
        if rest.is_empty() {
            return Some(Duration::from_nanos(nanoseconds));
        }
    }
}

/// Length of the first number with its unit.
fn first_part(text: &str) -> usize {
    let mut in_unit = false;
    for (index, character) in text.char_indices() {
        let is_number = character.is_ascii_digit() || character == '.';
        if in_unit && is_number {
            return index;
        }
        in_unit |= character.is_alphabetic();
    }
    text.len()
}

/// Writes a duration in the largest unit that needs no fraction.
pub(crate) fn format_duration(duration: Duration) -> String {
    let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    format_quantity(nanoseconds, TIME, "s")
}

/// Reads a number of bytes such as `64KiB`.
pub(crate) fn parse_size(text: &str) -> Option<u64> {
    parse_quantity(text, SIZE)
}

/// Writes a number of bytes in the largest unit that needs no fraction.
pub(crate) fn format_size(bytes: u64) -> String {
    format_quantity(bytes, SIZE, "B")
}

fn parse_quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let split = text.find(|character: char| character.is_alphabetic())?;
    let (number, unit) = (text[..split].trim(), &text[split..]);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(*factor);
    }
    let decimal = number.chars().all(|c| c.is_ascii_digit() || c == '.');
    let value = number.parse::<f64>().ok().filter(|_| decimal)? * *factor as f64;
    (value < u64::MAX as f64).then_some(value.round() as u64)
}

fn format_quantity(value: u64, units: &[(&str, u64)], zero: &str) -> String {
    if value == 0 {
        return format!("0{zero}");
    }
    units
        .iter()
        .find(|(_, factor)| value.is_multiple_of(*factor))
        .map_or_else(
            || value.to_string(),
            |(unit, factor)| format!("{}{unit}", value / factor),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_carry_units() {
        for (text, milliseconds) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("1.5s", 1_500),
            ("1h30m", 5_400_000),
            ("1h 30m", 5_400_000),
            (" 2 d ", 172_800_000),
            ("0s", 0),
        ] {
            let expected = Some(Duration::from_millis(milliseconds));
            assert_eq!(parse_duration(text), expected, "{text}");
        }
        for text in [
            "",
            "30",
            "s",
            "-1s",
            "30 parsecs",
            "1e3s",
            "30s30",
            "infs",
            "99999999999d",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_carry_units() {
        assert_eq!(parse_size("64KiB"), Some(65_536));
        assert_eq!(parse_size("1.5MB"), Some(1_500_000));
        assert_eq!(parse_size("12B"), Some(12));
        for text in ["64", "64K", "64kib", "99999999999GiB"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        for text in ["30s", "500ms", "6h", "90s", "0s", "250us"] {
            let duration = parse_duration(text).unwrap();
            assert_eq!(format_duration(duration), text);
        }
        for text in ["64KiB", "4MiB", "1234B", "0B", "3GB"] {
            assert_eq!(format_size(parse_size(text).unwrap()), text);
        }
    }
}

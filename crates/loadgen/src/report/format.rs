//! Numbers for people.

/// What stands where nothing was measured.
pub(super) const NOTHING: &str = "–";

/// `1234567.8` as `1,234,568`.
pub(super) fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 && digits != "0" {
        format!("-{text}")
    } else {
        text
    }
}

/// `value` with `digits` decimals, thousands grouped.
pub(super) fn decimal(value: f64, digits: usize) -> String {
    if digits == 0 {
        return grouped(value);
    }
    let fixed = format!("{value:.digits$}");
    match fixed.split_once('.') {
        Some((whole, part)) if value.abs() >= 1_000.0 => {
            format!("{}.{part}", grouped(whole.parse().unwrap_or(value)))
        }
        _ => fixed,
    }
}

/// `value` with `digits` decimals, or a dash.
pub(super) fn measured(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| decimal(value, digits))
}

/// Bytes with a binary unit.
pub(super) fn bytes(value: f64) -> String {
    const UNITS: [&str; 4] = ["B", "KiB", "MiB", "GiB"];
    let mut scaled = value;
    let mut unit = 0;
    while scaled >= 1_024.0 && unit + 1 < UNITS.len() {
        scaled /= 1_024.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0);
    format!("{} {}", decimal(scaled, digits), UNITS[unit])
}

/// Bytes with a binary unit, or a dash.
pub(super) fn measured_bytes(value: Option<f64>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        let texts = [0.0, 999.4, 1_000.0, 1_234_567.8, -4_200.0].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,568", "-4,200"]);
        assert_eq!(decimal(1_234.56, 1), "1,234.6");
        assert_eq!(decimal(0.125, 2), "0.12");
    }

    #[test]
    fn bytes_have_the_unit_that_fits() {
        let texts = [12.0, 65_536.0, 1.5 * 1_048_576.0].map(bytes);
        assert_eq!(texts, ["12 B", "64.0 KiB", "1.5 MiB"]);
        assert_eq!(measured_bytes(None), NOTHING);
    }
}

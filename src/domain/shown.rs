//! Prices as text: enough digits for a coin at 0.000024.

/// A price with two digits after the point; below 1 with four significant ones.
pub fn price(value: f64) -> String {
    if value.abs() >= 1.0 || value == 0.0 { format!("{value:.2}") } else { significant(value, 4) }
}

/// A number below 1 with so many significant digits, without zeros at the end; `n/a` if it is not finite.
pub fn significant(value: f64, digits: i32) -> String {
    if !value.is_finite() {
        return "n/a".into();
    }
    if value == 0.0 {
        return "0".into();
    }
    #[expect(clippy::cast_possible_truncation, reason = "exponents of f64 are small")]
    let magnitude = value.abs().log10().floor() as i32;
    let decimals = usize::try_from(digits - 1 - magnitude).unwrap_or(0);
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_prices_keep_significant_digits() {
        for (value, shown) in [
            (104.026, "104.03"),
            (1.0, "1.00"),
            (0.5, "0.5"),
            (0.012_345_6, "0.01235"),
            (2.478_76e-5, "0.00002479"),
            (1.234_56e-12, "0.000000000001235"),
            (0.0, "0.00"),
            (-0.004, "-0.004"),
        ] {
            assert_eq!(price(value), shown);
        }
        assert_eq!(significant(f64::NAN, 4), "n/a");
        assert_eq!(significant(0.999_999_9, 4), "1");
    }
}

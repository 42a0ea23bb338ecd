//! Numbers with a point in what clients and models write.

/// The number that a text is: `1.5`, `+2`, `.5`, `1.`, `-1e3`. One too large for it is infinite.
///
/// Read by `serde_json`, which is there anyway: the standard library's own reader brings tables of 10 KB, which a page has to load.
pub fn decimal(text: &str) -> Option<f64> {
    let (sign, number) = match text.strip_prefix('-') {
        Some(number) => (-1.0, number),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let (number, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if number.len() < 2 && whole.is_empty()
        || digits.is_empty()
        || ![whole, fraction, digits].into_iter().all(are_digits)
    {
        return None;
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let json = format!("{whole}.{fraction}0e{exponent}");
    Some(sign * super::from_json(&json).unwrap_or(f64::INFINITY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_the_standard_library_reads_them() {
        for text in [
            "0",
            "7",
            "1.5",
            "+2",
            ".5",
            "1.",
            "-1e3",
            "00012.50",
            "1E-7",
            "1700000000.123",
            "-0",
            "1e+2",
            "1e999",
            "",
            ".",
            "-",
            "+",
            "e5",
            "1e",
            "1e+",
            "1.2.3",
            "1,5",
            "--1",
            "1 ",
            "0x10",
            "٣",
            "1e5.0",
        ] {
            assert_eq!(decimal(text), text.parse().ok(), "{text:?}");
        }
    }
}

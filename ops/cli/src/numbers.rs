//! Numbers on the command line, with errors that show the accepted forms.

/// A whole number from 1 on, for clap.
///
/// # Errors
/// The accepted forms.
pub fn count(text: &str) -> Result<u32, String> {
    let number = text.parse::<u32>().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("a whole number from 1 to {}, like 100", u32::MAX))
}

/// A share of a hundred, with or without its sign, for clap.
///
/// # Errors
/// The accepted forms.
pub fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim_end().parse::<f64>().ok();
    let share = number.filter(|number| (0.0..=100.0).contains(number));
    share.ok_or_else(|| "a percentage from 0 to 100, like 10, 2.5 or 10%".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_a_whole_number_from_1_on() {
        assert_eq!((count("1"), count("100")), (Ok(1), Ok(100)));
        for wrong in ["0", "-1", "1.5", "", "ten", "4294967296"] {
            assert!(count(wrong).expect_err(wrong).contains("like 100"));
        }
    }

    #[test]
    fn a_percentage_may_have_its_sign() {
        assert_eq!((percent("0"), percent("2.5%"), percent("100 %")), (Ok(0.0), Ok(2.5), Ok(100.0)));
        for wrong in ["-1", "101", "%", "", "ten", "NaN", "inf"] {
            assert!(percent(wrong).expect_err(wrong).contains("10%"), "{wrong}");
        }
    }
}

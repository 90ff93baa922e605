//! Points in time: how operators write them, and how they are shown. Always UTC.

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime, UtcOffset};

/// Reads a moment: RFC 3339, or a duration before `now`.
///
/// # Errors
/// The accepted forms.
pub fn moment(text: &str, now: OffsetDateTime) -> Result<OffsetDateTime, String> {
    let forms = || "a time like 2026-11-22T16:00:00Z, or how long ago, like 15m, 2h or 3d".to_owned();
    if let Ok(at) = OffsetDateTime::parse(text, &Rfc3339) {
        return at.checked_to_offset(UtcOffset::UTC).ok_or_else(forms);
    }
    let ago = sluice_core::config::duration(text).map_err(|_| forms())?;
    Duration::try_from(ago).ok().and_then(|ago| now.checked_sub(ago)).ok_or_else(forms)
}

/// A moment before now, for clap.
///
/// # Errors
/// As [`moment`].
pub fn past_moment(text: &str) -> Result<OffsetDateTime, String> {
    moment(text, OffsetDateTime::now_utc())
}

/// RFC 3339 in UTC, to the second; `unknown` where there is none.
#[must_use]
pub fn shown(at: Option<OffsetDateTime>) -> String {
    let shown = at.and_then(|at| {
        let at = at.checked_to_offset(UtcOffset::UTC)?.replace_nanosecond(0).ok()?;
        at.format(&Rfc3339).ok()
    });
    shown.unwrap_or_else(|| "unknown".to_owned())
}

/// A duration in its two largest units: `3d 4h`, `12s`.
#[must_use]
pub fn span(span: Duration) -> String {
    let seconds = span.whole_seconds().max(0);
    let units = [(86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')];
    let first = units.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(units.len() - 1);
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (unit, name) in &units[first..] {
        if rest / unit > 0 || parts.is_empty() {
            parts.push(format!("{}{name}", rest / unit));
        }
        rest %= unit;
        if parts.len() == 2 {
            break;
        }
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-22 16:00:00 UTC);

    #[test]
    fn a_moment_is_a_time_or_how_long_ago() {
        assert_eq!(moment("2026-11-22T15:00:00Z", NOW), Ok(datetime!(2026-11-22 15:00:00 UTC)));
        assert_eq!(moment("2026-11-22T15:00:00+02:00", NOW), Ok(datetime!(2026-11-22 13:00:00 UTC)));
        assert_eq!(moment("15m", NOW), Ok(datetime!(2026-11-22 15:45:00 UTC)));
        assert_eq!(moment("3d", NOW), Ok(datetime!(2026-11-19 16:00:00 UTC)));
    }

    #[test]
    fn anything_else_is_answered_with_the_forms_that_are_taken() {
        for wrong in ["", "yesterday", "2026-11-22", "15", "-3d", "99999999d", "9999-12-31T23:59:59-12:00"] {
            let error = moment(wrong, NOW).expect_err(wrong);
            assert!(error.contains("2026-11-22T16:00:00Z") && error.contains("15m"), "{error}");
        }
    }

    #[test]
    fn a_moment_is_shown_in_utc_to_the_second() {
        assert_eq!(shown(Some(datetime!(2026-11-22 18:00:00.123 +2))), "2026-11-22T16:00:00Z");
        assert_eq!(shown(None), "unknown");
    }

    #[test]
    fn a_span_is_shown_in_its_two_largest_units() {
        for (seconds, expected) in
            [(0, "0s"), (59, "59s"), (61, "1m 1s"), (3_600, "1h"), (3_601, "1h 1s"), (90_061, "1d 1h"), (-5, "0s")]
        {
            assert_eq!(span(Duration::seconds(seconds)), expected);
        }
    }
}

//! How certain a share is that was counted.

/// The quantile of the normal distribution for an interval that holds the true value 95 times in a hundred.
pub(crate) const Z: f64 = 1.959_963_985;

/// Between which values the share of all lies, from 0 to 1, where `hits` of `of` were counted: Wilson's interval of
/// 95 %. It stays within 0 and 1, also of few; of none it is all of that.
#[must_use]
pub fn wilson(hits: u64, of: u64) -> [f64; 2] {
    if of == 0 {
        return [0.0, 1.0];
    }
    let (n, z2) = (of as f64, Z * Z);
    let share = hits as f64 / n;
    let middle = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z / (1.0 + z2 / n) * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    [(middle - half).max(0.0), (middle + half).min(1.0)]
}

#[cfg(test)]
mod tests {
    use super::wilson;

    #[test]
    fn the_interval_narrows_with_the_rows_and_holds_the_share() {
        for (hits, of, low, high) in [(5, 10, 0.237, 0.763), (50, 100, 0.404, 0.596), (0, 100, 0.0, 0.037)] {
            let [from, to] = wilson(hits, of);
            assert!((from - low).abs() < 0.001 && (to - high).abs() < 0.001, "{hits} of {of}: {from} to {to}");
            assert!((from..=to).contains(&(hits as f64 / of as f64)));
        }
        assert_eq!(wilson(0, 0), [0.0, 1.0]);
    }
}

//! Where an axis begins and ends, where it has its ticks, and what they say.
//!
//! The drawing library has rulers of its own, but its logarithmic one has ticks at whole powers only, and most of our
//! figures do not span two of them.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use super::Scale;

/// How far beyond the outermost values a logarithmic axis goes, as a share of its length.
const MARGIN: f64 = 0.04;
/// How many steps a linear axis has at most.
const STEPS: f64 = 6.0;

/// An axis in the drawing.
pub(super) struct Ruler {
    scale: Scale,
    /// From where to where: values, or the logarithms of values.
    ends: Range<f64>,
    /// The values that have ticks.
    ticks: Vec<f64>,
}

impl Ruler {
    /// A ruler for these values, which the caller has checked: there is one at least, and the scale can show all. It
    /// reaches `others` too, but they get no ticks.
    ///
    /// `most` is how many ticks can be read. Where `own` is set and the values are few and far enough from each other,
    /// each is a tick itself: what was measured with 1, 4 and 16 consumers is not read off at 2 and 5.
    pub(super) fn new(scale: Scale, values: &[f64], others: &[f64], most: i32, own: bool) -> Self {
        let (ends, ticks) = match scale {
            Scale::Linear => linear(&[values, others].concat()),
            Scale::Log => log(values, others, most.max(2), own),
        };
        Self { scale, ends, ticks }
    }
}

impl Ranged for Ruler {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let place = match self.scale {
            Scale::Linear => *value,
            Scale::Log => value.log10(),
        };
        let share = (place - self.ends.start) / (self.ends.end - self.ends.start);
        first + (f64::from(last - first) * share).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> Range<f64> {
        match self.scale {
            Scale::Linear => self.ends.clone(),
            Scale::Log => 10_f64.powf(self.ends.start)..10_f64.powf(self.ends.end),
        }
    }
}

impl ValueFormatter<f64> for Ruler {
    fn format(value: &f64) -> String {
        let (scaled, unit) = match value.abs() {
            size if size >= 999_500.0 => (value / 1e6, "M"),
            size if size >= 999.5 => (value / 1e3, "k"),
            _ => (*value, ""),
        };
        // Three digits tell one tick from the next; adding nothing takes the sign from a zero.
        let whole = scaled.abs().max(1e-9).log10().floor() as i32;
        let text = format!("{:.*}", usize::try_from(2 - whole).unwrap_or(0), scaled + 0.0);
        let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        format!("{text}{unit}")
    }
}

/// Always with zero: heights over an axis without it would tell lies.
fn linear(values: &[f64]) -> (Range<f64>, Vec<f64>) {
    let (low, high) = values.iter().fold((0_f64, 0_f64), |(low, high), value| (low.min(*value), high.max(*value)));
    let high = if low < high { high } else { 1.0 };
    let step = step(high - low);
    let (first, last) = ((low / step).floor(), (high / step).ceil());
    let ticks = (0..=(last - first) as usize).map(|at| (first + at as f64) * step).collect();
    (first * step..last * step, ticks)
}

/// The least of 1, 2, 5 × 10ⁿ that a span has at most so many of.
fn step(span: f64) -> f64 {
    let least = span / STEPS;
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0].into_iter().map(|of| of * power).find(|step| *step >= least).unwrap_or(10.0 * power)
}

fn log(values: &[f64], others: &[f64], most: i32, own: bool) -> (Range<f64>, Vec<f64>) {
    let all = || values.iter().chain(others);
    let first = all().copied().fold(f64::INFINITY, f64::min).log10();
    let last = all().copied().fold(0.0, f64::max).log10();
    // One value alone stands in the middle of a decade.
    let margin = if first < last { (last - first) * MARGIN } else { 0.5 };
    let ends = first - margin..last + margin;

    let mut each = values.to_vec();
    each.sort_by(f64::total_cmp);
    each.dedup();
    let near = (ends.end - ends.start) / f64::from(most);
    // Two ticks at least, or nothing can be read off.
    if own && each.len() >= 2 && each.windows(2).all(|two| (two[1] / two[0]).log10() >= near) {
        return (ends, each);
    }
    let within = |of: &[f64]| -> Vec<f64> {
        let powers = ends.start.floor() as i32..=ends.end.ceil() as i32;
        let all = powers.flat_map(|power| of.iter().map(move |of| of * 10_f64.powi(power)));
        all.filter(|value| ends.contains(&value.log10())).collect()
    };
    let fine = within(&[1.0, 2.0, 5.0]);
    let ticks = if fine.len() <= most as usize { fine } else { within(&[1.0]) };
    let ticks = if ticks.len() >= 2 { ticks } else { vec![each[0], each[each.len() - 1]] };
    (ends, ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(scale: Scale, values: &[f64], own: bool) -> Vec<String> {
        Ruler::new(scale, values, &[], 8, own).ticks.iter().map(Ruler::format).collect()
    }

    #[test]
    fn a_linear_axis_has_zero_and_ends_beyond_the_last_value() {
        assert_eq!(said(Scale::Linear, &[800.0, 9_200.0], false), ["0", "2k", "4k", "6k", "8k", "10k"]);
        assert_eq!(said(Scale::Linear, &[-0.3, 0.9], false), ["-0.4", "-0.2", "0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(said(Scale::Linear, &[0.0], false), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
    }

    #[test]
    fn a_logarithmic_axis_has_ticks_at_1_2_and_5_or_at_powers() {
        assert_eq!(said(Scale::Log, &[1.5, 60.0], false), ["2", "5", "10", "20", "50"]);
        assert_eq!(said(Scale::Log, &[0.02, 900.0], false), ["0.1", "1", "10", "100", "1k"]);
        assert_eq!(said(Scale::Log, &[3.0, 3.5], false), ["3", "3.5"]);
        assert_eq!(said(Scale::Log, &[7.0], false), ["5", "10", "20"]);
    }

    #[test]
    fn few_values_are_the_ticks_themselves() {
        assert_eq!(said(Scale::Log, &[64.0, 1.0, 4.0, 16.0, 4.0], true), ["1", "4", "16", "64"]);
        assert_eq!(said(Scale::Log, &[1.0, 1.1, 64.0], true), ["1", "2", "5", "10", "20", "50"]);
    }

    #[test]
    fn numbers_are_said_briefly() {
        for (value, said) in
            [(0.0, "0"), (-0.0, "0"), (0.05, "0.05"), (2.5, "2.5"), (999.0, "999"), (1e3, "1k"), (12_500.0, "12.5k")]
        {
            assert_eq!(Ruler::format(&value), said);
        }
        assert_eq!(Ruler::format(&2e6), "2M");
    }

    #[test]
    fn equal_ratios_are_equally_far_on_a_logarithmic_axis() {
        let ruler = Ruler::new(Scale::Log, &[1.0, 100.0], &[], 8, false);
        let [one, ten, hundred] = [1.0, 10.0, 100.0].map(|value| ruler.map(&value, (0, 1000)));
        assert_eq!((ten - one, one), (hundred - ten, 1000 - hundred));
    }
}

//! What was measured: for each subject one number a turn, and what follows from them.

use serde::Serialize;

use super::Part;

/// Sluice itself, in all tables.
pub(super) const SLUICE: &str = "Sluice";
/// RabbitMQ without anything of ours.
pub(super) const RABBITMQ: &str = "RabbitMQ alone";

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Unit {
    /// Posts in a second.
    #[serde(rename = "posts/s")]
    PostsPerSecond,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// Mebibytes.
    #[serde(rename = "MiB")]
    Mebibytes,
    /// Microseconds of a processor's time for one post.
    #[serde(rename = "µs/post")]
    MicrosecondsPerPost,
    /// Posts.
    #[serde(rename = "posts")]
    Posts,
    /// How often something happened.
    #[serde(rename = "times")]
    Times,
}

impl Unit {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PostsPerSecond => "posts/s",
            Self::Milliseconds => "ms",
            Self::Mebibytes => "MiB",
            Self::MicrosecondsPerPost => "µs/post",
            Self::Posts => "posts",
            Self::Times => "times",
        }
    }
}

/// One subject under one condition.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Figure {
    pub(super) part: Part,
    /// The condition: `16 consumers`.
    pub(super) what: String,
    /// The subject: `sluice`.
    pub(super) who: &'static str,
    pub(super) unit: Unit,
    /// A number each turn.
    pub(super) turns: Vec<f64>,
    pub(super) median: f64,
}

/// All figures of a run, in the order in which they were first measured.
#[derive(Debug, Default)]
pub(super) struct Figures(Vec<Figure>);

/// The figures of one part, to be added to.
pub(super) struct Sheet<'a> {
    figures: &'a mut Figures,
    part: Part,
}

impl Figures {
    pub(super) fn sheet(&mut self, part: Part) -> Sheet<'_> {
        Sheet { figures: self, part }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Figure> {
        self.0.iter()
    }

    pub(super) fn get(&self, part: Part, what: &str, who: &str) -> Option<&Figure> {
        self.0.iter().find(|figure| figure.part == part && figure.what == what && figure.who == who)
    }

    /// The median of the ratios within each turn.
    pub(super) fn ratio(&self, part: Part, of: (&str, &str), to: (&str, &str)) -> Option<f64> {
        let (of, to) = (self.get(part, of.0, of.1)?, self.get(part, to.0, to.1)?);
        Some(median(&of.turns.iter().zip(&to.turns).map(|(of, to)| of / to).collect::<Vec<_>>()))
    }
}

impl Sheet<'_> {
    /// Adds this turn's number, and says it.
    pub(super) fn add(&mut self, what: &str, who: &'static str, unit: Unit, value: f64) {
        eprintln!("  {what:<34} {who:<28} {} {}", rounded(value), unit.name());
        let part = self.part;
        let found = self.figures.0.iter_mut().find(|f| f.part == part && f.what == what && f.who == who);
        match found {
            Some(figure) => {
                figure.turns.push(value);
                figure.median = median(&figure.turns);
            }
            None => {
                let what = what.to_owned();
                self.figures.0.push(Figure { part, what, who, unit, turns: vec![value], median: value });
            }
        }
    }
}

/// The middle one; of an even number the mean of the two in the middle.
pub(super) fn median(values: &[f64]) -> f64 {
    percentile(values, 50.0)
}

/// The value below which so many percent of the values lie, interpolated between its neighbours. NaN of no value.
pub(super) fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let at = percent / 100.0 * last as f64;
    let (below, above) = (at.floor() as usize, at.ceil() as usize);
    sorted[below] + (sorted[above] - sorted[below]) * (at - at.floor())
}

/// Bytes as [`Unit::Mebibytes`].
pub(super) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// As many digits as mean something.
pub(super) fn rounded(value: f64) -> String {
    match value {
        value if value >= 1000.0 => {
            let whole = (value.round() as u64).to_string();
            let (head, tail) = whole.split_at(whole.len() - 3);
            if head.len() > 3 {
                let (millions, thousands) = head.split_at(head.len() - 3);
                format!("{millions},{thousands},{tail}")
            } else {
                format!("{head},{tail}")
            }
        }
        // What was counted has no fraction.
        value if value >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_whatever_the_order() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
        assert_eq!(percentile(&[1.0, 2.0, 3.0, 4.0, 5.0], 100.0), 5.0);
        assert_eq!(percentile(&[1.0, 2.0], 99.0), 1.99);
    }

    #[test]
    fn a_ratio_is_taken_within_each_turn() {
        let mut figures = Figures::default();
        for (ours, theirs) in [(10.0, 5.0), (2.0, 1.0), (30.0, 10.0)] {
            let mut sheet = figures.sheet(Part::Drain);
            sheet.add("x", "ours", Unit::PostsPerSecond, ours);
            sheet.add("x", "theirs", Unit::PostsPerSecond, theirs);
        }
        assert_eq!(figures.ratio(Part::Drain, ("x", "ours"), ("x", "theirs")), Some(2.0));
        assert_eq!(figures.get(Part::Drain, "x", "ours").map(|figure| figure.median), Some(10.0));
        assert_eq!(figures.ratio(Part::Accept, ("x", "ours"), ("x", "theirs")), None);
    }

    #[test]
    fn numbers_are_told_with_the_digits_that_mean_something() {
        let told = [0.123, 9.876, 12.34, 567.8, 1234.5, 1_234_567.0, 0.0, 5.0].map(rounded);
        assert_eq!(told, ["0.12", "9.88", "12.3", "568", "1,235", "1,234,567", "0", "5"]);
    }
}

//! A line plot as SVG, for a page of documentation.
//!
//! Its background is white, as the page may be dark, and its colours are those of Okabe and Ito, which colour-blind
//! people can distinguish; each curve also has its own mark. Labels stand around the field of the curves, where they
//! cover none of them.

use anyhow::bail;
use plotters::drawing::IntoDrawingArea as _;
use plotters::prelude::SVGBackend;
use plotters::style::WHITE;

use drawing::SIZE;

mod drawing;
mod pen;
mod ruler;

/// Points that belong together, joined in this order.
pub(super) struct Curve {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

pub(super) struct Axis {
    pub(super) label: &'static str,
    pub(super) scale: Scale,
}

#[derive(Clone, Copy)]
pub(super) enum Scale {
    /// From zero; the same length for the same difference.
    Linear,
    /// The same length for the same ratio.
    Log,
}

pub(super) struct Plot {
    pub(super) title: String,
    /// The machine and the command; small, below the title.
    pub(super) caption: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) curves: Vec<Curve>,
    /// Values of x with a label.
    pub(super) marks: Vec<(f64, String)>,
}

impl Plot {
    /// The plot as the text of an SVG file.
    pub(super) fn svg(&self) -> anyhow::Result<String> {
        self.check()?;
        let mut svg = String::new();
        {
            let paper = SVGBackend::with_string(&mut svg, (SIZE.0 as u32, SIZE.1 as u32)).into_drawing_area();
            paper.fill(&WHITE)?;
            let below = self.heading(&paper)?;
            let below = self.legend(&paper, below)?;
            self.field(&paper, below)?;
            paper.present()?;
        }
        Ok(svg)
    }

    fn check(&self) -> anyhow::Result<()> {
        if self.curves.is_empty() {
            bail!("the plot {:?} has no curves: draw it when something was measured", self.title);
        }
        for Curve { name, points } in &self.curves {
            if points.is_empty() {
                bail!("the curve {name:?} has no points: leave it out, or measure it");
            }
            for (x, y) in points {
                self.x.check(*x, &format!("the curve {name:?}"))?;
                self.y.check(*y, &format!("the curve {name:?}"))?;
            }
        }
        self.marks.iter().try_for_each(|(x, label)| self.x.check(*x, &format!("the mark {label:?}")))
    }
}

impl Axis {
    fn check(&self, value: f64, whose: &str) -> anyhow::Result<()> {
        let Self { label, scale } = self;
        match scale {
            _ if !value.is_finite() => bail!("{whose} has the value {value} at {label:?}: only numbers can be drawn"),
            Scale::Log if value <= 0.0 => {
                bail!("{whose} has the value {value} at {label:?}, a logarithmic axis: it must be above 0")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot() -> Plot {
        let curve = |name: &str, points: &[(f64, f64)]| Curve { name: name.to_owned(), points: points.to_vec() };
        Plot {
            title: "Posts stored in a second, prefetch = 1, one process".to_owned(),
            caption: "2 cores of AMD EPYC, 8 GB; `sluice-lab bench drain`, the median of 5 runs; ".repeat(3),
            x: Axis { label: "consumers", scale: Scale::Log },
            y: Axis { label: "posts/s", scale: Scale::Linear },
            curves: vec![
                curve("RabbitMQ alone", &[(1.0, 2_100.0), (4.0, 6_800.0), (16.0, 11_900.0), (64.0, 13_000.0)]),
                curve("Sluice", &[(1.0, 420.0), (4.0, 1_600.0), (16.0, 4_900.0), (64.0, 9_100.0)]),
                curve("a simple consumer <Go>", &[(1.0, 430.0), (4.0, 1_500.0), (16.0, 2_300.0), (64.0, 2_400.0)]),
            ],
            marks: vec![(8.0, "the queue begins to pay".to_owned())],
        }
    }

    #[test]
    fn every_curve_axis_and_mark_is_named() {
        let svg = plot().svg().expect("a plot");
        for name in
            ["RabbitMQ alone", "Sluice", "a simple consumer &lt;Go&gt;", "consumers", "posts/s", "begins to pay"]
        {
            assert!(svg.contains(name), "{name} is missing");
        }
        for tick in [">\n1\n<", ">\n4\n<", ">\n16\n<", ">\n64\n<", ">\n10k\n<"] {
            assert!(svg.contains(tick), "the tick {tick:?} is missing");
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_an_error_that_names_it() {
        let with = |point: (f64, f64)| {
            let mut plot = plot();
            plot.curves[1].points.push(point);
            plot.svg().expect_err("it cannot be drawn").to_string()
        };
        let not_a_number = r#"the curve "Sluice" has the value NaN at "posts/s": only numbers can be drawn"#;
        assert_eq!(with((1.0, f64::NAN)), not_a_number);
        let zero = r#"the curve "Sluice" has the value 0 at "consumers", a logarithmic axis: it must be above 0"#;
        assert_eq!(with((0.0, 1.0)), zero);
        let endless = r#"the curve "Sluice" has the value inf at "consumers": only numbers can be drawn"#;
        assert_eq!(with((f64::INFINITY, 1.0)), endless);

        let mut plot = plot();
        plot.marks.push((-2.0, "never".to_owned()));
        assert!(
            plot.svg().expect_err("a mark left of all").to_string().starts_with(r#"the mark "never" has the value -2"#)
        );
        plot.curves[0].points.clear();
        let empty = plot.svg().expect_err("no points").to_string();
        assert_eq!(empty, r#"the curve "RabbitMQ alone" has no points: leave it out, or measure it"#);
        plot.curves.clear();
        assert!(plot.svg().expect_err("no curves").to_string().contains("has no curves"));
    }

    /// The numbers in all attributes of this name.
    fn attributes<'a>(svg: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
        let begin = format!(" {name}=\"");
        let begins: Vec<usize> = svg.match_indices(&begin).map(|(at, found)| at + found.len()).collect();
        begins.into_iter().map(|at| svg[at..].split('"').next().unwrap_or_default())
    }

    #[test]
    fn nothing_lies_outside_of_the_paper() {
        let mut plot = plot();
        plot.marks = vec![(0.5, "at the very left of everything".to_owned()), (900.0, "at the very right".to_owned())];
        let svg = plot.svg().expect("a plot");
        let inside = |number: &str, most: i32| {
            let number: f64 = number.parse().expect("a number");
            assert!((0.0..=f64::from(most)).contains(&number), "{number} is not within 0 and {most}");
        };
        for (name, most) in
            [("x", SIZE.0), ("cx", SIZE.0), ("x1", SIZE.0), ("y", SIZE.1), ("cy", SIZE.1), ("y2", SIZE.1)]
        {
            attributes(&svg, name).for_each(|number| inside(number, most));
        }
        for points in attributes(&svg, "points") {
            for point in points.split_whitespace() {
                let (x, y) = point.split_once(',').expect("two numbers");
                inside(x, SIZE.0);
                inside(y, SIZE.1);
            }
        }
    }

    #[test]
    fn a_single_point_can_be_drawn_on_either_scale() {
        for scale in [Scale::Linear, Scale::Log] {
            let mut plot = plot();
            plot.x.scale = scale;
            plot.y.scale = scale;
            plot.curves = vec![Curve { name: "one".to_owned(), points: vec![(7.0, 3.0)] }];
            plot.marks.clear();
            assert!(plot.svg().expect("a plot").contains("circle"));
        }
    }
}

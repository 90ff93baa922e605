//! A line plot as SVG, to be looked at in a page of documentation.
//!
//! It has a white ground of its own, as the page may be dark, and colours that people who do not see all colours can
//! tell apart (those of Okabe and Ito); each curve has a mark of its own besides. What explains stands around the field
//! of the curves and never in it, where it would cover some of them.

use anyhow::bail;
use plotters::chart::ChartBuilder;
use plotters::drawing::IntoDrawingArea as _;
use plotters::element::DashedPathElement;
use plotters::prelude::SVGBackend;
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color as _, FontStyle, FontTransform, RGBColor, TextStyle, WHITE};

use pen::{Paper, Pixel, draw, leading, lines, width, writing};
use ruler::Ruler;

mod pen;
mod ruler;

/// Points that belong together, joined in this order.
pub(super) struct Curve {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// What one direction means.
pub(super) struct Axis {
    pub(super) label: &'static str,
    pub(super) scale: Scale,
}

/// How values lie on an axis.
#[derive(Clone, Copy)]
pub(super) enum Scale {
    /// From zero, the same length for the same difference.
    Linear,
    /// The same length for the same ratio.
    Log,
}

/// A plot.
pub(super) struct Plot {
    pub(super) title: String,
    /// On which machine, and by which command; small, below the title.
    pub(super) caption: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) curves: Vec<Curve>,
    /// Places on the axis of x that mean something, each with what it means.
    pub(super) marks: Vec<(f64, String)>,
}

const SIZE: (i32, i32) = (860, 520);
const EDGE: i32 = 22;
/// The room of the labels at the ticks and at the axes, left and below.
const LABELS: (i32, i32) = (66, 52);

const TITLE: f64 = 18.0;
const CAPTION: f64 = 11.5;
const TEXT: f64 = 13.0;
const INK: RGBColor = RGBColor(0x1f, 0x23, 0x28);
const FAINT: RGBColor = RGBColor(0x59, 0x63, 0x6e);
const GRID: RGBColor = RGBColor(0xe3, 0xe6, 0xea);

/// The line before a name in the legend, and the room after it.
const SAMPLE: i32 = 30;
const GAP: i32 = 28;

impl Plot {
    /// The plot as the text of an SVG file.
    ///
    /// # Errors
    /// When there is nothing to draw, or a value that cannot be drawn, which is named.
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

    /// Title and caption. Gives back where the next thing may begin, as do those below.
    fn heading(&self, paper: &Paper<'_>) -> anyhow::Result<i32> {
        let mut top = EDGE - 4;
        for (text, size, colour, weight) in
            [(&self.title, TITLE, INK, FontStyle::Bold), (&self.caption, CAPTION, FAINT, FontStyle::Normal)]
        {
            for line in lines(text, size, SIZE.0 - 2 * EDGE) {
                let style = writing(size, colour, HPos::Left, VPos::Top);
                let style = TextStyle { font: style.font.style(weight), ..style };
                paper.draw_text(&line, &style, (EDGE, top))?;
                top += leading(size);
            }
        }
        Ok(top + 10)
    }

    /// The names of the curves, in as many columns as there is room for.
    fn legend(&self, paper: &Paper<'_>, top: i32) -> anyhow::Result<i32> {
        let widest = self.curves.iter().map(|curve| width(&curve.name, TEXT)).max().unwrap_or_default();
        let column = SAMPLE + 8 + widest + GAP;
        let columns = ((SIZE.0 - 2 * EDGE + GAP) / column).clamp(1, 4);
        let style = writing(TEXT, INK, HPos::Left, VPos::Center);
        let mut middle = top;
        for (number, curve) in self.curves.iter().enumerate() {
            let nth = i32::try_from(number)?;
            let left = EDGE + nth % columns * column;
            middle = top + leading(TEXT) / 2 + nth / columns * leading(TEXT);
            draw(paper, number, &[(left, middle), (left + SAMPLE, middle)], &[(left + SAMPLE / 2, middle)])?;
            paper.draw_text(&curve.name, &style, (left + SAMPLE + 8, middle))?;
        }
        Ok(middle + leading(TEXT) / 2 + 16)
    }

    /// The axes, the marks with their labels above, and the curves.
    fn field(&self, paper: &Paper<'_>, top: i32) -> anyhow::Result<()> {
        let labels = i32::try_from(self.marks.len())? * leading(CAPTION);
        let field_top = top + labels;
        let points = || self.curves.iter().flat_map(|curve| &curve.points);
        let xs: Vec<f64> = points().map(|point| point.0).collect();
        let ys: Vec<f64> = points().map(|point| point.1).collect();
        let marked: Vec<f64> = self.marks.iter().map(|mark| mark.0).collect();
        let x = Ruler::new(self.x.scale, &xs, &marked, (SIZE.0 - 2 * EDGE - LABELS.0) / 48, true);
        let y = Ruler::new(self.y.scale, &ys, &[], (SIZE.1 - EDGE - LABELS.1 - field_top) / 24, false);

        let mut chart = ChartBuilder::on(paper)
            .margin_top(field_top)
            .margin_right(EDGE)
            .margin_bottom(EDGE)
            .margin_left(EDGE)
            .x_label_area_size(LABELS.1 - EDGE)
            .y_label_area_size(LABELS.0)
            .build_cartesian_2d(x, y)?;
        chart
            .configure_mesh()
            .bold_line_style(GRID)
            .axis_style(FAINT)
            .label_style(writing(TEXT, INK, HPos::Center, VPos::Center))
            .set_all_tick_mark_size(4)
            .draw()?;
        let to_pixel = |point: &(f64, f64)| chart.plotting_area().map_coordinate(point);
        let (across, down) = chart.plotting_area().get_pixel_range();

        // Not by the chart, which draws each of them twice.
        let style = writing(TEXT, FAINT, HPos::Center, VPos::Bottom);
        paper.draw_text(self.x.label, &style, ((across.start + across.end) / 2, SIZE.1 - EDGE / 2))?;
        let style = writing(TEXT, FAINT, HPos::Center, VPos::Top).transform(FontTransform::Rotate270);
        paper.draw_text(self.y.label, &style, (EDGE - 6, (down.start + down.end) / 2))?;

        for (number, (at, label)) in (0..).zip(&self.marks) {
            let (x, _) = to_pixel(&(*at, ys[0]));
            let line = [(x, down.start), (x, down.end)];
            paper.draw(&DashedPathElement::new(line, 5, 4, INK.stroke_width(1)))?;
            // The outermost ones lean inwards, so that none leaves the paper.
            let half = width(label, CAPTION) / 2;
            let middle = x.clamp(EDGE + half, (SIZE.0 - EDGE - half).max(EDGE + half));
            let style = writing(CAPTION, INK, HPos::Center, VPos::Top);
            paper.draw_text(label, &style, (middle, top + number * leading(CAPTION)))?;
        }
        for (number, curve) in self.curves.iter().enumerate() {
            let points: Vec<Pixel> = curve.points.iter().map(to_pixel).collect();
            draw(paper, number, &points, &points)?;
        }
        Ok(())
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

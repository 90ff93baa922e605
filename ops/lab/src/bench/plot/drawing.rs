//! Where each part of a plot is drawn.

use plotters::chart::ChartBuilder;
use plotters::element::DashedPathElement;
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color as _, FontStyle, FontTransform, RGBColor, TextStyle};

use super::Plot;
use super::pen::{Paper, Pixel, draw, leading, lines, width, writing};
use super::ruler::Ruler;

pub(super) const SIZE: (i32, i32) = (860, 520);
const EDGE: i32 = 22;
/// The room for the labels of ticks and axes, left and below.
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
    /// Title and caption. Returns where the next part may begin, as the other parts do.
    pub(super) fn heading(&self, paper: &Paper<'_>) -> anyhow::Result<i32> {
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
    pub(super) fn legend(&self, paper: &Paper<'_>, top: i32) -> anyhow::Result<i32> {
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
    pub(super) fn field(&self, paper: &Paper<'_>, top: i32) -> anyhow::Result<()> {
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

        // The chart would draw each label twice.
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

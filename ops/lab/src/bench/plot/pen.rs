//! What the drawing is made of: lines with marks, and writing.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::element::{Circle, PathElement, Polygon};
use plotters::prelude::SVGBackend;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, IntoFont as _, RGBColor, TextStyle, WHITE};
use unicode_width::UnicodeWidthStr as _;

/// From one line of text to the next, for each pixel of its size.
const LEADING: f64 = 1.45;
/// How wide a dead letter is at most on average, for each pixel of its size: the reader's font is not known.
const ITEM: f64 = 0.58;

/// Okabe and Ito's, without their yellow, which is too faint on white; those that are told apart best come first.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x00, 0x00, 0x00),
];
/// The corners of the marks of the points: a square, two triangles and a diamond. Before them comes a circle, so that
/// there are five, and no two of the first 35 curves look the same.
const CORNERS: [&[(i32, i32)]; 4] = [
    &[(-5, -5), (5, -5), (5, 5), (-5, 5)],
    &[(-6, 5), (0, -6), (6, 5)],
    &[(-6, 0), (0, -6), (6, 0), (0, 6)],
    &[(-6, -5), (6, -5), (0, 6)],
];

pub(super) type Paper<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Pixel = (i32, i32);

/// Draws a line in a curve's colour, and its marks.
pub(super) fn draw(paper: &Paper<'_>, curve: usize, line: &[Pixel], points: &[Pixel]) -> anyhow::Result<()> {
    let colour = COLOURS[curve % COLOURS.len()];
    paper.draw(&PathElement::new(line, colour.stroke_width(2)))?;
    for (x, y) in points {
        // A white rim keeps marks apart that lie on each other.
        match (curve % (CORNERS.len() + 1)).checked_sub(1) {
            None => {
                paper.draw(&Circle::new((*x, *y), 6, WHITE.filled()))?;
                paper.draw(&Circle::new((*x, *y), 5, colour.filled()))?;
            }
            Some(shape) => {
                let corners: Vec<Pixel> = CORNERS[shape].iter().map(|corner| (x + corner.0, y + corner.1)).collect();
                let rim = [corners.as_slice(), &corners[..1]].concat();
                paper.draw(&Polygon::new(corners, colour.filled()))?;
                paper.draw(&PathElement::new(rim, WHITE.stroke_width(1)))?;
            }
        }
    }
    Ok(())
}

pub(super) fn writing(size: f64, colour: RGBColor, across: HPos, down: VPos) -> TextStyle<'static> {
    // The library writes a size that is smaller by this.
    ("sans-serif", size * 1.24).into_font().color(&colour).pos(Pos::new(across, down))
}

pub(super) fn leading(size: f64) -> i32 {
    (size * LEADING).round() as i32
}

pub(super) fn width(text: &str, size: f64) -> i32 {
    (text.width() as f64 * size * ITEM).ceil() as i32
}

/// The text in lines that are no wider than this, where its words allow.
pub(super) fn lines(text: &str, size: f64, room: i32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line, size) + width(" ", size) + width(word, size) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

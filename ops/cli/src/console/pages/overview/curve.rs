//! Small curves, as points of an SVG.

/// The size of the drawing.
const WIDTH: f64 = 140.0;
const HEIGHT: f64 = 30.0;

/// Curves on one scale. A value that is unknown breaks its curve.
pub(super) struct Curve {
    /// The pieces of each curve, as the points of polylines.
    pub(super) curves: Vec<Vec<String>>,
    /// The highest value.
    pub(super) most: String,
}

impl Curve {
    /// Draws curves of as many values each.
    pub(super) fn new(curves: &[Vec<Option<f64>>]) -> Self {
        let most = curves.iter().flatten().flatten().copied().fold(0.0, f64::max);
        let draw = |values: &Vec<Option<f64>>| pieces(values, most.max(1.0));
        let shown = if most.fract() == 0.0 { format!("{most:.0}") } else { format!("{most:.1}") };
        Self { curves: curves.iter().map(draw).collect(), most: shown }
    }
}

fn pieces(values: &[Option<f64>], most: f64) -> Vec<String> {
    let step = WIDTH / (values.len().max(2) - 1) as f64;
    let mut pieces = Vec::new();
    let mut piece = Vec::new();
    for (place, value) in values.iter().enumerate() {
        match value {
            Some(value) => {
                let height = HEIGHT - 1.0 - (HEIGHT - 2.0) * value.max(0.0) / most;
                piece.push(format!("{:.1},{height:.1}", step * place as f64));
            }
            None => pieces.push(std::mem::take(&mut piece)),
        }
    }
    pieces.push(piece);
    // A single point would draw nothing.
    pieces.into_iter().filter(|piece| piece.len() > 1).map(|piece| piece.join(" ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_share_a_scale_and_break_where_nothing_is_known() {
        let curve = Curve::new(&[vec![Some(0.0), Some(10.0), None, Some(5.0), Some(5.0)], vec![Some(2.5); 5]]);
        assert_eq!(curve.most, "10");
        assert_eq!(curve.curves[0], ["0.0,29.0 35.0,1.0", "105.0,15.0 140.0,15.0"]);
        assert_eq!(curve.curves[1].len(), 1);
        assert_eq!(Curve::new(&[vec![None, Some(1.0)], Vec::new()]).curves, [Vec::<String>::new(), Vec::new()]);
    }
}

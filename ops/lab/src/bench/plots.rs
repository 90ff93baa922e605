//! The figures as pictures.

use super::drain::{CONSUMERS, PROCESSES, SIMPLE, SIMPLE_GO, consumers, processes};
use super::figures::Figures;
use super::figures::{RABBITMQ, SLUICE};
use super::latency::{OFFERED, answer, row};
use super::plot::{Axis, Curve, Plot, Scale};
use super::{Part, door};

/// All pictures that there are figures for: the file's name and its text.
pub(super) fn all(
    figures: &Figures,
    caption: &str,
    pays_from: Option<u32>,
) -> anyhow::Result<Vec<(&'static str, String)>> {
    let plots = [
        ("drain.svg", by_consumers(figures)),
        ("processes.svg", by_processes(figures)),
        ("latency.svg", by_load(figures, pays_from)),
    ];
    let drawn = plots.into_iter().filter(|(_, plot)| !plot.curves.is_empty());
    drawn.map(|(name, plot)| Ok((name, Plot { caption: caption.to_owned(), ..plot }.svg()?))).collect()
}

/// The lowest load from which on 99 of 100 answers come sooner through the queue than from an insert.
pub(super) fn pays_from(figures: &Figures) -> Option<u32> {
    let most = |offered, who| figures.get(Part::Latency, &answer(offered, 99), who).map(|figure| figure.median);
    let sooner = |offered: u32| match (most(offered, SLUICE), most(offered, door::Kind::Direct.who())) {
        (Some(queue), Some(insert)) => queue < insert,
        // One that has fallen behind is not measured any further.
        (Some(_), None) => true,
        _ => false,
    };
    let measured: Vec<u32> = OFFERED.into_iter().filter(|offered| most(*offered, SLUICE).is_some()).collect();
    let never = measured.iter().rposition(|offered| !sooner(*offered)).map_or(0, |last| last + 1);
    measured.get(never).copied()
}

fn curve(
    figures: &Figures,
    part: Part,
    name: &str,
    who: &str,
    points: impl Iterator<Item = (f64, String)>,
) -> Option<Curve> {
    let points: Vec<_> = points.filter_map(|(x, what)| Some((x, figures.get(part, &what, who)?.median))).collect();
    (!points.is_empty()).then(|| Curve { name: name.to_owned(), points })
}

fn by_consumers(figures: &Figures) -> Plot {
    let of = |who: &str| {
        let points = CONSUMERS.into_iter().map(|count| (f64::from(count), consumers(count)));
        curve(figures, Part::Drain, who, who, points)
    };
    Plot {
        title: "Posts stored in a second, prefetch = 1, one process".to_owned(),
        caption: String::new(),
        x: Axis { label: "consumers", scale: Scale::Log },
        y: Axis { label: "posts/s", scale: Scale::Linear },
        curves: [RABBITMQ, SLUICE, SIMPLE, SIMPLE_GO].into_iter().filter_map(of).collect(),
        marks: Vec::new(),
    }
}

fn by_processes(figures: &Figures) -> Plot {
    let points = PROCESSES.into_iter().map(|count| (f64::from(count), processes(count)));
    Plot {
        title: "Posts stored in a second, 16 consumers in each process".to_owned(),
        caption: String::new(),
        x: Axis { label: "worker processes", scale: Scale::Log },
        y: Axis { label: "posts/s", scale: Scale::Linear },
        curves: curve(figures, Part::Drain, SLUICE, SLUICE, points).into_iter().collect(),
        marks: Vec::new(),
    }
}

fn by_load(figures: &Figures, pays_from: Option<u32>) -> Plot {
    let direct = door::Kind::Direct.who();
    let of = |name: &str, who: &str, what: &dyn Fn(u32) -> String| {
        let points = OFFERED.into_iter().map(|offered| (f64::from(offered), what(offered)));
        curve(figures, Part::Latency, name, who, points)
    };
    let curves = [
        of("Sluice: answered, p50", SLUICE, &|offered| answer(offered, 50)),
        of("Sluice: answered, p99", SLUICE, &|offered| answer(offered, 99)),
        of("Sluice: to its row, p50", SLUICE, &row),
        of("direct insert: answered, p50", direct, &|offered| answer(offered, 50)),
        of("direct insert: answered, p99", direct, &|offered| answer(offered, 99)),
    ];
    Plot {
        title: "How long a sender waits, by the load that is offered".to_owned(),
        caption: String::new(),
        x: Axis { label: "offered posts/s", scale: Scale::Log },
        y: Axis { label: "ms", scale: Scale::Log },
        curves: curves.into_iter().flatten().collect(),
        marks: pays_from.map(|rate| (f64::from(rate), "the queue begins to pay".to_owned())).into_iter().collect(),
    }
}

//! The report at the end: a table for each part, the promises, and for programs one JSON object.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;
use time::OffsetDateTime;

use super::figures::{Figure, Figures, rounded};
use super::machine::Machine;
use super::promises::{Kept, judge};
use super::{BenchArgs, Part, latency, plots, posts};
use sluice_runtime::{output, table};

/// The whole of a run.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    schema: u32,
    version: &'static str,
    #[serde(with = "time::serde::rfc3339")]
    measured_at: OffsetDateTime,
    machine: Machine,
    servers: String,
    command: String,
    turns: u32,
    quick: bool,
    seconds: f64,
    post_bytes: usize,
    figures: Vec<Figure>,
    promises: Vec<Kept>,
    /// Offered posts a second from which the HTTP API answers sooner than an insert; `None`: at no load that was
    /// tried, or it was not measured.
    pays_from: Option<u32>,
    #[serde(skip)]
    all: Figures,
}

impl Report {
    pub(super) fn new(args: &BenchArgs, servers: String, took: Duration, all: Figures) -> Self {
        let arguments = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
        Self {
            schema: 1,
            version: sluice_core::VERSION,
            measured_at: OffsetDateTime::now_utc(),
            machine: Machine::this(),
            servers,
            command: format!("sluice {arguments}"),
            turns: args.turns,
            quick: args.quick,
            seconds: took.as_secs_f64(),
            post_bytes: posts::BYTES,
            figures: all.iter().cloned().collect(),
            promises: judge(&all),
            pays_from: plots::pays_from(&all),
            all,
        }
    }

    /// Writes `figures.json` and the plots.
    pub(super) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let put = |name: &str, text: String| {
            let path = folder.join(name);
            std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
        };
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        put("figures.json", serde_json::to_string_pretty(self)? + "\n")?;
        let caption = format!("{} · {} · {} turns", self.machine, self.servers, self.turns);
        for (name, svg) in plots::all(&self.all, &caption, self.pays_from)? {
            put(name, svg)?;
        }
        Ok(())
    }

    pub(super) fn print(&self, json: bool) -> anyhow::Result<()> {
        Ok(output::print(|out| {
            if json {
                return output::json_line(out, self);
            }
            writeln!(out, "{}", self.machine)?;
            let seconds = self.seconds.round();
            writeln!(
                out,
                "{}; Sluice {}; {} turns in {seconds} s; posts of {} bytes",
                self.servers, self.version, self.turns, self.post_bytes
            )?;
            writeln!(out, "Medians; compare only ratios within a run.")?;
            for part in Part::ALL {
                write!(out, "{}", self.part(part))?;
            }
            if !self.promises.is_empty() {
                write!(out, "\n{}", self.judged())?;
            }
            if self.figures.iter().any(|figure| figure.part == Part::Latency) {
                writeln!(out, "\n{}", self.pays())?;
            }
            if self.quick {
                writeln!(out, "\nThis was --quick: it shows that everything runs; its figures mean nothing.")?;
            }
            Ok(())
        })?)
    }

    /// The table of a part: a condition a row, a subject a column.
    fn part(&self, part: Part) -> String {
        let figures: Vec<&Figure> = self.figures.iter().filter(|figure| figure.part == part).collect();
        let (mut whats, mut whos) = (Vec::new(), Vec::new());
        for figure in &figures {
            if !whats.contains(&&figure.what) {
                whats.push(&figure.what);
            }
            if !whos.contains(&figure.who) {
                whos.push(figure.who);
            }
        }
        if whats.is_empty() {
            return String::new();
        }
        let headings: Vec<String> = [part.name().to_uppercase(), "UNIT".to_owned()]
            .into_iter()
            .chain(whos.iter().map(|who| who.to_uppercase()))
            .collect();
        let mut rows = table::table(&headings.iter().map(String::as_str).collect::<Vec<_>>());
        for what in whats {
            let of = |who: &&str| figures.iter().find(|figure| figure.what == *what && figure.who == *who);
            let unit = whos.iter().find_map(of).map_or("", |figure| figure.unit.name());
            let cells = whos.iter().map(|who| of(who).map_or_else(|| "-".to_owned(), |figure| rounded(figure.median)));
            rows.add_row([what.clone(), unit.to_owned()].into_iter().chain(cells));
        }
        table::right(&mut rows, &(2..2 + whos.len()).collect::<Vec<_>>());
        format!("\n{}", table::lines(rows))
    }

    fn judged(&self) -> String {
        let mut rows = table::table(&["TARGET FOR", "MEASURED", "TARGET", ""]);
        for Kept { what, found, promised, kept } in &self.promises {
            let met = if *kept { "met" } else { "MISSED" };
            rows.add_row([what.clone(), rounded(*found), promised.clone(), met.to_owned()]);
        }
        table::right(&mut rows, &[1]);
        table::lines(rows)
    }

    /// The answer to whether one needs a queue at all.
    fn pays(&self) -> String {
        match self.pays_from {
            Some(rate) => {
                format!(
                    "From {rate} posts/s, 99 of 100 clients get a response sooner from the queue than from an \
                         insert."
                )
            }
            None => format!(
                "At no load up to {} posts/s do clients get a response sooner from the queue than from an insert: as \
                 long as the database keeps up, a queue only adds cost. It helps when the database is slow, locked or \
                 down.",
                latency::OFFERED[latency::OFFERED.len() - 1]
            ),
        }
    }
}

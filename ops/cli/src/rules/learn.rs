//! `sluice rules learn`: a scorer from people's decisions, or from texts with known verdicts.
//!
//! ```text
//!  decisions in MySQL ─┐
//!  FILE.jsonl ─────────┼─► lessons ──► scorer: weights, and what its folds say ──► a file, if one is asked for
//!  --clean FILE.jsonl ─┘
//! ```

use std::fmt::Write as _;
use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};
use sluice_core::config::DatabaseArgs;
use sluice_core::post::PostId;
use sluice_core::verdict::Verdict;
use sluice_mysql::Store;
use sluice_mysql::review::DecidedPost;
use sluice_review::{About, Lesson, Lessons, Rates, Scorer};
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};
use sluice_runtime::table::{lines, right, table};
use tempfile::NamedTempFile;
use time::OffsetDateTime;

use super::rates::{interval, object, share};
use super::row::{CleanRow, Expect, Row, Rows, open};
use crate::times::{past_moment, shown};
use crate::visible::line;

/// How many posts are read at once: each may be as long as a post can be.
const PAGE: u32 = 500;

/// Arguments of `sluice rules learn`.
#[derive(Debug, Args)]
pub(super) struct LearnArgs {
    /// Files with one JSON object per line; `-` reads stdin
    ///
    /// Each line is {"text", "expect": "flag" or "clean"}, optionally with "title".
    #[arg(value_name = "FILE", required_unless_present = "from_decisions")]
    files: Vec<PathBuf>,
    /// Learn from what people decided about held posts: approved is clean, rejected is to be flagged
    #[arg(long)]
    from_decisions: bool,
    /// With --from-decisions: posts that were last decided about since this time
    #[arg(long, value_name = "TIME", default_value = "365d", value_parser = past_moment, requires = "from_decisions")]
    since: OffsetDateTime,
    /// File with ordinary texts of the site, one {"text"} per line, optionally with "title"; all of them are clean
    ///
    /// People decide only about what the rules held. Ordinary posts show what else is not to be held.
    #[arg(long, value_name = "FILE")]
    clean: Vec<PathBuf>,
    /// Leave out texts that are to be flagged in one row and clean in another, instead of refusing them
    #[arg(long)]
    drop_contradictions: bool,
    /// Share of the clean texts that may be flagged, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 1.0, value_parser = percent)]
    false_alarms: f64,
    /// Write the scorer to this file, for workers' SLUICE_SCORER
    ///
    /// Without it, nothing is written and the figures are those to expect.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long, requires = "out")]
    force: bool,
    /// Print one JSON object
    ///
    /// Keys: scorer, file (null if none was written), bytes, learned_at, flagged, clean, copies (rows that say the same
    /// as another one), contradictions (texts that were left out), groups (of near copies), wanted, by_folds {found,
    /// false_alarms}, each {hits, of, share, interval}, in_shadow (why it decides nothing yet, or null).
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

fn percent(text: &str) -> Result<f64, String> {
    let percent = text.parse().ok().filter(|percent| (0.01..=50.0).contains(percent));
    percent.ok_or_else(|| "expected a number from 0.01 to 50".to_owned())
}

/// Learns.
///
/// # Errors
/// When a file or the database cannot be read, the texts are too few or contradict one another, the file exists or
/// cannot be written, or stdout cannot.
pub(super) async fn run(args: &LearnArgs) -> anyhow::Result<Exit> {
    if let Some(out) = args.out.as_ref().filter(|out| !args.force && out.exists()) {
        anyhow::bail!("{} exists: give --force to replace it", out.display());
    }
    let (mut lessons, mut exit) = (Lessons::default(), Exit::Done);
    for file in &args.files {
        let learn = |row: &Row| Lesson::new(&row.title, &row.text, row.expect == Expect::Flag);
        if add(file, &mut lessons, learn)? {
            exit = Exit::Partial;
        }
    }
    for file in &args.clean {
        if add(file, &mut lessons, |row: &CleanRow| Lesson::new(&row.title, &row.text, false))? {
            exit = Exit::Partial;
        }
    }
    if args.from_decisions {
        decided(args, &mut lessons).await?;
    }
    let contradictions = if args.drop_contradictions { lessons.drop_contradictions() } else { 0 };
    let scorer = Scorer::learn(&lessons, args.false_alarms / 100.0, OffsetDateTime::now_utc())
        .context("nothing is learnt, and no file is written")?;
    if let Some(out) = &args.out {
        write(out, &scorer.bytes(), args.force).with_context(|| format!("cannot write {}", out.display()))?;
    }
    output::print(|out| match args.json {
        true => output::json_line(out, &told(&scorer, args.out.as_deref(), contradictions)),
        false => write!(out, "{}", page(&scorer, args.out.as_deref(), contradictions)),
    })?;
    Ok(exit)
}

/// Adds the rows of a file; whether any line of it was none.
fn add<R: serde::de::DeserializeOwned>(
    file: &Path,
    lessons: &mut Lessons,
    lesson: impl Fn(&R) -> Lesson,
) -> anyhow::Result<bool> {
    let name = file.display().to_string();
    let rows = Rows::read(open(file)?).with_context(|| format!("cannot read {name} to its end"))?;
    rows.good.iter().for_each(|(_, row)| lessons.add(lesson(row)));
    Ok(rows.report_bad(&name))
}

/// Adds the posts that people decided about.
async fn decided(args: &LearnArgs, lessons: &mut Lessons) -> anyhow::Result<()> {
    let store = Store::new(&args.database)?;
    store.check_schema().await?;
    let mut after: Option<PostId> = None;
    loop {
        let posts =
            store.decided_posts(args.since, after, PAGE).await.map_err(|failure| store.with_context(failure))?;
        let Some(last) = posts.last() else { break };
        after = Some(last.post);
        for DecidedPost { title, content, verdict, .. } in &posts {
            lessons.add(Lesson::new(title, content, *verdict == Verdict::Rejected));
        }
    }
    store.close().await;
    if after.is_none() {
        report!("nothing was decided since {}", shown(Some(args.since)));
    }
    Ok(())
}

/// Writes the whole file beside its place, then gives it its name: no reader ever sees a part of it.
fn write(path: &Path, bytes: &[u8], replace: bool) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    // Workers run as somebody else, and no text is in it.
    file.as_file().set_permissions(Permissions::from_mode(0o644))?;
    file.as_file().sync_all()?;
    match replace {
        true => file.persist(path)?,
        false => file.persist_noclobber(path)?,
    };
    Ok(())
}

fn page(scorer: &Scorer, out: Option<&Path>, contradictions: usize) -> String {
    let About { flagged, clean, copies, groups, wanted, by_folds: Rates { found, false_alarms }, .. } = scorer.about();
    let mut rates = table(&["", "found", "95 %", "false alarms", "95 %"]);
    rates.add_row([
        "by folds".to_owned(),
        share(*found),
        interval(*found),
        share(*false_alarms),
        interval(*false_alarms),
    ]);
    right(&mut rates, &[1, 2, 3, 4]);
    let mut page = format!(
        "{}: {flagged} texts to be flagged, {clean} clean ones, in {groups} groups of near copies, at most {} % false \
         alarms wanted\n{}",
        scorer.id(),
        wanted * 100.0,
        lines(rates)
    );
    for (left_out, why) in [(*copies, "say the same as another one"), (contradictions, "were in both classes")] {
        if left_out > 0 {
            let _ = writeln!(page, "{left_out} more texts {why} and were left out");
        }
    }
    let _ = match scorer.in_shadow() {
        Some(why) => writeln!(page, "\nIt runs in shadow, and decides nothing: {why}."),
        None => writeln!(page, "\nIt is good enough by its folds, and holds posts."),
    };
    page.push_str(
        "\"By folds\" is what to expect of texts like these: each was counted by a scorer that learnt without it and its \
         near copies.\n",
    );
    let _ = match out {
        Some(out) => writeln!(page, "Written to {}.", line(&out.display().to_string())),
        None => writeln!(page, "No file was written: --out FILE writes one."),
    };
    page
}

fn told(scorer: &Scorer, out: Option<&Path>, contradictions: usize) -> Value {
    let about = scorer.about();
    json!({
        "scorer": scorer.id(),
        "file": out.map(|out| out.display().to_string()),
        "bytes": scorer.bytes().len(),
        "learned_at": shown(Some(about.learned_at)),
        "flagged": about.flagged,
        "clean": about.clean,
        "copies": about.copies,
        "contradictions": contradictions,
        "groups": about.groups,
        "wanted": about.wanted,
        "by_folds": object(about.by_folds),
        "in_shadow": scorer.in_shadow(),
    })
}

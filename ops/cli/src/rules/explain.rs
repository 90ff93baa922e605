//! `sluice rules explain`: what the rules find in one text, where, and what follows.

use std::io::{self, IsTerminal as _, Read as _};

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use sluice_core::verdict::{Reason, Review};
use sluice_review::{Explanation, Finding, Points};
use sluice_runtime::exit::Exit;

use super::{Chosen, findings};
use sluice_runtime::output::{self, report};

/// The longest text that is read.
const TEXT_MAX: u64 = 16 << 20;

/// Arguments of `sluice rules explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// Text of a post; if omitted or `-`, read from stdin
    #[arg(value_name = "TEXT")]
    text: Option<String>,
    /// Title of the post
    #[arg(long, default_value = "", hide_default_value = true)]
    title: String,
    #[command(flatten)]
    chosen: Chosen,
    /// Print one JSON object
    ///
    /// Keys: verdict, ruleset, scores [{category, sum, hold, reject}], reasons (what a row would keep), and findings
    /// [{rule, category, field, span, text, matched, steps, weight, dropped}], where dropped says why a finding does
    /// not count, or is null; no_list_for, the language or script of the text if there is no list for it, or null;
    /// learned {scorer, points (it holds from 50 on), in_shadow}, or null without a scorer.
    #[arg(long)]
    json: bool,
}

/// Explains it.
///
/// # Errors
/// When the text cannot be read, the rules are refused, or stdout cannot be written.
pub(super) fn run(args: &ExplainArgs) -> anyhow::Result<Exit> {
    let rules = args.chosen.load()?;
    let text = match args.text.as_deref() {
        Some(text) if text != "-" => text.to_owned(),
        Some(_) | None => from_stdin()?,
    };
    let explanation = rules.explain(&args.title, &text);
    output::print(|out| match args.json {
        true => output::json_line(out, &Explained::of(&explanation)),
        false => write!(out, "{}", findings::page(&explanation, &args.title, &text)),
    })?;
    Ok(Exit::Done)
}

fn from_stdin() -> anyhow::Result<String> {
    if io::stdin().is_terminal() {
        report!("type the text, and end it with Ctrl-D on a line of its own");
    }
    let mut text = String::new();
    io::stdin().take(TEXT_MAX + 1).read_to_string(&mut text).context("cannot read the text from stdin")?;
    anyhow::ensure!(
        text.len() as u64 <= TEXT_MAX,
        "the text from stdin is longer than {TEXT_MAX} bytes, the maximum for a post"
    );
    Ok(text)
}

/// An explanation as JSON: flat, with the names that rows and `sluice why --json` use.
#[derive(Serialize)]
struct Explained<'a> {
    #[serde(flatten)]
    review: &'a Review,
    findings: Vec<ToldFinding<'a>>,
    no_list_for: Option<&'a str>,
    learned: Option<&'a Points>,
}

#[derive(Serialize)]
struct ToldFinding<'a> {
    #[serde(flatten)]
    reason: &'a Reason,
    weight: u32,
    dropped: Option<&'a str>,
}

impl<'a> Explained<'a> {
    fn of(explanation: &'a Explanation) -> Self {
        let told = |finding: &'a Finding| ToldFinding {
            reason: &finding.reason,
            weight: finding.weight,
            dropped: finding.dropped.as_deref(),
        };
        let findings = explanation.findings.iter().map(told).collect();
        let no_list_for = explanation.unlisted.as_deref();
        Self { review: &explanation.review, findings, no_list_for, learned: explanation.scorer.as_ref() }
    }
}

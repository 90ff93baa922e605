//! `sluice review measures`: how many cases were decided, and how long that took.

use std::ops::Range;

use clap::{Args, ValueEnum};
use sluice_core::config::DatabaseArgs;
use sluice_core::moderation::{Agreement, RejectedShare};
use sluice_mysql::review::Measures;
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};
use time::{Duration, OffsetDateTime};

use crate::columns::Column;
use crate::review::desk::Desk;
use crate::rows::Rows;
use crate::times::{past_moment, shown, span};
use crate::visible::cut;

/// The columns of the table; those of rules alone have three in place of the claims that lapsed, and those of second
/// reviews come last.
static COLUMNS: [Column; 18] = [
    Column::text("OF", 8),
    Column::number("DECIDED"),
    Column::number("APPROVED"),
    Column::number("REJECTED"),
    Column::number("UNDONE").goes(2),
    Column::number("OVERTURNED").goes(3),
    Column::number("PRECISION"),
    Column::number("ALONE"),
    Column::number("WITH OTHERS"),
    Column::number("LAPSED").goes(7),
    Column::number("WAITED P50"),
    Column::number("P90").goes(5),
    Column::number("P99").goes(1),
    Column::number("HANDLING P50").goes(4),
    Column::number("P90").goes(6),
    Column::number("P99").goes(8),
    Column::number("AGREED").goes(9),
    Column::number("KAPPA").goes(10),
];

/// Those of rules.
const PRECISION: Range<usize> = 6..9;
/// That of claims that lapsed.
const LAPSED: usize = 9;
/// How many there are without those of second reviews.
const WITHOUT_SECOND: usize = 16;

/// By what the decisions are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// Who decided.
    Moderator,
    /// The queue of the case.
    Queue,
    /// The category of the case.
    Category,
    /// Each rule that spoke against the post, with its precision.
    Rule,
}

impl By {
    fn as_str(self) -> &'static str {
        match self {
            Self::Moderator => "moderator",
            Self::Queue => "queue",
            Self::Category => "category",
            Self::Rule => "rule",
        }
    }
}

/// Arguments of `sluice review measures`.
#[derive(Debug, Args)]
pub(in crate::review) struct MeasuresArgs {
    /// Count decisions since this time: RFC 3339, or how long ago, like 12h or 7d
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = past_moment)]
    since: OffsetDateTime,
    /// A line for each moderator, queue, category or rule
    #[arg(long, value_enum)]
    by: Option<By>,
    /// Print one JSON object per line
    ///
    /// Keys: of (the moderator, queue, category or rule; `all` without --by), decisions (undos are not counted), approved,
    /// rejected, undone, overturned (appeals that ended with another verdict), lapsed (claims whose time was over, and
    /// whose case somebody claimed again; 0 by rule), to_decision_p50, to_decision_p90, to_decision_p99 (seconds from the
    /// opening of the case), handling_p50, handling_p90, handling_p99 (seconds from the claim).
    /// Of blind second reviews, told apart by the first decision: second_opinions, agreed, agreement (the share),
    /// agreement_low and agreement_high (its interval of 95 %), kappa (Cohen's; null if all verdicts are the same),
    /// kappa_low and kappa_high (its interval of 95 %; null if all agree).
    /// By rule, of the posts for which a decision stands that was made since that time: precision {all, alone,
    /// with_others}, each {posts, rejected, share, low, high}; else null. Alone: no other rule spoke against the post;
    /// low and high: the interval of 95 % of the share.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Shows them.
///
/// # Errors
/// When the database cannot be asked, or stdout not be written.
pub(in crate::review) async fn run(args: MeasuresArgs) -> anyhow::Result<Exit> {
    let desk = Desk::open(&args.database).await?;
    let measures = desk.ok(desk.store.measures(args.since, args.by.map(By::as_str)).await)?;
    desk.store.close().await;
    if args.json {
        output::print(|out| measures.iter().try_for_each(|measures| output::json_line(out, measures)))?;
    } else {
        let has_second = measures.iter().any(|measures| measures.agreement.second_opinions > 0);
        let last = if has_second { COLUMNS.len() } else { WITHOUT_SECOND };
        let of_rules = args.by == Some(By::Rule);
        let is_shown = |at: usize| if of_rules { at != LAPSED } else { !PRECISION.contains(&at) };
        let shown: Vec<usize> = (0..last).filter(|at| is_shown(*at)).collect();
        let mut rows = Rows::new(&shown.iter().map(|at| COLUMNS[*at]).collect::<Vec<_>>())?;
        for measures in &measures {
            let row = row(measures);
            rows.add(shown.iter().map(|at| row[*at].clone()).collect());
        }
        rows.print()?;
    }
    if measures.is_empty() {
        report!("nothing was decided since {}", shown(Some(args.since)));
    }
    Ok(Exit::Done)
}

/// What is in each of the columns.
fn row(measures: &Measures) -> Vec<String> {
    let counts = [measures.decisions, measures.approved, measures.rejected, measures.undone, measures.overturned];
    let precision = measures.precision.unwrap_or_default();
    let precision = [precision.all, precision.alone, precision.with_others];
    let times = [
        measures.to_decision_p50,
        measures.to_decision_p90,
        measures.to_decision_p99,
        measures.handling_p50,
        measures.handling_p90,
        measures.handling_p99,
    ];
    std::iter::once(cut(&measures.of, 100))
        .chain(counts.iter().map(u64::to_string))
        .chain(precision.iter().map(rejected))
        .chain([measures.lapsed.to_string()])
        .chain(times.into_iter().map(took))
        .chain([agreed(&measures.agreement), kappa(&measures.agreement)])
        .collect()
}

/// How many posts were rejected: `18 of 20 (90 %, 70–97)`, with the interval of 95 %.
pub(crate) fn rejected(share: &RejectedShare) -> String {
    counted(share.rejected, share.posts, [share.share, share.low, share.high])
}

/// How many second opinions agree: `18 of 20 (90 %, 70–97)`, with the interval of 95 %.
pub(crate) fn agreed(agreement: &Agreement) -> String {
    let shares = [agreement.agreement, agreement.agreement_low, agreement.agreement_high];
    counted(agreement.agreed, agreement.second_opinions, shares)
}

/// So many of so many, their share and its interval; nothing of none.
fn counted(hits: u64, of: u64, shares: [Option<f64>; 3]) -> String {
    let [Some(share), Some(low), Some(high)] = shares.map(|share| share.map(|share| share * 100.0)) else {
        return "-".to_owned();
    };
    format!("{hits} of {of} ({share:.0} %, {low:.0}–{high:.0})")
}

/// Cohen's kappa: `0.40 (0.15 to 0.65)`, with the interval of 95 %.
pub(crate) fn kappa(agreement: &Agreement) -> String {
    match (agreement.kappa, agreement.kappa_low, agreement.kappa_high) {
        (Some(kappa), Some(low), Some(high)) => format!("{kappa:.2} ({low:.2} to {high:.2})"),
        (Some(kappa), ..) => format!("{kappa:.2}"),
        (None, ..) => "-".to_owned(),
    }
}

/// A time with tenths of a second where those matter.
pub(crate) fn took(seconds: f64) -> String {
    if seconds < 10.0 { format!("{seconds:.1}s") } else { span(Duration::saturating_seconds_f64(seconds)) }
}

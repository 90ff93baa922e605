//! `sluice review list`: the cases, in the order in which they are handed out.

use clap::{Args, ValueEnum};
use sluice_core::config::DatabaseArgs;
use sluice_core::moderation::CaseKind;
use sluice_mysql::review::{CaseFilter, StoredCase};
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};
use time::OffsetDateTime;

use crate::columns::Column;
use crate::review::desk::Desk;
use crate::rows::Rows;
use crate::times::span;
use crate::visible::{cut, line};

/// The columns of the table.
const COLUMNS: [Column; 8] = [
    Column::whole("CASE"),
    Column::whole("STATE"),
    Column::text("QUEUE", 6).goes(1),
    Column::number("PRIORITY").goes(3),
    Column::number("AGE").goes(2),
    Column::text("CLAIMED BY", 8).goes(4),
    Column::text("AUTHOR", 6).goes(5),
    Column::text("TITLE", 12),
];

/// The longest title, name and queue in the table, in characters.
const SHOWN: usize = 120;

/// The states that can be asked for.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    /// Waits for any moderator.
    Waiting,
    /// A moderator has claimed it.
    Claimed,
    /// Waits for a lead.
    Escalated,
    /// Was decided.
    Decided,
    /// The post is gone at the forum.
    Withdrawn,
}

/// Arguments of `sluice review list`.
#[derive(Debug, Args)]
pub(in crate::review) struct ListArgs {
    /// Show only cases in this state [default: all]
    #[arg(long, value_enum)]
    state: Option<State>,
    /// Show only cases of this queue; a queue is named by the category that held the post
    #[arg(long, value_name = "QUEUE")]
    queue: Option<String>,
    /// Show only cases of posts by this author
    #[arg(long, value_name = "AUTHOR")]
    author: Option<String>,
    /// Show at most N cases, 1 to 10000
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Print one JSON object per line
    ///
    /// Keys: case, post, kind (held, appeal or second), state (waiting, claimed, escalated, decided or withdrawn), queue,
    /// category, priority, opened_at, claimed_by, claimed_until, title, author, of_decision (the decision that is
    /// appealed against or reviewed a second time; null while that is blind), not_by (who made it, and must not decide the
    /// case), opinion (the second opinion), reason (why the author appeals), handed_out (how often it was claimed), revision (of the post's last decision, 0 if there is none), closed_at, fingerprint (the same for posts
    /// with the same text).
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Claimed => "claimed",
            Self::Escalated => "escalated",
            Self::Decided => "decided",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// Lists them.
///
/// # Errors
/// When the database cannot be asked, or stdout not be written.
pub(in crate::review) async fn run(args: ListArgs) -> anyhow::Result<Exit> {
    let desk = Desk::open(&args.database).await?;
    // One more than is shown, to see whether there are more.
    let filter = CaseFilter {
        state: args.state.map(State::as_str),
        queue: args.queue.as_deref(),
        author: args.author.as_deref(),
        limit: args.limit + 1,
        ..CaseFilter::default()
    };
    let mut cases = desk.ok(desk.store.cases(&filter).await)?;
    desk.store.close().await;
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let more = cases.len() > limit;
    cases.truncate(limit);
    if args.json {
        output::print(|out| cases.iter().try_for_each(|case| output::json_line(out, case)))?;
    } else {
        let (now, mut rows) = (OffsetDateTime::now_utc(), Rows::new(&COLUMNS)?);
        cases.iter().for_each(|case| _ = rows.add(row(case, now)));
        rows.print()?;
    }
    if cases.is_empty() {
        report!("no case passes the filters");
    } else if more {
        report!("there are more; --limit shows up to 10000, --state and --queue fewer");
    }
    Ok(Exit::Done)
}

fn row(case: &StoredCase, now: OffsetDateTime) -> Vec<String> {
    let title = case.title.as_deref().map_or_else(|| "-".to_owned(), |title| cut(title, SHOWN));
    let title = match case.kind {
        CaseKind::Held => title,
        CaseKind::Appeal => format!("appeal: {title}"),
        CaseKind::Second => format!("second review: {title}"),
    };
    vec![
        case.case.to_string(),
        case.state.to_owned(),
        cut(&case.queue, SHOWN),
        case.priority.to_string(),
        span(now - case.opened_at),
        case.claimed_by.as_deref().map_or_else(|| "-".to_owned(), line),
        case.author.as_deref().map_or_else(|| "-".to_owned(), |author| cut(author, SHOWN)),
        title,
    ]
}

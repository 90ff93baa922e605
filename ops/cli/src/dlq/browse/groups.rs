//! `sluice dlq groups`: the dead letters by kind of failure, the first thing to read when their number grows.

use std::ops::ControlFlow;

use clap::Args;
use sluice_core::config::BrokerArgs;
use sluice_runtime::exit::Exit;
use time::OffsetDateTime;

use super::group::{Group, Groups};
use crate::browse::DeadLetters;
use crate::columns::Column;
use crate::dlq::select::{Filters, Selection};
use crate::hint;
use crate::rows::Rows;
use crate::times::shown;
use crate::visible::line;
use sluice_runtime::output::{self, report};

/// The columns without and with `--since`.
const COLUMNS: [Column; 9] = {
    let [count, hour, class, code, fingerprint, first, last, _, example, message] = COLUMNS_SINCE;
    [count, hour, class, code, fingerprint, first, last, example, message]
};
const COLUMNS_SINCE: [Column; 10] = [
    Column::number("COUNT"),
    Column::number("LAST HOUR").goes(3),
    Column::whole("CLASS").goes(2),
    Column::text("CODE", 12),
    Column::whole("FINGERPRINT"),
    Column::whole("FIRST SEEN").goes(5),
    Column::whole("LAST SEEN").goes(1),
    Column::whole("NEW"),
    Column::whole("FOR EXAMPLE").goes(4),
    Column::text("MESSAGE", 20),
];
/// The message for the dead letters that are not grouped.
const OTHERS: &str = "of further kinds, beyond the first thousand";

/// Arguments of `sluice dlq groups`.
#[derive(Debug, Args)]
pub(in crate::dlq) struct GroupsArgs {
    #[command(flatten)]
    broker: BrokerArgs,
    #[command(flatten)]
    filters: Filters,
    /// Print one JSON object per line
    ///
    /// Keys: fingerprint, count, last_hour, class, code, message, first_seen, last_seen, new (null without --since),
    /// samples. At most a thousand kinds are told apart; if there are more, a last line with fingerprint null counts
    /// the dead letters of all the others.
    #[arg(long)]
    json: bool,
}

/// Shows the kinds, the largest first.
pub(in crate::dlq) async fn run(args: GroupsArgs) -> anyhow::Result<Exit> {
    args.filters.check()?;
    let dead = DeadLetters::new(&args.broker, "dlq groups")?;
    let mut groups = Groups::new(OffsetDateTime::now_utc(), args.filters.since);
    let mut at_any_time = Selection::new(Filters { since: None, limit: None, ..args.filters.clone() });
    let mut selection = Selection::new(args.filters);
    let mut counted = 0;
    let total = dead
        .look(|dead_letter| {
            if selection.takes(&dead_letter.summary, dead_letter.body()) {
                counted += 1;
                groups.count(dead_letter.summary);
            } else if at_any_time.takes(&dead_letter.summary, dead_letter.body()) {
                groups.pass_over(dead_letter.summary);
            }
            ControlFlow::Continue(())
        })
        .await?;
    let others = groups.others();
    let groups = groups.sorted();
    if args.json {
        output::print(|out| {
            groups.iter().try_for_each(|group| output::json_line(out, group))?;
            let rest = serde_json::json!({ "fingerprint": null, "count": others, "message": OTHERS });
            if others > 0 { output::json_line(out, &rest) } else { Ok(()) }
        })?;
        return Ok(Exit::Done);
    }
    in_rows(&groups)?.print()?;
    if others > 0 {
        report!("{others} more are {OTHERS}; --code, --class, --since or --contains narrow it");
    }
    let queue = dead.topology.dead_letter_queue();
    report!("{counted} of {total} dead letters in {queue}, of {} kinds", groups.len());
    if let Some(Group { fingerprint, .. }) = groups.first() {
        report!("those of a kind: {}", hint::with_flag("dlq list", &dead.prefix, "--fingerprint", fingerprint));
    }
    Ok(Exit::Done)
}

fn in_rows(groups: &[Group]) -> anyhow::Result<Rows> {
    let asked = groups.iter().any(|group| group.new.is_some());
    let mut rows = Rows::new(if asked { &COLUMNS_SINCE } else { &COLUMNS })?;
    for group in groups {
        let mut row = vec![
            group.count.to_string(),
            group.last_hour.to_string(),
            group.class.to_string(),
            line(&group.code),
            line(&group.fingerprint),
            shown(group.first_seen),
            shown(group.last_seen),
        ];
        row.extend(group.new.map(|new| if new { "new" } else { "known" }.to_owned()));
        row.push(group.samples.first().map(|id| line(id)).unwrap_or_default());
        row.push(line(&group.message));
        if !rows.add(row) {
            break;
        }
    }
    Ok(rows)
}

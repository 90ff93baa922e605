//! A preview printed: the list of a dry run, and the plan of a replay.

use sluice_runtime::exit::Exit;

use super::Preview;
use crate::dlq::browse::list::{row, rows};
use crate::dlq::operation::plan::Plan;
use crate::dlq::report::outcome::{NO_SUCH_DEAD_LETTER, report_json};
use crate::dlq::report::wording::Wording;
use crate::visible::line;
use sluice_runtime::output::{self, report};

/// Prints what would be done.
pub(in crate::dlq) fn dry_run(preview: Preview, wording: Wording, json: bool) -> anyhow::Result<Exit> {
    let Wording { past, would, .. } = wording;
    let exit = preview.listed();
    let Preview { count, unknown, plan, all, .. } = preview;
    let mut rows = rows()?;
    for dead_letter in all.read()? {
        let (dead_letter, forecast) = dead_letter?;
        if json {
            let forecast = forecast.map(|forecast| format!("; {forecast}")).unwrap_or_default();
            report_json(&dead_letter.id, would, &format!("{}, {}{forecast}", dead_letter.class, dead_letter.code));
        } else {
            rows.add(row(&dead_letter));
        }
    }
    rows.print()?;
    if json {
        unknown.iter().for_each(|id| report_json(id, "unknown", NO_SUCH_DEAD_LETTER));
    } else {
        unknown.iter().for_each(|id| report!("{}: {NO_SUCH_DEAD_LETTER}", line(id)));
    }
    if let Some(plan) = plan.filter(|_| !json) {
        output::say(&plan.text());
    }
    report!("{count} would be {past}; nothing was done");
    Ok(exit)
}

/// Prints the plan of a replay.
pub(in crate::dlq) fn plan(preview: &Preview, json: bool) -> anyhow::Result<Exit> {
    let empty = Plan::default();
    let plan = preview.plan.as_ref().unwrap_or(&empty);
    if json {
        output::print(|out| plan.json(out))?;
    } else if preview.count > 0 {
        output::print(|out| write!(out, "{}", plan.text()))?;
    }
    preview.unknown.iter().for_each(|id| report!("{}: {NO_SUCH_DEAD_LETTER}", line(id)));
    if preview.count == 0 {
        report!("no dead letter passes the filters");
    }
    report!("this is a plan; nothing was done");
    Ok(preview.planned())
}

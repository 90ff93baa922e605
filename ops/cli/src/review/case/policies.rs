//! `sluice review policies`: the reasons that decisions may name.

use clap::Args;
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};

use crate::columns::Column;
use crate::policies::PolicyArgs;
use crate::rows::Rows;
use crate::visible::cut;

/// The columns of the table.
const COLUMNS: [Column; 4] = [
    Column::whole("ID"),
    Column::text("TITLE", 10),
    Column::text("CATEGORIES", 8).goes(1),
    Column::text("MESSAGE", 20),
];

/// Arguments of `sluice review policies`.
#[derive(Debug, Args)]
pub(in crate::review) struct PoliciesArgs {
    #[command(flatten)]
    policies: PolicyArgs,
    /// Print one JSON object per line: {"id", "title", "message", "categories"}
    #[arg(long)]
    json: bool,
}

/// Lists them.
///
/// # Errors
/// What is wrong with the file.
pub(in crate::review) fn run(args: &PoliciesArgs) -> anyhow::Result<Exit> {
    let policies = args.policies.read()?;
    let Some(set) = &policies.set else {
        report!(
            "there are no policies: SLUICE_POLICIES (or --policies) names no file, and a rejection needs no reason"
        );
        return Ok(Exit::Done);
    };
    if args.json {
        output::print(|out| policies.list().iter().try_for_each(|policy| output::json_line(out, policy)))?;
        return Ok(Exit::Done);
    }
    let mut rows = Rows::new(&COLUMNS)?;
    for policy in policies.list() {
        let categories = policy.categories.join(", ");
        rows.add([&policy.id, &policy.title, &categories, &policy.message].map(|cell| cut(cell, 300)).to_vec());
    }
    rows.print()?;
    report!("of {}", crate::visible::line(set));
    Ok(Exit::Done)
}

//! `sluice decisions endpoints`: how far each endpoint has come.

use clap::Args;
use sluice_core::config::DatabaseArgs;
use sluice_mysql::review::EndpointStatus;
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};
use time::OffsetDateTime;

use super::endpoint::{ok, open};
use crate::columns::Column;
use crate::rows::Rows;
use crate::times::{shown, span};
use crate::visible::{cut, line};

/// The columns of the table.
const COLUMNS: [Column; 8] = [
    Column::whole("ENDPOINT"),
    Column::text("STATE", 12),
    Column::number("SEQ").goes(4),
    Column::number("DELIVERED").goes(3),
    Column::number("UNDELIVERED"),
    Column::number("FAILING").goes(1),
    Column::number("OLDEST").goes(2),
    Column::text("LAST ERROR", 12),
];

/// Arguments of `sluice decisions endpoints`.
#[derive(Debug, Args)]
pub(super) struct EndpointsArgs {
    /// Print one JSON object per line
    ///
    /// Keys: endpoint, seq (events up to this place of the feed are for it), delivered, undelivered, failing (of those
    /// undelivered, how many were tried and refused), oldest (when the oldest undelivered event was decided), error (the
    /// last one), paused_at, paused_by.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Lists them.
///
/// # Errors
/// When the database cannot be asked, or stdout not be written.
pub(super) async fn run(args: EndpointsArgs) -> anyhow::Result<Exit> {
    let store = open(&args.database).await?;
    let statuses = ok(&store, store.endpoint_statuses().await)?;
    store.close().await;
    if args.json {
        output::print(|out| statuses.iter().try_for_each(|status| output::json_line(out, status)))?;
    } else {
        let (now, mut rows) = (OffsetDateTime::now_utc(), Rows::new(&COLUMNS)?);
        statuses.iter().for_each(|status| _ = rows.add(row(status, now)));
        rows.print()?;
    }
    if statuses.is_empty() {
        report!("there is no endpoint yet; `sluice console` makes those of SLUICE_ENDPOINTS known");
    }
    Ok(Exit::Done)
}

fn row(status: &EndpointStatus, now: OffsetDateTime) -> Vec<String> {
    let state = match (status.paused_at, &status.paused_by) {
        (None, _) => "sending".to_owned(),
        (Some(at), by) => {
            let by = by.as_deref().map(|by| format!(" by {}", cut(by, 100))).unwrap_or_default();
            format!("paused since {}{by}", shown(Some(at)))
        }
    };
    vec![
        line(&status.endpoint),
        state,
        status.seq.to_string(),
        status.delivered.to_string(),
        status.undelivered.to_string(),
        status.failing.to_string(),
        status.oldest.map_or_else(|| "-".to_owned(), |oldest| span(now - oldest)),
        status.error.as_deref().map_or_else(|| "-".to_owned(), |error| cut(error, 200)),
    ]
}

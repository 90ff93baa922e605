//! `sluice decisions follow`: the feed, one event a line.
//!
//! An event gets its place in the feed when the time for an undo that nobody hears of is over. `sluice console` gives
//! the places; where none runs, this does.

use std::io::Write;
use std::time::Duration;

use clap::Args;
use sluice_core::config::{DatabaseArgs, duration};
use sluice_core::failure::Failure;
use sluice_core::moderation::{Event, EventType};
use sluice_mysql::Store;
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};
use sluice_runtime::shutdown;

use super::endpoint::{ok, open};
use crate::times::shown;

/// The wait between two looks.
const APART: Duration = Duration::from_secs(1);
/// How many events are read at once.
const PAGE: u32 = 200;

/// Arguments of `sluice decisions follow`.
#[derive(Debug, Args)]
pub(super) struct FollowArgs {
    /// Begin after this place of the feed; 0: at its beginning
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    after: u64,
    /// End after N events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Print the events that there are and end, instead of waiting for more
    #[arg(long)]
    once: bool,
    /// How old an event has to be before it gets its place in the feed: until then, an undo comes with it
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    delay: Duration,
    /// Print one JSON object per line: the event as endpoints are sent it
    ///
    /// Keys: type (post.held, post.decided or appeal.decided), id (the decision; of post.held, the case), seq (its place
    /// in the feed), post, revision, verdict, previous (what stood before), cause, policies, message (for the author),
    /// appealable_until, decided_at, by (moderator, lead or system).
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Follows it.
///
/// # Errors
/// When the database cannot be asked at first, or with `--once`; or stdout cannot be written.
pub(super) async fn run(args: FollowArgs) -> anyhow::Result<Exit> {
    let stop = shutdown::on_interrupt()?;
    let store = open(&args.database).await?;
    let (mut after, mut left) = (args.after, args.limit.unwrap_or(u64::MAX));
    let mut unreachable = false;
    loop {
        let page = u32::try_from(left).unwrap_or(PAGE).min(PAGE);
        match look(&store, args.delay, after, page).await {
            Ok((numbered, events)) => {
                if std::mem::take(&mut unreachable) {
                    report!("MySQL answers again");
                }
                output::print(|out| events.iter().try_for_each(|(seq, body)| print(out, *seq, body, args.json)))?;
                left -= events.len() as u64;
                after = events.last().map_or(after, |(seq, _)| *seq);
                if left == 0 {
                    return Ok(Exit::Done);
                }
                let more = numbered > 0 || events.len() as u64 == u64::from(page);
                if more && !stop.is_cancelled() {
                    continue;
                }
            }
            Err(failure) if args.once => return Err(store.with_context(failure).into()),
            Err(failure) => {
                // Whoever follows wants to go on when it is back; it is said once.
                if !std::mem::replace(&mut unreachable, true) {
                    report!("{}; trying again each second", store.with_context(failure));
                }
            }
        }
        if stop.is_cancelled() {
            return Ok(Exit::Done);
        }
        if args.once {
            waiting(&store, args.delay).await?;
            return Ok(Exit::Done);
        }
        tokio::select! {
            () = tokio::time::sleep(APART) => {}
            () = stop.cancelled() => return Ok(Exit::Done),
        }
    }
}

/// Says how many events have no place yet, if any.
async fn waiting(store: &Store, delay: Duration) -> anyhow::Result<()> {
    let waiting = ok(store, store.review_counts().await)?.unnumbered;
    if waiting > 0 {
        let events = if waiting == 1 { "1 event gets its".to_owned() } else { format!("{waiting} events get their") };
        report!("{events} place in the feed when {}s old (--delay)", delay.as_secs_f64());
    }
    Ok(())
}

/// Gives the next events their places, at most a page of them, and reads a page. Gives how many got one.
async fn look(store: &Store, delay: Duration, after: u64, page: u32) -> Result<(u64, Vec<(u64, String)>), Failure> {
    let delay = time::Duration::try_from(delay).unwrap_or(time::Duration::MAX);
    let numbered = store.number_events(delay).await?;
    Ok((numbered, store.events(after, page).await?))
}

fn print(out: &mut dyn Write, seq: u64, body: &str, json: bool) -> std::io::Result<()> {
    match (serde_json::from_str::<Event>(body), json) {
        (Ok(event), true) => output::json_line(out, &event),
        (Ok(event), false) => writeln!(out, "{}", told(&event)),
        // Of another version: as it is, on one line.
        (Err(_), _) => output::json_line(out, &serde_json::from_str::<serde_json::Value>(body).unwrap_or(seq.into())),
    }
}

/// An event on one line, for people.
fn told(event: &Event) -> String {
    let Event { kind, id, seq, post, revision, verdict, previous, cause, policies, decided_at, by, .. } = event;
    let (seq, at) = (seq.map_or_else(|| "-".to_owned(), |seq| seq.to_string()), shown(Some(*decided_at)));
    if *kind == EventType::PostHeld {
        return format!("{seq}  {at}  post {post} is held: case {id}");
    }
    // The role is the cause of most.
    let cause = cause.filter(|cause| cause.as_str() != by).map(|cause| format!(", {cause}")).unwrap_or_default();
    let policies = match policies.as_slice() {
        [] => String::new(),
        named => format!(", for {}", crate::visible::cut(&named.join(", "), 200)),
    };
    let by = crate::visible::line(by);
    format!("{seq}  {at}  post {post} is {verdict}, was {previous} (revision {revision}, by a {by}{cause}{policies})")
}

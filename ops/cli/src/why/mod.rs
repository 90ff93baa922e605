//! `sluice why`: the history of one post, from all sources.
//!
//! ```text
//!  dead letters (one look) ─┐
//!  the table of posts ──────┼──► story: what happened, in order ──► where it is now
//!  the audit log ───────────┤
//!  people's review ─────────┘
//! ```

mod event;
mod known;
mod meant;
mod place;
mod reviewed;
mod story;
mod text;

use clap::Args;
use serde::Serialize;
use sluice_core::config::ServerArgs;
use sluice_mysql::Store;
use sluice_runtime::exit::Exit;

use crate::browse::DeadLetters;
use event::Event;
use known::Known;
use place::Whereabouts;
use reviewed::Reviewed;
use sluice_runtime::output;

/// Arguments of `sluice why`.
#[derive(Debug, Args)]
pub struct WhyArgs {
    /// Id of the post, as returned by the producer, or id of its message
    ///
    /// The beginning of an id is enough (at least 4 characters) if no other post's or dead letter's id begins with it;
    /// while a post waits in the queue, it is only found by its complete id. `latest` selects the post that was
    /// recorded last, of the thousand posts whose ids Sluice made last.
    id: String,
    #[command(flatten)]
    servers: ServerArgs,
    /// Print one JSON object
    ///
    /// Keys: id, place (recorded, dead, dropped, pruned, waiting or unknown), now (the same in words), events [{at, what,
    /// detail}], post (the row), dead_letters (as in `sluice dlq list --json`), operations (as in `sluice dlq audit
    /// --json`, oldest first), cases (as in `sluice review list --json`), claims [{case, by, at, ended_at, outcome}],
    /// decisions [{decision, case, revision, verdict, previous, cause, policies, message, note, decided_by, role, act,
    /// undoes, decided_at, appealable_until}], opinions [{opinion, case, of_decision, verdict, agrees, policies, note,
    /// given_by, role, given_at}], blind (whether a blind second review is open: what was decided is left out then, and who
    /// claimed the other cases), deliveries [{endpoint, decision, seq, attempts, status, error,
    /// delivered_at}], forgotten (who had the texts erased: {by, reason, at}, or null), pruned (who had
    /// the row deleted by `sluice prune`: {prune, by, at}, or null), trace (the id of the trace
    /// that its dead letter names, or null), unreachable [what could not be
    /// queried, and why].
    #[arg(long)]
    json: bool,
}

/// Tells it.
///
/// # Errors
/// When a setting is wrong, stdout cannot be written, several ids begin as the given one, or MySQL cannot say which post
/// is the latest.
pub async fn run(args: WhyArgs) -> anyhow::Result<Exit> {
    let dead = DeadLetters::new(&args.servers.broker, "why")?;
    let store = Store::new(&args.servers.database)?;
    let Some(named) = meant::resolve(&dead, &store, &args.id).await? else { return Ok(Exit::Partial) };
    let mut known = Known::default();
    known.ask_broker(&dead, &named).await;
    known.ask_database(&store, &dead.prefix, &named).await;
    store.close().await;
    let (place, now) = place::place(&known, &dead.topology, &dead.prefix);
    let told = StoryJson { id: named.text(), place, now, events: story::events(&known), known: &known };
    output::print(|out| if args.json { output::json_line(out, &told) } else { write!(out, "{}", text::page(&told)) })?;
    Ok(match place {
        _ if !known.unreachable.is_empty() => Exit::Failed,
        Whereabouts::Unknown => Exit::Partial,
        _ => Exit::Done,
    })
}

/// The story, as it is told.
struct StoryJson<'a> {
    id: &'a str,
    place: Whereabouts,
    now: String,
    events: Vec<Event>,
    known: &'a Known,
}

impl Serialize for StoryJson<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut told = serializer.serialize_struct("StoryJson", 17)?;
        told.serialize_field("id", self.id)?;
        told.serialize_field("place", &self.place)?;
        told.serialize_field("now", &self.now)?;
        told.serialize_field("events", &self.events)?;
        told.serialize_field("post", &self.known.row)?;
        told.serialize_field("dead_letters", &self.known.dead_letters)?;
        told.serialize_field("operations", &self.known.operations)?;
        let Reviewed { cases, claims, blind, decisions, opinions, deliveries, forgotten } = &self.known.reviewed;
        told.serialize_field("cases", cases)?;
        told.serialize_field("claims", claims)?;
        told.serialize_field("blind", blind)?;
        told.serialize_field("decisions", decisions)?;
        told.serialize_field("opinions", opinions)?;
        told.serialize_field("deliveries", deliveries)?;
        told.serialize_field("forgotten", forgotten)?;
        told.serialize_field("pruned", &self.known.pruned)?;
        told.serialize_field("trace", &self.known.trace)?;
        told.serialize_field("unreachable", &self.known.unreachable)?;
        told.end()
    }
}

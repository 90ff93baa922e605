//! `sluice why`: the whole story of one post, from all places that know a part of it.
//!
//! ```text
//!  dead letters (one look) ─┐
//!  the table of posts ──────┼──► story: what happened, in order ──► where it is now
//!  the audit log ───────────┤
//!  people's review ─────────┘
//! ```

mod event;
mod reviewed;
mod story;
mod text;

use std::ops::ControlFlow;

use clap::Args;
use serde::Serialize;
use sluice_core::config::ServerArgs;
use sluice_core::named::Named;
use sluice_core::post::PostId;
use sluice_mysql::{AuditEntry, Content, Store, StoredPost};
use sluice_rabbit::dead_letters::DeadLetterSummary;
use sluice_runtime::exit::Exit;
use time::OffsetDateTime;

use crate::browse::DeadLetters;
use crate::depths::Depths;
use event::Event;
use reviewed::Reviewed;
use sluice_runtime::output;
use story::Whereabouts;

/// Arguments of `sluice why`.
#[derive(Debug, Args)]
pub struct WhyArgs {
    /// Id of the post, as returned by the producer, or id of its message
    id: String,
    #[command(flatten)]
    servers: ServerArgs,
    /// Print one JSON object
    ///
    /// Keys: id, place (recorded, dead, dropped, waiting or unknown), now (the same in words), events [{at, what,
    /// detail}], post (the row), dead_letters (as in `sluice dlq list --json`), operations (as in `sluice dlq audit
    /// --json`, oldest first), cases (as in `sluice review list --json`), claims [{case, by, at, ended_at, outcome}],
    /// decisions [{decision, case, revision, verdict, previous, cause, policies, message, note, decided_by, role, act,
    /// undoes, decided_at, appealable_until}], deliveries [{endpoint, decision, seq, attempts, status, error,
    /// delivered_at}], forgotten (who had the texts erased: {by, reason, at}, or null), unreachable [what could not be
    /// queried, and why].
    #[arg(long)]
    json: bool,
}

/// The most operations that are told of, the last ones.
const OPERATIONS: u32 = 1000;

/// What each place knows.
#[derive(Debug, Default)]
struct Known {
    row: Option<StoredPost>,
    dead_letters: Vec<DeadLetterSummary>,
    /// What the first of them says, if it is a post.
    says: Option<Content>,
    operations: Vec<AuditEntry>,
    /// What people did about the row.
    reviewed: Reviewed,
    /// How many posts wait in the queue.
    waiting: u32,
    /// Who could not be asked, and why.
    unreachable: Vec<String>,
}

/// Tells it.
///
/// # Errors
/// When a setting is wrong or stdout cannot be written.
pub async fn run(args: WhyArgs) -> anyhow::Result<Exit> {
    let dead = DeadLetters::new(&args.servers.broker, "why")?;
    let store = Store::new(&args.servers.database)?;
    let (named, mut known) = (Named::new(&args.id), Known::default());
    ask_broker(&dead, &named, &mut known).await;
    ask_database(&store, &dead.prefix, &named, &mut known).await;
    store.close().await;
    let (place, now) = story::place(&known, &dead.topology, &dead.prefix);
    let told = StoryJson { id: &args.id, place, now, events: story::events(&known), known: &known };
    output::print(|out| if args.json { output::json_line(out, &told) } else { write!(out, "{}", text::page(&told)) })?;
    Ok(match place {
        _ if !known.unreachable.is_empty() => Exit::Failed,
        Whereabouts::Unknown => Exit::Partial,
        _ => Exit::Done,
    })
}

async fn ask_broker(dead: &DeadLetters, named: &Named, known: &mut Known) {
    match Depths::ask(&dead.broker, &dead.topology).await {
        Ok(depths) => known.waiting = depths.posts.ready,
        // One line for RabbitMQ is enough.
        Err(error) => return known.unreachable.push(format!("RabbitMQ: {error}")),
    }
    let look = dead.look(|dead_letter| {
        if dead_letter.summary.is(named) {
            if known.dead_letters.is_empty() {
                known.says = dead_letter.post(OffsetDateTime::now_utc()).ok().map(|post| Content::of(&post));
            }
            known.dead_letters.push(dead_letter.summary);
        }
        ControlFlow::Continue(())
    });
    if let Err(error) = look.await {
        known.unreachable.push(format!("dead letters: {error:#}"));
    }
}

async fn ask_database(store: &Store, prefix: &str, named: &Named, known: &mut Known) {
    let asked = async {
        known.operations = store.audit_log(prefix, Some(named), OPERATIONS).await?;
        known.operations.reverse();
        for id in posts(named, known) {
            known.row = store.post(id).await?;
            if known.row.is_some() {
                known.reviewed = Reviewed::ask(store, id).await?;
                break;
            }
        }
        Ok(())
    };
    if let Err(failure) = asked.await {
        known.unreachable.push(format!("MySQL: {}", store.with_context(failure)));
    }
}

/// The posts that may be meant: the one that is named, then those that dead letters of this name hold or held.
fn posts(named: &Named, known: &Known) -> Vec<PostId> {
    let held = known.dead_letters.iter().filter_map(|dead_letter| dead_letter.post);
    let were = known.operations.iter().filter_map(|operation| operation.post.as_ref()?.parse().ok());
    let mut posts = Vec::new();
    for post in named.post().into_iter().chain(held).chain(were) {
        if !posts.contains(&post) {
            posts.push(post);
        }
    }
    posts
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
        let mut told = serializer.serialize_struct("StoryJson", 13)?;
        told.serialize_field("id", self.id)?;
        told.serialize_field("place", &self.place)?;
        told.serialize_field("now", &self.now)?;
        told.serialize_field("events", &self.events)?;
        told.serialize_field("post", &self.known.row)?;
        told.serialize_field("dead_letters", &self.known.dead_letters)?;
        told.serialize_field("operations", &self.known.operations)?;
        let Reviewed { cases, claims, decisions, deliveries, forgotten } = &self.known.reviewed;
        told.serialize_field("cases", cases)?;
        told.serialize_field("claims", claims)?;
        told.serialize_field("decisions", decisions)?;
        told.serialize_field("deliveries", deliveries)?;
        told.serialize_field("forgotten", forgotten)?;
        told.serialize_field("unreachable", &self.known.unreachable)?;
        told.end()
    }
}

//! `sluice why`: the whole story of one post, from all places that know a part of it.
//!
//! ```text
//!  dead letters (one look) ─┐
//!  the table of posts ──────┼──► story: what happened, in order ──► where it is now
//!  the audit log ──────┘
//! ```

mod story;
mod text;

use std::ops::ControlFlow;

use clap::Args;
use serde::Serialize;
use sluice_core::config::{BrokerArgs, DatabaseArgs};
use sluice_core::named::Named;
use sluice_core::post::PostId;
use sluice_mysql::{AuditEntry, Content, Store, StoredPost};
use sluice_rabbit::delivery::DeadLetterSummary;
use sluice_runtime::exit::Exit;
use time::OffsetDateTime;

use crate::browse::DeadLetters;
use crate::depths::Depths;
use sluice_runtime::output;
use story::{Event, Place};

/// Which post, and how.
#[derive(Debug, Args)]
pub struct WhyArgs {
    /// The post's id, as the producer answered it, or the id of its message
    id: String,
    #[command(flatten)]
    broker: BrokerArgs,
    #[command(flatten)]
    database: DatabaseArgs,
    /// One JSON object: id, place (recorded, dead, dropped, waiting or unknown), now (the same in words), events [{at,
    /// what, detail}], post (the row), letters (as in `sluice dlq list --json`), acts (as in `sluice dlq audit
    /// --json`, the oldest first), away [what could not be asked, and why]
    #[arg(long)]
    json: bool,
}

/// The most acts that are told of, the last ones.
const ACTS: u32 = 1000;

/// What each place knows.
#[derive(Debug, Default)]
struct Known {
    row: Option<StoredPost>,
    letters: Vec<DeadLetterSummary>,
    /// What the first of them says, if it is a post.
    says: Option<Content>,
    acts: Vec<AuditEntry>,
    /// How many posts wait in the queue.
    waiting: u32,
    /// Who could not be asked, and why.
    away: Vec<String>,
}

/// Tells it.
///
/// # Errors
/// When a setting is wrong or stdout cannot be written.
pub async fn run(args: WhyArgs) -> anyhow::Result<Exit> {
    let dead = DeadLetters::new(&args.broker, "why")?;
    let store = Store::new(&args.database)?;
    let (named, mut known) = (Named::new(&args.id), Known::default());
    ask_broker(&dead, &named, &mut known).await;
    ask_database(&store, &dead.prefix, &named, &mut known).await;
    store.close().await;
    let (place, now) = story::place(&known, &dead.topology, &dead.prefix);
    let told = Told { id: &args.id, place, now, events: story::events(&known), known: &known };
    output::print(|out| if args.json { output::json_line(out, &told) } else { write!(out, "{}", text::page(&told)) })?;
    Ok(match place {
        _ if !known.away.is_empty() => Exit::Failed,
        Place::Unknown => Exit::Partial,
        _ => Exit::Done,
    })
}

async fn ask_broker(dead: &DeadLetters, named: &Named, known: &mut Known) {
    match Depths::ask(&dead.broker, &dead.topology).await {
        Ok(depths) => known.waiting = depths.posts.ready,
        // One line for RabbitMQ is enough.
        Err(error) => return known.away.push(format!("RabbitMQ: {error}")),
    }
    let look = dead.look(|letter| {
        if letter.summary.is(named) {
            if known.letters.is_empty() {
                known.says = letter.post(OffsetDateTime::now_utc()).ok().map(|post| Content::of(&post));
            }
            known.letters.push(letter.summary);
        }
        ControlFlow::Continue(())
    });
    if let Err(error) = look.await {
        known.away.push(format!("dead letters: {error:#}"));
    }
}

async fn ask_database(store: &Store, prefix: &str, named: &Named, known: &mut Known) {
    let asked = async {
        known.acts = store.audit_log(prefix, Some(named), ACTS).await?;
        known.acts.reverse();
        for id in posts(named, known) {
            known.row = store.post(id).await?;
            if known.row.is_some() {
                break;
            }
        }
        Ok(())
    };
    if let Err(failure) = asked.await {
        known.away.push(format!("MySQL: {}", store.blame(failure)));
    }
}

/// The posts that may be meant: the one that is named, then those that letters of this name hold or held.
fn posts(named: &Named, known: &Known) -> Vec<PostId> {
    let held = known.letters.iter().filter_map(|letter| letter.post);
    let were = known.acts.iter().filter_map(|act| act.post.as_ref()?.parse().ok());
    let mut posts = Vec::new();
    for post in named.post().into_iter().chain(held).chain(were) {
        if !posts.contains(&post) {
            posts.push(post);
        }
    }
    posts
}

/// The story, as it is told.
struct Told<'a> {
    id: &'a str,
    place: Place,
    now: String,
    events: Vec<Event>,
    known: &'a Known,
}

impl Serialize for Told<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut told = serializer.serialize_struct("Told", 8)?;
        told.serialize_field("id", self.id)?;
        told.serialize_field("place", &self.place)?;
        told.serialize_field("now", &self.now)?;
        told.serialize_field("events", &self.events)?;
        told.serialize_field("post", &self.known.row)?;
        told.serialize_field("letters", &self.known.letters)?;
        told.serialize_field("acts", &self.known.acts)?;
        told.serialize_field("away", &self.known.away)?;
        told.end()
    }
}

//! What the audit log keeps of dead letters that were taken out of RabbitMQ, so that they can be restored.
//!
//! A line of the audit log says `dropped`; the dead letter itself is archived beside it. The line stands until another
//! operation's line undoes it: nothing is ever changed or taken away.

use std::collections::HashSet;

use mysql_async::prelude::FromRow;
use mysql_async::{FromRowError, Row, Value};
use time::{OffsetDateTime, PrimitiveDateTime};

use super::audit::{of_dead_letter, reason};
use super::{LineId, Store};
use sluice_core::disposition::Class;
use sluice_core::failure::Failure;
use sluice_core::named::Named;
use sluice_core::post::PostId;

/// How many dead letters are read at once, and about how many bytes of them. One dead letter may be larger than this.
const PAGE: usize = 50;
const PAGE_BYTES: u64 = 4 * 1024 * 1024;
/// How many ids one query asks for.
const ASK: usize = 1000;

/// A dead letter that was dropped and not brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The entry of the audit log that says so.
    pub line: LineId,
    /// The dead letter's id.
    pub dead_letter: String,
    /// When it was dropped, UTC.
    pub at: OffsetDateTime,
    /// The dead letter in full, in the form of `sluice dlq export`.
    pub transcript: String,
}

/// An operation that dropped dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropOperation {
    /// Its id.
    pub id: String,
    /// By whom: user and host.
    pub actor: String,
    /// Why, in their own words.
    pub reason: Option<String>,
}

/// The last thing that the audit log says of a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastOperation {
    /// `dropped`, `destroyed`, `restored`, …
    pub outcome: String,
    /// In which operation.
    pub operation: String,
    /// By whom.
    pub actor: String,
    /// When, UTC.
    pub at: OffsetDateTime,
}

/// Outcomes which show that a dead letter was still in the queue when its drop was in the audit log: the drop was cut
/// short, and somebody has acted on the dead letter since. This does not hold for dead letters without an id: they are
/// identified by what they hold, and another one may hold the same.
pub(super) const ACTED_ON: &str = "'replayed', 'edited', 'reverted', 'destroyed'";

/// A line and what is archived of its dead letter.
const ITEM: &str = "l.operation, l.number, l.dead_letter, l.at, k.transcript";

/// The lines that are still to be undone.
fn dropped(what: &str, which: &str) -> String {
    format!(
        "SELECT {what} FROM operation_items l \
         JOIN archived_dead_letters k ON k.operation = l.operation AND k.number = l.number \
         WHERE l.outcome = 'dropped' AND {which} \
         AND NOT EXISTS (SELECT 1 FROM undone_items u WHERE u.of_operation = l.operation AND u.of_number = l.number) \
         AND (l.dead_letter LIKE 'anonymous-%' OR NOT EXISTS (SELECT 1 FROM operation_items s WHERE s.dead_letter = l.dead_letter \
         AND s.at > l.at AND s.outcome IN ({ACTED_ON}))) ORDER BY l.operation, l.number LIMIT {PAGE}"
    )
}

impl Store {
    /// The operations that dropped dead letters of this prefix, the oldest first.
    ///
    /// # Errors
    /// The server's.
    pub async fn drops(&self, prefix: &str) -> Result<Vec<DropOperation>, Failure> {
        let statement =
            "SELECT id, actor, CAST(selection AS CHAR) FROM operations WHERE prefix = ? AND kind = 'drop' ORDER BY id";
        let rows: Vec<(String, String, String)> =
            self.read("the query for drops", statement.to_owned(), vec![prefix.into()]).await?;
        let read = |(id, actor, asked): (String, String, String)| DropOperation {
            id,
            actor,
            reason: serde_json::from_str(&asked).ok().as_ref().and_then(reason),
        };
        Ok(rows.into_iter().map(read).collect())
    }

    /// The next dead letters that an operation dropped and nobody restored, after the one with this number. Empty:
    /// there are no more.
    ///
    /// # Errors
    /// The server's.
    pub async fn dropped_in(&self, operation: &str, after: u32) -> Result<Vec<Dropped>, Failure> {
        let Some(last) = self.page(operation, after).await? else { return Ok(Vec::new()) };
        let statement = dropped(ITEM, "l.operation = ? AND l.number > ? AND l.number <= ?");
        let asked = vec![operation.into(), after.into(), last.into()];
        self.read("the query for dropped dead letters", statement, asked).await
    }

    /// The number of the last dead letter of the next page.
    async fn page(&self, operation: &str, after: u32) -> Result<Option<u32>, Failure> {
        let sizes = "l.number, OCTET_LENGTH(k.transcript)";
        let statement = dropped(sizes, "l.operation = ? AND l.number > ?");
        let sizes: Vec<(u32, u64)> =
            self.read("the query for dropped dead letters", statement, vec![operation.into(), after.into()]).await?;
        let mut sum = 0;
        let fits = sizes.iter().take_while(|(_, bytes)| {
            let before = sum;
            sum += bytes;
            before == 0 || sum <= PAGE_BYTES
        });
        Ok(fits.last().map(|(number, _)| *number))
    }

    /// The dropped dead letters of these lines, without those that were restored.
    ///
    /// # Errors
    /// The server's.
    pub async fn dropped_dead_letters(&self, lines: &[LineId]) -> Result<Vec<Dropped>, Failure> {
        let mut found = Vec::with_capacity(lines.len());
        for lines in lines.chunks(PAGE) {
            let places = vec!["(l.operation = ? AND l.number = ?)"; lines.len()].join(" OR ");
            let asked = lines.iter().flat_map(|line| [line.operation.as_str().into(), line.number.into()]).collect();
            found
                .extend(self.read("reading dropped dead letters", dropped(ITEM, &format!("({places})")), asked).await?);
        }
        Ok(found)
    }

    /// The first dead letter that is archived in an operation, as it was before the operation, and on which line.
    ///
    /// # Errors
    /// The server's.
    pub async fn archived_in(&self, operation: &str) -> Result<Option<(LineId, String)>, Failure> {
        let statement =
            "SELECT number, transcript FROM archived_dead_letters WHERE operation = ? ORDER BY number LIMIT 1"
                .to_owned();
        let mut found: Vec<(u32, String)> =
            self.read("the query for an archived dead letter", statement, vec![operation.into()]).await?;
        let line = |number| LineId { operation: operation.to_owned(), number };
        Ok(found.pop().map(|(number, transcript)| (line(number), transcript)))
    }

    /// Which of these posts an operator dropped and nobody put back since. A dead letter that another program published
    /// under the id of a post is not that post.
    ///
    /// # Errors
    /// The server's.
    pub async fn dropped(&self, ids: &[PostId]) -> Result<HashSet<PostId>, Failure> {
        let mut found = HashSet::new();
        for ids in ids.chunks(ASK) {
            let marks = vec!["?"; ids.len()].join(", ");
            let statement = format!(
                "SELECT DISTINCT d.dead_letter, d.post, JSON_UNQUOTE(JSON_EXTRACT(d.death, '$.class')) FROM operation_items d \
                 WHERE (d.dead_letter IN ({marks}) OR d.post IN ({marks})) AND d.outcome IN ('dropped', 'destroyed') \
                 AND NOT EXISTS (SELECT 1 FROM undone_items u WHERE u.of_operation = d.operation AND u.of_number = d.number) \
                 AND NOT EXISTS (SELECT 1 FROM operation_items b WHERE b.dead_letter = d.dead_letter AND b.at > d.at \
                 AND b.outcome IN ('replayed', 'imported', 'restored', 'edited', 'reverted'))"
            );
            let asked: Vec<Value> = [ids, ids].concat().iter().map(|id| id.to_string().into()).collect();
            let rows: Vec<(String, Option<String>, Option<String>)> =
                self.read("the query for dropped posts", statement, asked).await?;
            for (dead_letter, post, class) in rows {
                let message: Option<PostId> = dead_letter.parse().ok();
                let post = match (post, &class) {
                    (Some(post), _) => post.parse().ok(),
                    (None, Some(_)) => None,
                    // Earlier versions noted neither.
                    (None, None) => message,
                };
                if message == post && class.as_deref() != Some(Class::Unknown.as_str()) {
                    found.extend(post);
                }
            }
        }
        Ok(found)
    }

    /// The last thing that became of a dead letter in this prefix: taken out, put back, or neither.
    ///
    /// # Errors
    /// The server's.
    pub async fn fate(&self, prefix: &str, dead_letter: &Named) -> Result<Option<LastOperation>, Failure> {
        let (of_dead_letter, names) = of_dead_letter(dead_letter);
        let statement = format!(
            "SELECT l.outcome, l.operation, a.actor, l.at FROM operation_items l JOIN operations a ON a.id = l.operation \
             WHERE a.prefix = ? AND {of_dead_letter} AND l.outcome IN ('dropped', 'restored', 'present', {ACTED_ON}) \
             ORDER BY l.at DESC, l.operation DESC, l.number DESC LIMIT 1"
        );
        let asked = [vec![prefix.into()], names].concat();
        let mut found: Vec<(String, String, String, PrimitiveDateTime)> =
            self.read("the query for a dead letter's last operation", statement, asked).await?;
        Ok(found.pop().map(|(outcome, operation, actor, at)| LastOperation {
            outcome,
            operation,
            actor,
            at: at.assume_utc(),
        }))
    }
}

impl FromRow for Dropped {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        type Columns = (String, u32, String, PrimitiveDateTime, String);
        let (operation, number, dead_letter, at, transcript) = Columns::from_row_opt(row)?;
        Ok(Self { line: LineId { operation, number }, dead_letter, at: at.assume_utc(), transcript })
    }
}

//! The record of what operators did to which letters. It is only ever added to.

use std::collections::HashSet;

use mysql_async::prelude::Queryable;
use mysql_async::{Params, TxOpts, Value};
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::Store;
use super::insertion::datetime;
use crate::failure::DUPLICATE_KEY;
use sluice_core::dead_letter::Death;
use sluice_core::disposition::Class;
use sluice_core::failure::{Failure, Kind};
use sluice_core::post::PostId;

/// How many letters one statement records, and the most bytes that are kept of them: servers refuse a statement of
/// 16 MiB. One letter may be larger than this.
const WRITE: usize = 500;
const WRITE_BYTES: usize = 6 * 1024 * 1024;
/// How many ids one query asks for.
const ASK: usize = 1000;

/// What a statement has around what is kept of one letter, and more.
const AROUND: usize = 16 * 1024;

/// What an operator did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ActKind {
    /// Put letters back to work.
    Replay,
    /// Took letters out.
    Drop,
    /// Took letters out and kept nothing of them.
    Destroy,
    /// Put dropped letters back among the dead ones.
    Restore,
    /// Put exported letters back among the dead ones.
    Import,
    /// Changed a letter's body.
    Edit,
    /// Gave a letter the body back that it had before it was edited.
    EditUndo,
}

impl ActKind {
    /// Its name in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replay => "replay",
            Self::Drop => "drop",
            Self::Destroy => "destroy",
            Self::Restore => "restore",
            Self::Import => "import",
            Self::Edit => "edit",
            Self::EditUndo => "edit_undo",
        }
    }
}

/// One act: who did what, to which selection of letters.
#[derive(Debug, Clone, Serialize)]
pub struct Act {
    /// Its id.
    pub id: String,
    /// What was done.
    pub kind: ActKind,
    /// By whom: user and host.
    pub actor: String,
    /// In which prefix.
    pub prefix: String,
    /// The selection, as it was asked for.
    pub selection: serde_json::Value,
    /// When it began, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub begun_at: OffsetDateTime,
}

impl Act {
    /// A new act, beginning now.
    #[must_use]
    pub fn begin(kind: ActKind, actor: String, prefix: String, selection: serde_json::Value) -> Self {
        Self { id: Uuid::now_v7().to_string(), kind, actor, prefix, selection, begun_at: OffsetDateTime::now_utc() }
    }
}

/// What became of one letter in an act.
#[derive(Debug, Clone, Serialize)]
pub struct OperationItem {
    /// Its number within the act, from 1.
    pub number: u32,
    /// The letter's id.
    pub letter: String,
    /// The id of the post that it holds.
    pub post: Option<PostId>,
    /// `replayed`, `dropped`, `failed`, …
    pub outcome: &'static str,
    /// Why, where there is more to say.
    pub detail: String,
    /// How it had died, for the time when the letter is gone.
    #[serde(skip)]
    pub death: Option<Death>,
    /// The letter in full, in the form of `sluice dlq export`, where the act takes it out of RabbitMQ.
    #[serde(skip)]
    pub kept: Option<String>,
    /// The lines of earlier acts that this one undoes.
    #[serde(skip)]
    pub undoes: Vec<LineId>,
}

/// One line of the record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineId {
    /// The act.
    pub act: String,
    /// The letter's number within it.
    pub number: u32,
}

impl Store {
    /// The most bytes of one letter that the record can keep: what the server takes in one statement, without the
    /// statement around it.
    ///
    /// # Errors
    /// The server's.
    pub async fn room_for_a_letter(&self) -> Result<usize, Failure> {
        let limit = self.asked_packet().await?;
        Ok(limit.saturating_sub(AROUND))
    }

    /// Records that an act begins. An act that cannot be recorded must not be done.
    ///
    /// # Errors
    /// The server's.
    pub async fn record_act(&self, act: &Act) -> Result<(), Failure> {
        let pool = self.pool();
        let values =
            (&act.id, act.kind.as_str(), &act.actor, &act.prefix, act.selection.to_string(), datetime(act.begun_at));
        let recorded = self
            .bounded("recording an act", async {
                let mut connection = pool.get_conn().await?;
                let statement = "INSERT INTO acts (id, kind, actor, prefix, selection, begun_at) \
                                 VALUES (?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE id = id";
                connection.exec_drop(statement, values).await?;
                if connection.affected_rows() > 0 {
                    return Ok(true);
                }
                let there = connection.exec_first("SELECT 1 FROM acts WHERE id = ?", (&act.id,)).await?;
                Ok(there.is_some_and(|there: u8| there == 1))
            })
            .await?;
        if recorded { Ok(()) } else { Err(passed_over("acts")) }
    }

    /// Records what became of letters: each with what is kept of it and what it undoes, or not at all. Repeating it
    /// changes nothing.
    ///
    /// # Errors
    /// The server's.
    pub async fn record_letters(&self, act: &Act, letters: &[OperationItem]) -> Result<(), Failure> {
        let now = OffsetDateTime::now_utc();
        let keeps = letters.iter().any(|letter| letter.kept.is_some());
        // Half of what the server takes leaves room for all that is around.
        let most = if keeps { WRITE_BYTES.min(self.asked_packet().await? / 2) } else { WRITE_BYTES };
        for letters in portions(letters, most) {
            let pool = self.pool();
            let tables = tables(act, letters, now);
            let refused = self
                .bounded("recording letters", async {
                    let mut connection = pool.get_conn().await?;
                    if let [lines] = &tables[..] {
                        return Ok((!lines.record(&mut connection).await?).then_some(lines.table));
                    }
                    let mut transaction = connection.start_transaction(TxOpts::default()).await?;
                    for lines in &tables {
                        if !lines.record(&mut transaction).await? {
                            transaction.rollback().await?;
                            return Ok(Some(lines.table));
                        }
                    }
                    transaction.commit().await?;
                    Ok(None)
                })
                .await?;
            if let Some(table) = refused {
                return Err(passed_over(table));
            }
        }
        Ok(())
    }

    /// Which of these posts an operator dropped, and nobody put back since. What a stranger had put among the dead letters
    /// under the id of a post is not that post.
    ///
    /// # Errors
    /// The server's.
    pub async fn dropped(&self, ids: &[PostId]) -> Result<HashSet<PostId>, Failure> {
        let mut found = HashSet::new();
        for ids in ids.chunks(ASK) {
            let marks = vec!["?"; ids.len()].join(", ");
            let statement = format!(
                "SELECT DISTINCT d.letter, d.post, JSON_UNQUOTE(JSON_EXTRACT(d.death, '$.class')) FROM act_letters d \
                 WHERE (d.letter IN ({marks}) OR d.post IN ({marks})) AND d.outcome IN ('dropped', 'destroyed') \
                 AND NOT EXISTS (SELECT 1 FROM undone_letters u WHERE u.of_act = d.act AND u.of_number = d.number) \
                 AND NOT EXISTS (SELECT 1 FROM act_letters b WHERE b.letter = d.letter AND b.at > d.at \
                 AND b.outcome IN ('replayed', 'imported', 'restored', 'edited', 'reverted'))"
            );
            let asked: Vec<Value> = [ids, ids].concat().iter().map(|id| id.to_string().into()).collect();
            let rows: Vec<(String, Option<String>, Option<String>)> =
                self.read("a look for dropped posts", statement, asked).await?;
            for (letter, post, class) in rows {
                let message: Option<PostId> = letter.parse().ok();
                let post = match (post, &class) {
                    (Some(post), _) => post.parse().ok(),
                    (None, Some(_)) => None,
                    // Versions before this one noted neither.
                    (None, None) => message,
                };
                if message == post && class.as_deref() != Some(Class::Unknown.as_str()) {
                    found.extend(post);
                }
            }
        }
        Ok(found)
    }
}

/// Letters whose record fits into one statement.
fn portions(mut letters: &[OperationItem], most: usize) -> impl Iterator<Item = &[OperationItem]> {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = letters.iter().take(WRITE).take_while(|letter| {
            let before = bytes;
            let death = letter.death.as_ref().map_or(0, |_| 3 * Death::TEXT_MAX_BYTES);
            bytes += letter.kept.as_ref().map_or(0, String::len) + death;
            before == 0 || bytes <= most
        });
        let (portion, rest) = letters.split_at(fits.count());
        letters = rest;
        (!portion.is_empty()).then_some(portion)
    })
}

/// What is said of a record that is not there though its insert raised no error.
fn passed_over(table: &str) -> Failure {
    let message = format!("a unique key of `{table}` that is none of ours refuses the record; drop that key");
    Failure::new(Kind::Permanent, DUPLICATE_KEY, message)
}

/// Lines of one table.
struct Lines {
    table: &'static str,
    columns: &'static [&'static str],
    /// Whose first two columns are the table's primary key.
    values: Vec<Vec<Value>>,
}

impl Lines {
    /// Inserts them, and says whether all of them are there: a line that is there already is left as it is, but that a
    /// line was not inserted does not mean that it is there.
    async fn record(&self, connection: &mut impl Queryable) -> Result<bool, mysql_async::Error> {
        let Self { table, columns, values } = self;
        let key = columns[0];
        let row = format!("({})", vec!["?"; columns.len()].join(", "));
        let rows = vec![row.as_str(); values.len()].join(", ");
        let columns = columns.join(", ");
        let statement = format!("INSERT INTO {table} ({columns}) VALUES {rows} ON DUPLICATE KEY UPDATE {key} = {key}");
        let inserted = connection.exec_iter(statement, Params::Positional(values.concat())).await?;
        let new = inserted.affected_rows();
        inserted.drop_result().await?;
        if usize::try_from(new) == Ok(values.len()) {
            return Ok(true);
        }
        let statement = format!("SELECT 1 FROM {table} WHERE {key} = ? AND {} = ?", self.columns[1]);
        for line in values {
            let there: Option<u8> = connection.exec_first(statement.as_str(), line[..2].to_vec()).await?;
            if there.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What records these letters, in this order.
fn tables(act: &Act, letters: &[OperationItem], now: OffsetDateTime) -> Vec<Lines> {
    let lines = letters.iter().map(|letter| values(act, letter, now).into()).collect();
    let kept = letters.iter().filter_map(|letter| {
        let kept: Value = letter.kept.as_deref()?.into();
        Some(vec![act.id.as_str().into(), letter.number.into(), kept])
    });
    let undone = letters.iter().flat_map(|letter| {
        letter.undoes.iter().map(|LineId { act: of, number }| {
            vec![of.as_str().into(), (*number).into(), act.id.as_str().into(), letter.number.into()]
        })
    });
    let tables = [
        Lines {
            table: "act_letters",
            columns: &["act", "number", "letter", "outcome", "detail", "at", "post", "death"],
            values: lines,
        },
        Lines { table: "kept_letters", columns: &["act", "number", "transcript"], values: kept.collect() },
        Lines { table: "undone_letters", columns: &["of_act", "of_number", "act", "number"], values: undone.collect() },
    ];
    tables.into_iter().filter(|lines| !lines.values.is_empty()).collect()
}

fn values(act: &Act, letter: &OperationItem, now: OffsetDateTime) -> [Value; 8] {
    [
        act.id.as_str().into(),
        letter.number.into(),
        letter.letter.as_str().into(),
        letter.outcome.into(),
        letter.detail.as_str().into(),
        datetime(now),
        letter.post.map(|post| post.to_string()).into(),
        letter.death.as_ref().and_then(|death| serde_json::to_string(death).ok()).into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(number: u32, bytes: usize) -> OperationItem {
        let kept = Some("x".repeat(bytes));
        OperationItem {
            number,
            letter: number.to_string(),
            post: None,
            outcome: "dropped",
            detail: String::new(),
            death: None,
            kept,
            undoes: Vec::new(),
        }
    }

    #[test]
    fn no_statement_is_larger_than_it_may_be_unless_for_one_letter() {
        let letters = [10, WRITE_BYTES, WRITE_BYTES / 2, WRITE_BYTES / 2, 2 * WRITE_BYTES, 0, 1];
        let letters: Vec<_> = (1u32..).zip(letters).map(|(number, bytes)| outcome(number, bytes)).collect();
        let portions: Vec<Vec<u32>> = portions(&letters, WRITE_BYTES)
            .map(|portion| portion.iter().map(|letter| letter.number).collect())
            .collect();
        assert_eq!(portions, [vec![1], vec![2], vec![3, 4], vec![5], vec![6, 7]]);
    }
}

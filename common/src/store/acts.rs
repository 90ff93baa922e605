//! The record of what operators did to which letters. It is only ever added to.

use std::collections::HashSet;

use mysql_async::prelude::Queryable;
use mysql_async::{Params, TxOpts, Value};
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::Store;
use super::insertion::datetime;
use crate::dead_letter::Death;
use crate::disposition::Class;
use crate::failure::Failure;
use crate::post::PostId;

/// How many letters one statement records, and the most bytes that are kept of them: servers refuse a statement of
/// 16 MiB. One letter may be larger than this.
const WRITE: usize = 500;
const WRITE_BYTES: usize = 6 * 1024 * 1024;
/// How many ids one query asks for.
const ASK: usize = 1000;

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
    Undrop,
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
            Self::Undrop => "undrop",
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
pub struct LetterOutcome {
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
    /// Records that an act begins. An act that cannot be recorded must not be done.
    ///
    /// # Errors
    /// The server's.
    pub async fn record_act(&self, act: &Act) -> Result<(), Failure> {
        let pool = self.pool();
        let values =
            (&act.id, act.kind.as_str(), &act.actor, &act.prefix, act.selection.to_string(), datetime(act.begun_at));
        self.bounded("recording an act", async {
            let mut connection = pool.get_conn().await?;
            let statement = "INSERT INTO acts (id, kind, actor, prefix, selection, begun_at) \
                             VALUES (?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE id = id";
            connection.exec_drop(statement, values).await
        })
        .await
    }

    /// Records what became of letters: each with what is kept of it and what it undoes, or not at all. Repeating it
    /// changes nothing.
    ///
    /// # Errors
    /// The server's.
    pub async fn record_letters(&self, act: &Act, letters: &[LetterOutcome]) -> Result<(), Failure> {
        let now = OffsetDateTime::now_utc();
        for letters in portions(letters) {
            let pool = self.pool();
            let statements = statements(act, letters, now);
            self.bounded("recording letters", async {
                let mut connection = pool.get_conn().await?;
                if let [(statement, values)] = &statements[..] {
                    return connection.exec_drop(statement, Params::Positional(values.clone())).await;
                }
                let mut transaction = connection.start_transaction(TxOpts::default()).await?;
                for (statement, values) in statements {
                    transaction.exec_drop(statement, Params::Positional(values)).await?;
                }
                transaction.commit().await
            })
            .await?;
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
                 AND b.outcome IN ('replayed', 'imported', 'undropped', 'edited', 'restored'))"
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
fn portions(mut letters: &[LetterOutcome]) -> impl Iterator<Item = &[LetterOutcome]> {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = letters.iter().take(WRITE).take_while(|letter| {
            let before = bytes;
            let death = letter.death.as_ref().map_or(0, |_| 3 * Death::TEXT_MAX_BYTES);
            bytes += letter.kept.as_ref().map_or(0, String::len) + death;
            before == 0 || bytes <= WRITE_BYTES
        });
        let (portion, rest) = letters.split_at(fits.count());
        letters = rest;
        (!portion.is_empty()).then_some(portion)
    })
}

/// What records these letters, in this order.
fn statements(act: &Act, letters: &[LetterOutcome], now: OffsetDateTime) -> Vec<(String, Vec<Value>)> {
    let lines = letters.iter().flat_map(|letter| values(act, letter, now)).collect();
    let kept = letters.iter().filter_map(|letter| {
        let kept: Value = letter.kept.as_deref()?.into();
        Some([act.id.as_str().into(), letter.number.into(), kept])
    });
    let undone = letters.iter().flat_map(|letter| {
        letter.undoes.iter().map(|LineId { act: of, number }| {
            [of.as_str().into(), (*number).into(), act.id.as_str().into(), letter.number.into()]
        })
    });
    let tables = [
        ("act_letters (act, number, letter, outcome, detail, at, post, death)", 8, lines),
        ("kept_letters (act, number, transcript)", 3, kept.flatten().collect()),
        ("undone_letters (of_act, of_number, act, number)", 4, undone.flatten().collect::<Vec<Value>>()),
    ];
    let filled = tables.into_iter().filter(|(_, _, values)| !values.is_empty());
    filled
        .map(|(table, columns, values)| {
            let row = format!("({})", vec!["?"; columns].join(", "));
            let rows = vec![row.as_str(); values.len() / columns].join(", ");
            (format!("INSERT INTO {table} VALUES {rows} ON DUPLICATE KEY UPDATE act = act"), values)
        })
        .collect()
}

fn values(act: &Act, letter: &LetterOutcome, now: OffsetDateTime) -> [Value; 8] {
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

    fn outcome(number: u32, bytes: usize) -> LetterOutcome {
        let kept = Some("x".repeat(bytes));
        LetterOutcome {
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
        let portions: Vec<Vec<u32>> =
            portions(&letters).map(|portion| portion.iter().map(|letter| letter.number).collect()).collect();
        assert_eq!(portions, [vec![1], vec![2], vec![3, 4], vec![5], vec![6, 7]]);
    }
}

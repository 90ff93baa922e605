//! The record of what operators did to which letters. It is only ever added to.

use std::collections::HashSet;

use mysql_async::prelude::Queryable;
use mysql_async::{Params, TxOpts, Value};
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::Store;
use super::insertion::datetime;
use crate::failure::Failure;
use crate::post::PostId;

/// How many letters one statement records, and the most bytes that are kept of them: servers refuse a statement of
/// 16 MiB. One letter may be larger than this.
const WRITE: usize = 500;
const WRITE_BYTES: usize = 6 * 1024 * 1024;

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
    /// `replayed`, `dropped`, `failed`, …
    pub outcome: &'static str,
    /// Why, where there is more to say.
    pub detail: String,
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
        let limit = self.packet_limit().await?;
        Ok(limit.saturating_sub(AROUND))
    }

    async fn packet_limit(&self) -> Result<usize, Failure> {
        let pool = self.pool();
        let limit: Option<u64> = self
            .bounded("asking for max_allowed_packet", async {
                pool.get_conn().await?.query_first("SELECT CAST(@@max_allowed_packet AS UNSIGNED)").await
            })
            .await?;
        Ok(limit.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(WRITE_BYTES))
    }

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
        let keeps = letters.iter().any(|letter| letter.kept.is_some());
        // Half of what the server takes leaves room for all that is around.
        let most = if keeps { WRITE_BYTES.min(self.packet_limit().await? / 2) } else { WRITE_BYTES };
        for letters in portions(letters, most) {
            let pool = self.pool();
            let statements = statements(act, letters, now);
            self.bounded("recording letters", async {
                let mut connection = pool.get_conn().await?;
                if statements.len() == 1 {
                    for (statement, values) in statements {
                        connection.exec_drop(statement, Params::Positional(values)).await?;
                    }
                    return Ok(());
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

    /// Which of these posts an operator dropped, and nobody put back since.
    ///
    /// # Errors
    /// The server's.
    pub async fn dropped(&self, ids: &[PostId]) -> Result<HashSet<PostId>, Failure> {
        let query = "SELECT DISTINCT d.letter FROM act_letters d WHERE d.outcome IN ('dropped', 'destroyed') \
                     AND NOT EXISTS (SELECT 1 FROM undone_letters u WHERE u.of_act = d.act AND u.of_number = d.number) \
                     AND NOT EXISTS (SELECT 1 FROM act_letters b WHERE b.letter = d.letter AND b.at > d.at \
                     AND b.outcome IN ('replayed', 'imported', 'undropped', 'edited', 'restored')) AND d.letter";
        self.which(query, ids).await
    }
}

/// Letters whose record fits into one statement.
fn portions(mut letters: &[LetterOutcome], most: usize) -> impl Iterator<Item = &[LetterOutcome]> {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = letters.iter().take(WRITE).take_while(|letter| {
            let before = bytes;
            bytes += letter.kept.as_ref().map_or(0, String::len);
            before == 0 || bytes <= most
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
        ("act_letters (act, number, letter, outcome, detail, at)", 6, lines),
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

fn values(act: &Act, letter: &LetterOutcome, now: OffsetDateTime) -> [Value; 6] {
    [
        act.id.as_str().into(),
        letter.number.into(),
        letter.letter.as_str().into(),
        letter.outcome.into(),
        letter.detail.as_str().into(),
        datetime(now),
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
            outcome: "dropped",
            detail: String::new(),
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

//! What the record keeps of letters that were taken out of RabbitMQ, for whoever wants them back.
//!
//! A line of the record says `dropped`; the letter itself is kept beside it. The line stands until another act's line
//! undoes it: nothing is ever changed or taken away.

use mysql_async::prelude::{FromRow, Queryable};
use mysql_async::{FromRowError, Params, Row, Value};
use time::{OffsetDateTime, PrimitiveDateTime};

use super::audit::{of_letter, reason};
use super::{LineId, Store};
use sluice_core::failure::Failure;
use sluice_core::named::Named;

/// How many letters are read at once, and about how many bytes of them. One letter may be larger than this.
const PAGE: usize = 50;
const PAGE_BYTES: u64 = 4 * 1024 * 1024;

/// A letter that was dropped and not brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The line of the record that says so.
    pub line: LineId,
    /// The letter's id.
    pub letter: String,
    /// When it was dropped, UTC.
    pub at: OffsetDateTime,
    /// The letter.
    pub form: Form,
}

/// An act that dropped letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropAct {
    /// Its id.
    pub id: String,
    /// By whom: user and host.
    pub actor: String,
    /// Why, in their own words.
    pub reason: Option<String>,
}

/// How a dropped letter is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// In full, in the form of `sluice dlq export`.
    Whole(String),
    /// As the first versions did: its body, and its headers as JSON without their types. Its properties are not known.
    Older {
        /// The body.
        body: Vec<u8>,
        /// The headers, JSON.
        headers: String,
    },
}

/// The last thing that the record says of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// `dropped`, `destroyed`, `restored`, …
    pub outcome: String,
    /// In which act.
    pub act: String,
    /// By whom.
    pub actor: String,
    /// When, UTC.
    pub at: OffsetDateTime,
}

/// What shows that a letter was in the queue after all when its drop was on the record: the drop was cut short, and
/// somebody has acted on the letter since. Letters without an id are told by what they hold, and another may hold the
/// same.
pub(super) const ACTED_ON: &str = "'replayed', 'edited', 'reverted', 'destroyed'";

/// A line and what is kept of its letter.
const LETTER: &str = "l.act, l.number, l.letter, l.at, k.transcript, l.body, l.headers";

/// The lines that are still to be undone.
fn dropped(what: &str, which: &str) -> String {
    format!(
        "SELECT {what} FROM act_letters l \
         LEFT JOIN kept_letters k ON k.act = l.act AND k.number = l.number \
         WHERE l.outcome = 'dropped' AND {which} \
         AND NOT EXISTS (SELECT 1 FROM undone_letters u WHERE u.of_act = l.act AND u.of_number = l.number) \
         AND (l.letter LIKE 'anonymous-%' OR NOT EXISTS (SELECT 1 FROM act_letters s WHERE s.letter = l.letter \
         AND s.at > l.at AND s.outcome IN ({ACTED_ON}))) ORDER BY l.act, l.number LIMIT {PAGE}"
    )
}

impl Store {
    /// The acts that dropped letters of this prefix, the oldest first.
    ///
    /// # Errors
    /// The server's.
    pub async fn drops(&self, prefix: &str) -> Result<Vec<DropAct>, Failure> {
        let statement =
            "SELECT id, actor, CAST(selection AS CHAR) FROM acts WHERE prefix = ? AND kind = 'drop' ORDER BY id";
        let rows: Vec<(String, String, String)> =
            self.read("a look for drops", statement.to_owned(), vec![prefix.into()]).await?;
        let read = |(id, actor, asked): (String, String, String)| DropAct {
            id,
            actor,
            reason: serde_json::from_str(&asked).ok().as_ref().and_then(reason),
        };
        Ok(rows.into_iter().map(read).collect())
    }

    /// The next letters that an act dropped and nobody brought back, after the one of this number. None: there are no
    /// more.
    ///
    /// # Errors
    /// The server's.
    pub async fn dropped_in(&self, act: &str, after: u32) -> Result<Vec<Dropped>, Failure> {
        let Some(last) = self.page(act, after).await? else { return Ok(Vec::new()) };
        let statement = dropped(LETTER, "l.act = ? AND l.number > ? AND l.number <= ?");
        self.read("a look for dropped letters", statement, vec![act.into(), after.into(), last.into()]).await
    }

    /// The number of the last letter of the next page.
    async fn page(&self, act: &str, after: u32) -> Result<Option<u32>, Failure> {
        let sizes = "l.number, COALESCE(OCTET_LENGTH(k.transcript), OCTET_LENGTH(l.body), 0)";
        let statement = dropped(sizes, "l.act = ? AND l.number > ?");
        let sizes: Vec<(u32, u64)> =
            self.read("a look for dropped letters", statement, vec![act.into(), after.into()]).await?;
        let mut sum = 0;
        let fits = sizes.iter().take_while(|(_, bytes)| {
            let before = sum;
            sum += bytes;
            before == 0 || sum <= PAGE_BYTES
        });
        Ok(fits.last().map(|(number, _)| *number))
    }

    /// The dropped letters of these lines, as far as nobody brought them back.
    ///
    /// # Errors
    /// The server's.
    pub async fn dropped_letters(&self, lines: &[LineId]) -> Result<Vec<Dropped>, Failure> {
        let mut found = Vec::with_capacity(lines.len());
        for lines in lines.chunks(PAGE) {
            let places = vec!["(l.act = ? AND l.number = ?)"; lines.len()].join(" OR ");
            let asked = lines.iter().flat_map(|line| [line.act.as_str().into(), line.number.into()]).collect();
            found.extend(self.read("reading dropped letters", dropped(LETTER, &format!("({places})")), asked).await?);
        }
        Ok(found)
    }

    /// The first letter that is kept in an act, as it was before the act, and on which line.
    ///
    /// # Errors
    /// The server's.
    pub async fn kept_in(&self, act: &str) -> Result<Option<(LineId, String)>, Failure> {
        let statement = "SELECT number, transcript FROM kept_letters WHERE act = ? ORDER BY number LIMIT 1".to_owned();
        let mut found: Vec<(u32, String)> = self.read("a look for a kept letter", statement, vec![act.into()]).await?;
        let line = |number| LineId { act: act.to_owned(), number };
        Ok(found.pop().map(|(number, transcript)| (line(number), transcript)))
    }

    /// The last thing that became of a letter in this prefix: taken out, put back, or neither.
    ///
    /// # Errors
    /// The server's.
    pub async fn fate(&self, prefix: &str, letter: &Named) -> Result<Option<Fate>, Failure> {
        let (of_letter, names) = of_letter(letter);
        let statement = format!(
            "SELECT l.outcome, l.act, a.actor, l.at FROM act_letters l JOIN acts a ON a.id = l.act \
             WHERE a.prefix = ? AND {of_letter} AND l.outcome IN ('dropped', 'restored', 'present', {ACTED_ON}) \
             ORDER BY l.at DESC, l.act DESC, l.number DESC LIMIT 1"
        );
        let asked = [vec![prefix.into()], names].concat();
        let mut found: Vec<(String, String, String, PrimitiveDateTime)> =
            self.read("a look for a letter's fate", statement, asked).await?;
        Ok(found.pop().map(|(outcome, act, actor, at)| Fate { outcome, act, actor, at: at.assume_utc() }))
    }

    pub(super) async fn read<T: FromRow + Send + 'static>(
        &self,
        what: &str,
        statement: String,
        asked: Vec<Value>,
    ) -> Result<Vec<T>, Failure> {
        let pool = self.pool();
        let asked = if asked.is_empty() { Params::Empty } else { Params::Positional(asked) };
        self.bounded(what, async {
            let mut connection = pool.get_conn().await?;
            connection.exec(statement, asked).await
        })
        .await
    }
}

impl FromRow for Dropped {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        type Columns = (String, u32, String, PrimitiveDateTime, Option<String>, Option<Vec<u8>>, Option<String>);
        let (act, number, letter, at, transcript, body, headers) = Columns::from_row_opt(row)?;
        let form = match transcript {
            Some(transcript) => Form::Whole(transcript),
            None => Form::Older { body: body.unwrap_or_default(), headers: headers.unwrap_or_default() },
        };
        Ok(Self { line: LineId { act, number }, letter, at: at.assume_utc(), form })
    }
}

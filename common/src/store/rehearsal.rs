//! The rehearsal: whether posts could be stored now, found out by storing one and taking it back.
//!
//! An insert of no row would find a server that is away or read-only and a table that is missing. A disk that is full, a
//! limit of prepared statements and a column that must have a value are met only by a row. Whoever asks for less opens
//! the gate to the next failure, over and over, and has posts in hand meanwhile.
//!
//! An operator who is about to replay posts asks the same of each of them: only the table itself knows its widths, its
//! checks and its triggers.

use std::collections::HashSet;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Params, TxOpts};
use time::OffsetDateTime;

use super::Store;
use super::insertion::Insertion;
use super::posts::{ROW_MAX_BYTES, Recorded, Row, too_large};
use crate::failure::{Failure, Kind};
use crate::post::{Post, PostId};
use crate::verdict::{Review, Verdict};

/// The text of the rehearsed post, in bytes: as much room as a group of some hundred usual posts takes.
const BYTES: usize = 256 * 1024;

impl Store {
    /// Whether posts could be stored now. Nothing stays of it.
    ///
    /// # Errors
    /// Why not: a dependency's failure or an operator's.
    pub async fn probe(&self) -> Result<(), Failure> {
        let now = OffsetDateTime::now_utc();
        let Insertion { statement, values } = Insertion::new(&[row(now)], "", now);
        let pool = self.pool();
        let tried = self
            .bounded("a probe", async {
                let mut connection = pool.get_conn().await?;
                // Left open, by whatever error, it is taken back with its connection.
                let mut transaction = connection.start_transaction(TxOpts::default()).await?;
                let inserted = transaction.exec_drop(statement, Params::Positional(values)).await;
                let taken_back = transaction.rollback().await;
                inserted.and(taken_back)
            })
            .await;
        match tried {
            // The rehearsed post does not suit the table: a CHECK, a trigger. Others may.
            Err(Failure { kind: Kind::Permanent | Kind::Transient, .. }) => Ok(()),
            answer => answer,
        }
    }
}

/// What would become of one row.
pub type Rehearsed = Result<Recorded, Failure>;

impl Store {
    /// What would become of each of these rows, were they stored now. Nothing stays of it. There should be no more than
    /// some hundred of them: all are tried in one transaction.
    ///
    /// # Errors
    /// Why it cannot be found out: a dependency's failure or an operator's.
    pub async fn rehearse(&self, rows: &[Row]) -> Result<Vec<Rehearsed>, Failure> {
        let ids: Vec<PostId> = rows.iter().map(|row| row.post.id).collect();
        let mut there: HashSet<PostId> = self.recorded(&ids).await?;
        let mut fates: Vec<Option<Rehearsed>> = Vec::with_capacity(rows.len());
        for row in rows {
            fates.push(match there.insert(row.post.id) {
                false => Some(Ok(Recorded::AlreadyRecorded)),
                true if row.bytes() > ROW_MAX_BYTES => Some(Err(too_large(row))),
                true => None,
            });
        }
        let open: Vec<&Row> = rows.iter().zip(&fates).filter(|(_, fate)| fate.is_none()).map(|(row, _)| row).collect();
        let mut tried = self.try_out(&open).await?.into_iter();
        let fate = |fate: Option<Rehearsed>| fate.or_else(|| tried.next()).unwrap_or(Ok(Recorded::Inserted));
        Ok(fates.into_iter().map(fate).collect())
    }

    /// All in one statement; where that is refused, one by one.
    async fn try_out(&self, rows: &[&Row]) -> Result<Vec<Rehearsed>, Failure> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let together = self.insert_and_take_back(&[rows]).await?;
        if matches!(together.as_slice(), [Ok(_)]) {
            return Ok(rows.iter().map(|_| Ok(Recorded::Inserted)).collect());
        }
        self.insert_and_take_back(&rows.chunks(1).collect::<Vec<_>>()).await
    }

    /// An answer for each group. A group that is refused does not end the transaction.
    async fn insert_and_take_back(&self, groups: &[&[&Row]]) -> Result<Vec<Rehearsed>, Failure> {
        let now = OffsetDateTime::now_utc();
        let pool = self.pool();
        self.bounded("a rehearsal", async {
            let mut connection = pool.get_conn().await?;
            let mut transaction = connection.start_transaction(TxOpts::default()).await?;
            let mut answers = Vec::with_capacity(groups.len());
            for group in groups {
                let rows: Vec<Row> = group.iter().map(|row| (*row).clone()).collect();
                let Insertion { statement, values } = Insertion::new(&rows, "", now);
                match transaction.exec_drop(statement, Params::Positional(values)).await {
                    Ok(()) => answers.push(Ok(Recorded::Inserted)),
                    Err(error) => match Failure::from(error) {
                        failure @ Failure { kind: Kind::Permanent | Kind::Transient, .. } => answers.push(Err(failure)),
                        failure => return Ok(Err(failure)),
                    },
                }
            }
            transaction.rollback().await?;
            Ok(Ok(answers))
        })
        .await?
    }
}

fn row(now: OffsetDateTime) -> Row {
    let post = Post {
        id: PostId::new(),
        title: "rehearsal".to_owned(),
        content: "x".repeat(BYTES),
        author: None,
        submitted_at: now,
    };
    let review = Review {
        verdict: Verdict::Approved,
        reasons: Vec::new(),
        scores: Vec::new(),
        shadow: Vec::new(),
        ruleset: String::new(),
    };
    Row { post, review, reviewed_at: now, attempts: 0 }
}

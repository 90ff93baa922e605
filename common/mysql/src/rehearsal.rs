//! The rehearsal: what would become of posts if they were stored now. They are stored and rolled back.
//!
//! It is for an operator who is about to replay posts: only the table itself knows its widths, its checks, its keys and
//! its triggers.

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Params, Transaction, TxOpts};
use time::OffsetDateTime;

use super::Store;
use super::content::content_in;
use super::engine::not_taken_back;
use super::insertion::Insertion;
use super::refused::all_new;
use super::row::{Recorded, Row, RowOutcome};
use crate::failure::{DUPLICATE_KEY, classify};
use sluice_core::disposition::{Blame, blame};
use sluice_core::failure::{Failure, Kind};
use sluice_core::post::PostId;

/// The worker in rehearsed rows. No worker has an empty name.
const NOBODY: &str = "";

impl Store {
    /// What would become of each of these rows if they were stored now. Nothing of it stays in the table. There should
    /// be no more than some hundred of them, because all are tried in one transaction.
    ///
    /// # Errors
    /// Why it cannot be found out: a dependency's failure or an operator's.
    pub async fn rehearse(&self, rows: &[Row]) -> Result<Vec<RowOutcome>, Failure> {
        self.check_engines().await?;
        self.asked_packet().await?;
        let ids: Vec<PostId> = rows.iter().map(|row| row.post.id).collect();
        let there = self.contents(&ids).await?;
        let known = |row: &Row| match there.get(&row.post.id) {
            Some(stored) => Some(stored.meets(&row.post)),
            None => self.too_large(row).map(Err),
        };
        let fates: Vec<Option<RowOutcome>> = rows.iter().map(known).collect();
        let open: Vec<&Row> = rows.iter().zip(&fates).filter(|(_, fate)| fate.is_none()).map(|(row, _)| row).collect();
        let mut tried = self.try_out(&open).await?.into_iter();
        let fate = |fate: Option<RowOutcome>| fate.or_else(|| tried.next()).unwrap_or(Ok(Recorded::Inserted));
        Ok(fates.into_iter().map(fate).collect())
    }

    /// Tries all in one statement, and one by one if that is refused or does not store each of them.
    async fn try_out(&self, rows: &[&Row]) -> Result<Vec<RowOutcome>, Failure> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        match self.try_together(rows).await {
            Ok(true) => Ok(vec![Ok(Recorded::Inserted); rows.len()]),
            Err(failure) if failure.kind == Kind::Dependency => Err(failure),
            // What looks like a mistake in the schema may be a trigger that refuses one of the rows.
            Ok(false) | Err(_) => self.try_each(rows).await,
        }
    }

    /// Whether one statement would store each of these rows.
    async fn try_together(&self, rows: &[&Row]) -> Result<bool, Failure> {
        let group: Vec<Row> = rows.iter().map(|row| (*row).clone()).collect();
        let Insertion { statement, values } = Insertion::new(&group, NOBODY, OffsetDateTime::now_utc());
        let (all_new, stayed) = self
            .bounded("a trial insert", async {
                let mut connection = self.connection().await?;
                // If an error leaves it open, the end of the connection rolls it back.
                let mut transaction = connection.start_transaction(TxOpts::default()).await?;
                let inserted = transaction.exec_drop(statement, Params::Positional(values)).await;
                let all_new = all_new(&transaction, rows.len());
                let taken_back = transaction.rollback().await;
                inserted.and(taken_back)?;
                Ok((all_new, stayed(&mut connection, rows).await?))
            })
            .await?;
        if stayed { Err(not_taken_back()) } else { Ok(all_new) }
    }

    /// An answer for each row. A row that is refused does not end the transaction; one that is stored can conflict with
    /// those after it, as it would in earnest.
    async fn try_each(&self, rows: &[&Row]) -> Result<Vec<RowOutcome>, Failure> {
        let (answers, stayed) = self
            .bounded("a trial insert", async {
                let mut connection = self.connection().await?;
                let mut transaction = connection.start_transaction(TxOpts::default()).await?;
                let mut answers = Vec::with_capacity(rows.len());
                for row in rows {
                    let answer = try_one(&mut transaction, row).await?;
                    if let Err(failure) = &answer {
                        if !self.is_the_rows_own(failure).await {
                            return Ok((Err(failure.clone()), false));
                        }
                        if failure.kind == Kind::Transient {
                            // A deadlock has ended the transaction, and the next row would stay.
                            transaction.query_drop("ROLLBACK").await?;
                            transaction.query_drop("START TRANSACTION").await?;
                        }
                    }
                    answers.push(answer);
                }
                transaction.rollback().await?;
                Ok((Ok(answers), stayed(&mut connection, rows).await?))
            })
            .await?;
        if stayed { Err(not_taken_back()) } else { answers }
    }

    /// Whether the other rows can still be tried.
    async fn is_the_rows_own(&self, failure: &Failure) -> bool {
        match failure.kind {
            Kind::Permanent | Kind::Transient => true,
            Kind::Operator => blame(failure, &self.probe().await) == Blame::Post,
            Kind::Dependency => false,
        }
    }
}

/// What would become of one row after those that were tried before it.
async fn try_one(transaction: &mut Transaction<'_>, row: &Row) -> Result<RowOutcome, mysql_async::Error> {
    let Insertion { statement, values } = Insertion::strict(row, NOBODY, OffsetDateTime::now_utc());
    let refused = match transaction.exec_drop(statement, Params::Positional(values)).await {
        Ok(()) => return Ok(Ok(Recorded::Inserted)),
        Err(error) => classify(&error),
    };
    let stored = if refused.code == DUPLICATE_KEY { content_in(transaction, row.post.id).await? } else { None };
    Ok(stored.map_or(Err(refused), |stored| stored.meets(&row.post)))
}

/// Whether rows are still there after the rollback; if so, they are deleted. The server warns if a table without
/// transactions took part.
async fn stayed(connection: &mut Conn, rows: &[&Row]) -> Result<bool, mysql_async::Error> {
    if connection.get_warnings() == 0 {
        return Ok(false);
    }
    let mut stayed = false;
    for row in rows {
        let statement = "DELETE FROM posts WHERE id = ? AND worker = ?";
        connection.exec_drop(statement, (row.post.id.to_string(), NOBODY)).await?;
        stayed |= connection.affected_rows() > 0;
    }
    Ok(stayed)
}

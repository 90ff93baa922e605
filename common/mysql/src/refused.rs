//! The rows that an insert skipped. A row that was not inserted need not have been there: any unique key can have
//! refused it. So each is looked up by its id.
//!
//! ```text
//!  its row is there and says the same        ─► already recorded
//!  its row is there and says something else  ─► id_conflict
//!  no row has its id ─► inserted alone ─► inserted, if what was in its way has gone
//!                                      ─► mysql_1062, with the name of the key
//! ```
//!
//! A row that is there may be on this server only. It counts once a later commit has gone through
//! ([`super::commit_test`]).
//!
//! Two workers that insert the same id at once come here as well: the second one waited for the first one's commit.

use std::collections::HashMap;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Params};
use time::OffsetDateTime;

use super::Store;
use super::content::StoredContent;
use super::insertion::Insertion;
use super::row::{Recorded, Row, RowOutcome};
use crate::failure::DUPLICATE_KEY;
use sluice_core::failure::Failure;
use sluice_core::post::PostId;

/// Whether the insert that was last made on a connection stored each of its `rows`.
///
/// A row that was there already counts 0, but 2 if a trigger or a foreign column changed it. So a count of 2 for two
/// rows does not mean that both are new. The second number in the server's message on an insert of several rows
/// (`Records: 3  Duplicates: 0  Warnings: 0`, in the server's language) says how many were changed.
pub(super) fn all_new(connection: &Conn, rows: usize) -> bool {
    let info = connection.info();
    let mut numbers = info.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty());
    let changed = numbers.nth(1).is_some_and(|changed| changed != "0");
    usize::try_from(connection.affected_rows()) == Ok(rows) && !changed
}

impl Store {
    /// What became of each row of an insert of this worker and time that did not store all of them.
    pub(super) async fn sort_out(
        &self,
        rows: &[Row],
        worker: &str,
        now: OffsetDateTime,
    ) -> Result<Vec<RowOutcome>, Failure> {
        let ids: Vec<PostId> = rows.iter().map(|row| row.post.id).collect();
        let there = self.contents(&ids).await?;
        let ours = there.iter().filter(|(_, row)| row.is_by(worker, now)).map(|(id, row)| (*id, row)).collect();
        let inserted = inserted(rows, &ours);
        if ours.len() < there.len() {
            self.test_commit().await?;
        }
        let mut outcomes = Vec::with_capacity(rows.len());
        for (index, row) in rows.iter().enumerate() {
            outcomes.push(match there.get(&row.post.id) {
                Some(_) if inserted.get(&row.post.id) == Some(&index) => Ok(Recorded::Inserted),
                Some(stored) => stored.meets(&row.post),
                None => self.insert_alone(row, worker).await,
            });
        }
        Ok(outcomes)
    }

    /// Inserts a row by itself, because only then the server names the key that refuses it. Like every statement here
    /// it may be repeated: if the id is taken, the row that is stored under it is compared.
    async fn insert_alone(&self, row: &Row, worker: &str) -> RowOutcome {
        let Insertion { statement, values } = Insertion::strict(row, worker, OffsetDateTime::now_utc());
        let inserted = self
            .bounded("an insert", async {
                self.connection().await?.exec_drop(statement, Params::Positional(values)).await
            })
            .await;
        match inserted {
            Ok(()) => Ok(Recorded::Inserted),
            Err(refused) if refused.code == DUPLICATE_KEY => {
                let there = self.contents(&[row.post.id]).await?;
                let Some(stored) = there.get(&row.post.id) else { return Err(refused) };
                self.test_commit().await?;
                stored.meets(&row.post)
            }
            Err(failure) => Err(failure),
        }
    }
}

/// Which of the rows made each of these new rows. Of several with one id that is the first, unless another key refused
/// that one: then the first that says what is stored.
fn inserted(rows: &[Row], ours: &HashMap<PostId, &StoredContent>) -> HashMap<PostId, usize> {
    let mut inserted: HashMap<PostId, usize> = HashMap::with_capacity(ours.len());
    for (index, row) in rows.iter().enumerate() {
        let Some(stored) = ours.get(&row.post.id) else { continue };
        let first = inserted.entry(row.post.id).or_insert(index);
        if *first != index && stored.meets(&rows[*first].post).is_err() && stored.meets(&row.post).is_ok() {
            *first = index;
        }
    }
    inserted
}

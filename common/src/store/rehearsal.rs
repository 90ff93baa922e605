//! The rehearsal: what the table would take now, found out by storing it and taking it back.
//!
//! Whose fault a failure is, no error code tells: a lock on the table and one on a single row have the same, and so have a
//! table that is missing and a trigger that names a missing one for a single author. So the table is asked for a plain
//! row ([`crate::disposition::blame`]); the gate is opened by the same question.
//!
//! An insert of no row would find a server that is away or read-only and a table that is missing. A disk that is full, a
//! limit of prepared statements and a column that must have a value are met only by a row. Whoever asks for less opens
//! the gate to the next failure, over and over, and has posts in hand meanwhile.
//!
//! An operator who is about to replay posts asks the same of each of them: only the table itself knows its widths, its
//! checks and its triggers.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Params, TxOpts, Value};
use time::OffsetDateTime;

use super::Store;
use super::insertion::{Insertion, another_like_the_last};
use super::posts::{Recorded, Row};
use crate::disposition::{Blame, blame};
use crate::failure::{Failure, Kind};
use crate::post::{Post, PostId};
use crate::verdict::{Review, Verdict};

/// The text of the large row, in bytes: as much room as a group of some hundred usual posts takes.
const BYTES: usize = 256 * 1024;
/// The longest wait for plain rows. It is shorter than that for an insert, so that whoever asks while an insert hangs
/// knows before the insert is given up, and longer than the wait for a lock.
const PATIENCE: Duration = Duration::from_secs(4);
/// What is refused within this time was refused for what it is; what took longer waited for a lock.
const AT_ONCE: Duration = Duration::from_millis(500);

impl Store {
    /// Whether posts could be stored now. Nothing stays of it.
    ///
    /// A table may want more of a post than that it is one (an author, some prefix). So it is asked for a post without an
    /// author, for one with an author, and for the one that it took last: one of them is enough. A large row has to find
    /// room as well, but need not suit the table.
    ///
    /// # Errors
    /// Why not: what the first of them met.
    pub async fn probe(&self) -> Result<(), Failure> {
        let pool = self.pool();
        self.bounded_by(PATIENCE, "a plain row", async {
            let mut connection = pool.get_conn().await?;
            let under_way = self.under_way(&connection);
            let taken = self.takes_plain_rows(&mut connection).await;
            under_way.answered();
            taken
        })
        .await
    }

    async fn takes_plain_rows(&self, connection: &mut Conn) -> Result<(), mysql_async::Error> {
        self.ask_packet(connection).await?;
        let begun = Instant::now();
        if let Err(refused) = try_row(connection, None, TEXT).await {
            let with_author = begun.elapsed() < AT_ONCE && try_row(connection, Some("somebody"), TEXT).await.is_ok();
            if !with_author && (begun.elapsed() > AT_ONCE || !takes_the_last_again(connection).await) {
                return Err(refused);
            }
        }
        let large = "x".repeat(BYTES.min(self.packet() / 2));
        match try_row(connection, Some("somebody"), &large).await {
            Err(error) if Failure::from(&error).kind == Kind::Permanent => Ok(()),
            answer => answer,
        }
    }
}

/// Stores a row and takes it back.
async fn try_row(connection: &mut Conn, author: Option<&str>, content: &str) -> Result<(), mysql_async::Error> {
    let now = OffsetDateTime::now_utc();
    let Insertion { statement, values } = Insertion::new(&[row(author, content, now)], "", now);
    insert_once(connection, &statement, values).await.map(drop)
}

async fn takes_the_last_again(connection: &mut Conn) -> bool {
    let id = vec![PostId::new().to_string().into()];
    matches!(insert_once(connection, &another_like_the_last(), id).await, Ok(1))
}

/// How many rows it stored, before they were taken back. Each has a transaction of its own: after a deadlock there is none
/// any more, and the next row would stay.
async fn insert_once(connection: &mut Conn, statement: &str, values: Vec<Value>) -> Result<u64, mysql_async::Error> {
    // Left open, by whatever error, it is taken back with its connection.
    let mut transaction = connection.start_transaction(TxOpts::default()).await?;
    let inserted = transaction.exec_drop(statement, Params::Positional(values)).await;
    let rows = transaction.affected_rows();
    let taken_back = transaction.rollback().await;
    inserted.and(taken_back).map(|()| rows)
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
        let pool = self.pool();
        self.bounded("the largest packet", async { self.ask_packet(&mut pool.get_conn().await?).await }).await?;
        let ids: Vec<PostId> = rows.iter().map(|row| row.post.id).collect();
        let mut there: HashSet<PostId> = self.recorded(&ids).await?;
        let mut fates: Vec<Option<Rehearsed>> = Vec::with_capacity(rows.len());
        for row in rows {
            fates.push(match there.insert(row.post.id) {
                false => Some(Ok(Recorded::AlreadyRecorded)),
                true => self.too_large(row).map(Err),
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
                    Err(error) => {
                        let failure = Failure::from(error);
                        if !self.is_the_rows_own(&failure, group).await {
                            return Ok(Err(failure));
                        }
                        if failure.kind == Kind::Transient {
                            // A deadlock has ended the transaction, and what is tried next would stay.
                            transaction.query_drop("ROLLBACK").await?;
                            transaction.query_drop("START TRANSACTION").await?;
                        }
                        answers.push(Err(failure));
                    }
                }
            }
            transaction.rollback().await?;
            Ok(Ok(answers))
        })
        .await?
    }

    /// Whether the other rows can still be tried. What looks like a mistake in the tables may be what a trigger does to
    /// this row alone.
    async fn is_the_rows_own(&self, failure: &Failure, group: &[&Row]) -> bool {
        match failure.kind {
            Kind::Permanent | Kind::Transient => true,
            Kind::Operator => group.len() > 1 || blame(failure, &self.probe().await) == Blame::Post,
            Kind::Dependency => false,
        }
    }
}

/// What a plain post says.
const TEXT: &str = "A post that is stored to see whether posts can be stored, and taken back.";

fn row(author: Option<&str>, content: &str, now: OffsetDateTime) -> Row {
    let post = Post {
        id: PostId::new(),
        title: "A plain post".to_owned(),
        content: content.to_owned(),
        author: author.map(str::to_owned),
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

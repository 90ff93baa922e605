//! The one way in which cases are changed.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, IsolationLevel, Transaction, TxOpts};
use sluice_core::moderation::act::Refusal;
use sluice_core::post::PostId;
use uuid::Uuid;

use super::case::{COLUMNS, NOT_JOINED, StoredCase};
use crate::Store;
use sluice_core::failure::{Failure, Kind};

/// How often a transaction is repeated that collided with another one: a deadlock, or a refused commit on a cluster.
pub(super) const TRIES: u32 = 5;
/// The wait before each repetition.
const PAUSE: Duration = Duration::from_millis(20);

/// Begins a transaction. READ COMMITTED, so that reads after the lock see the latest state and no gap between rows is
/// locked.
pub(crate) async fn begin(connection: &mut Conn) -> Result<Transaction<'_>, mysql_async::Error> {
    let mut options = TxOpts::new();
    options.with_isolation_level(IsolationLevel::ReadCommitted);
    connection.start_transaction(options).await
}

/// Whether to begin again: somebody else was in the way, and nothing was written.
pub(crate) async fn again(failure: &Failure, tried: u32) -> bool {
    let again = failure.kind == Kind::Transient && tried < TRIES;
    if again {
        tokio::time::sleep(PAUSE * tried).await;
    }
    again
}

/// Locks all cases of a post, the oldest first, and tells how they stand and the highest revision of its decisions.
pub(super) async fn lock(
    transaction: &mut Transaction<'_>,
    post: PostId,
) -> Result<Vec<StoredCase>, mysql_async::Error> {
    let statement = format!(
        "SELECT {COLUMNS}, {NOT_JOINED} FROM review_cases c WHERE c.post = ? \
         ORDER BY c.opened_at, c.id FOR UPDATE"
    );
    let mut cases: Vec<StoredCase> = transaction.exec(statement, (post.to_string(),)).await?;
    let statement = "SELECT COALESCE(MAX(revision), 0) FROM review_decisions WHERE post = ?";
    let revision: u32 = transaction.exec_first(statement, (post.to_string(),)).await?.unwrap_or(0);
    for case in &mut cases {
        case.revision = revision;
    }
    Ok(cases)
}

/// The post of a case.
pub(super) async fn post_of(
    transaction: &mut Transaction<'_>,
    case: Uuid,
) -> Result<Option<PostId>, mysql_async::Error> {
    let statement = "SELECT post FROM review_cases WHERE id = ?";
    let post: Option<String> = transaction.exec_first(statement, (case.to_string(),)).await?;
    Ok(post.and_then(|post| post.parse().ok()))
}

/// Locks one case with all others of its post.
pub(super) async fn lock_case(
    transaction: &mut Transaction<'_>,
    case: Uuid,
) -> Result<Option<StoredCase>, mysql_async::Error> {
    let Some(post) = post_of(transaction, case).await? else { return Ok(None) };
    Ok(lock(transaction, post).await?.into_iter().find(|one| one.case == case))
}

/// A change of a case that is in progress. Boxed, so that it can be awaited on any thread.
pub(super) type Changing<'t, T> =
    Pin<Box<dyn Future<Output = Result<Result<T, Refusal>, mysql_async::Error>> + Send + 't>>;

impl Store {
    /// Changes one case in a transaction, with all cases of its post locked. After a refusal the transaction is rolled
    /// back. `asked` is passed to `change`.
    pub(super) async fn change<A: Sync, T: Send>(
        &self,
        case: Uuid,
        what: &str,
        asked: &A,
        change: impl for<'t> Fn(&'t mut Transaction<'_>, &'t StoredCase, &'t A) -> Changing<'t, T> + Send + Sync,
    ) -> Result<Option<Result<T, Refusal>>, Failure> {
        let mut tried = 1;
        loop {
            let changed = self
                .bounded(what, async {
                    let mut connection = self.connection().await?;
                    let mut transaction = begin(&mut connection).await?;
                    let Some(case) = lock_case(&mut transaction, case).await? else { return Ok(None) };
                    let answer = change(&mut transaction, &case, asked).await?;
                    if answer.is_ok() {
                        transaction.commit().await?
                    } else {
                        transaction.rollback().await?
                    }
                    Ok(Some(answer))
                })
                .await;
            match changed {
                Err(failure) if again(&failure, tried).await => tried += 1,
                changed => return changed,
            }
        }
    }
}

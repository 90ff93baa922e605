//! A transaction that is stopped in its middle, with all its locks, and goes on when the test says so.
//!
//! A row with the same key is written by a session of the test's own, and not committed: whoever writes theirs waits
//! for it. Locks are waited for no longer than two seconds, and then everything is begun anew; a test lets go long
//! before.

use std::collections::HashMap;

use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;
use sluice_lab::testing::eventually;
use uuid::Uuid;

use super::ground::Desk;

/// At how many looks in a row a statement is seen that waits for a lock. Between two of them are 50 ms.
const LOOKS: usize = 4;

/// A session of the test's own with an open transaction.
pub(crate) struct Stopped(Conn);

impl Stopped {
    /// Takes back what stopped the others.
    pub(crate) async fn let_go(mut self) {
        self.0.query_drop("ROLLBACK").await.expect("it can be taken back");
    }

    /// Does something more, and lets it stand.
    pub(crate) async fn and_commit(mut self, statement: &str) {
        self.0.query_drop(statement).await.expect("the statement is valid");
        self.0.query_drop("COMMIT").await.expect("it is committed");
    }
}

impl Desk {
    /// Stops whoever needs what this statement locks.
    pub(crate) async fn stop(&self, statement: &str) -> Stopped {
        let mut session = self.ground.session().await;
        session.query_drop("START TRANSACTION").await.expect("a transaction");
        session.query_drop(statement).await.expect("the statement is valid");
        Stopped(session)
    }

    /// Stops whatever is done to this case, before it reads it.
    pub(crate) async fn stop_before(&self, case: Uuid) -> Stopped {
        self.stop(&format!("SELECT id FROM review_cases WHERE id = '{case}' FOR UPDATE")).await
    }

    /// Stops the decision or the undo of this id once it has locked the case and written its row.
    pub(crate) async fn stop_at_event(&self, id: Uuid) -> Stopped {
        self.stop(&format!(
            "INSERT INTO decision_outbox (decision, post, revision, body, at) VALUES ('{id}', UUID(), 1, '{{}}', NOW(6))"
        ))
        .await
    }

    /// Stops the claim with this token once it has locked the case and written its token there.
    pub(crate) async fn stop_at_claim(&self, token: Uuid, case: Uuid) -> Stopped {
        self.stop(&format!(
            "INSERT INTO review_claims (id, case_id, moderator, at) VALUES ('{token}', '{case}', 'nobody', NOW(6))"
        ))
        .await
    }

    /// Stops the appeal of this id once it has locked the post's cases and looked at its decisions.
    pub(crate) async fn stop_at_appeal(&self, id: Uuid) -> Stopped {
        self.stop(&format!(
            "INSERT INTO review_cases (id, post, kind, queue, category, priority, fingerprint, state, opened_at) \
             VALUES ('{id}', UUID(), 'appeal', '', '', 0, '0123456789abcdef', 'withdrawn', NOW(6))"
        ))
        .await
    }

    /// Waits until so many statements of this database make no way: they wait for a lock.
    ///
    /// What InnoDB tells of its transactions is not asked: it does not look anew while tests beside this one ask it.
    pub(crate) async fn waits(&self, wanted: usize) {
        let running = format!(
            "SELECT id, info FROM information_schema.processlist \
             WHERE db = '{}' AND command <> 'Sleep' AND id <> CONNECTION_ID()",
            self.ground.name
        );
        let mut session = self.ground.session().await;
        let mut seen: HashMap<(u64, Option<String>), usize> = HashMap::new();
        let (session, seen, running) = (&mut session, &mut seen, &running);
        eventually("statements to wait", async move || {
            let now: Vec<(u64, Option<String>)> = session.query(running).await.expect("the query is valid");
            seen.retain(|statement, _| now.contains(statement));
            now.into_iter().for_each(|statement| *seen.entry(statement).or_default() += 1);
            let waiting = seen.values().filter(|&&looks| looks >= LOOKS).count();
            if waiting >= wanted { Ok(()) } else { Err(format!("{seen:?}")) }
        })
        .await;
    }

    /// Lets `first` come as far as it is stopped, has `second` meet it there, and lets both go on.
    pub(crate) async fn meet<A, B>(
        &self,
        stopped: Stopped,
        first: impl Future<Output = A>,
        second: impl Future<Output = B>,
    ) -> (A, B) {
        let second = async {
            self.waits(1).await;
            second.await
        };
        let let_go = async {
            self.waits(2).await;
            stopped.let_go().await;
        };
        let (first, second, ()) = tokio::join!(first, second, let_go);
        (first, second)
    }
}

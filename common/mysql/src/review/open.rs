//! Cases are opened, each with the event that tells the forum of it.

use std::collections::HashMap;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Params, Transaction, Value};
use sluice_core::failure::Failure;
use sluice_core::moderation::{Event, EventType};
use sluice_core::post::PostId;
use sluice_core::verdict::Verdict;
use time::{OffsetDateTime, PrimitiveDateTime};
use uuid::Uuid;

use super::transaction::{again, begin};
use crate::Store;

/// How many cases one transaction opens.
const AT_ONCE: usize = 500;
/// The queue of a case whose post was held by no category.
pub(super) const NO_CATEGORY: &str = "other";

/// A case to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCase {
    /// The post.
    pub post: PostId,
    /// Its author.
    pub author: Option<String>,
    /// The category that spoke loudest; it is also the queue.
    pub category: String,
    /// The higher, the sooner it is handed out.
    pub priority: u16,
    /// The same for posts whose folded text is the same.
    pub fingerprint: [u8; 16],
}

impl Store {
    /// Opens these cases, each with its event `post.held`. A post that has a case keeps it. Gives the number of new ones.
    ///
    /// # Errors
    /// The server's.
    pub async fn open_cases(&self, cases: &[NewCase]) -> Result<u64, Failure> {
        let mut opened = 0;
        for cases in cases.chunks(AT_ONCE) {
            let mut tried = 1;
            opened += loop {
                match self.open(cases).await {
                    Err(failure) if again(&failure, tried).await => tried += 1,
                    answer => break answer?,
                }
            };
        }
        Ok(opened)
    }

    async fn open(&self, cases: &[NewCase]) -> Result<u64, Failure> {
        let pool = self.pool();
        self.bounded("opening cases", async {
            let mut connection = pool.get_conn().await?;
            let mut transaction = begin(&mut connection).await?;
            let made: Vec<(Uuid, &NewCase)> = cases.iter().map(|case| (Uuid::now_v7(), case)).collect();
            insert(&mut transaction, &made).await?;
            // Which of them are new, and of when: somebody else may have opened some meanwhile.
            let places = made.len().next_power_of_two();
            let marks = vec!["?"; places].join(", ");
            let statement = format!("SELECT id, opened_at FROM review_cases WHERE id IN ({marks})");
            let asked = made.iter().cycle().take(places).map(|(id, _)| id.to_string().into()).collect();
            let new: Vec<(String, PrimitiveDateTime)> = transaction.exec(statement, Params::Positional(asked)).await?;
            let new: HashMap<String, PrimitiveDateTime> = new.into_iter().collect();
            let new: Vec<Event> = made
                .iter()
                .filter_map(|(id, case)| Some((id, case, new.get(&id.to_string())?)))
                .map(|(id, case, at)| held(*id, case.post, at.assume_utc()))
                .collect();
            super::outbox::add(&mut transaction, &new).await?;
            transaction.commit().await?;
            Ok(new.len() as u64)
        })
        .await
    }
}

async fn insert(transaction: &mut Transaction<'_>, cases: &[(Uuid, &NewCase)]) -> Result<(), mysql_async::Error> {
    let rows = vec!["(?, ?, 'held', '', ?, ?, ?, ?, ?, 'waiting', NOW(6))"; cases.len()].join(", ");
    let statement = format!(
        "INSERT INTO review_cases (id, post, kind, of_decision, queue, category, priority, fingerprint, author, \
         state, opened_at) VALUES {rows} ON DUPLICATE KEY UPDATE post = VALUES(post)"
    );
    let values = cases.iter().flat_map(|(id, case)| values(*id, case)).collect();
    transaction.exec_drop(statement, Params::Positional(values)).await
}

/// Opens a case of nobody's post and takes it back: whether cases can be opened at all.
pub(crate) async fn try_case(connection: &mut Conn) -> Result<(), mysql_async::Error> {
    let case = NewCase {
        post: PostId::new(),
        author: None,
        category: NO_CATEGORY.to_owned(),
        priority: 0,
        fingerprint: [0; 16],
    };
    let (id, now) = (Uuid::now_v7(), OffsetDateTime::now_utc());
    // Left open, by whatever error, it is taken back with its connection.
    let mut transaction = begin(connection).await?;
    let tried = match insert(&mut transaction, &[(id, &case)]).await {
        Ok(()) => super::outbox::add(&mut transaction, &[held(id, case.post, now)]).await,
        refused => refused,
    };
    let taken_back = transaction.rollback().await;
    tried.and(taken_back)
}

fn held(id: Uuid, post: PostId, at: OffsetDateTime) -> Event {
    Event {
        kind: EventType::PostHeld,
        id,
        seq: None,
        post,
        revision: 0,
        verdict: Verdict::Held,
        previous: Verdict::Held,
        cause: None,
        policies: Vec::new(),
        message: None,
        appealable_until: None,
        decided_at: at,
        by: "system".to_owned(),
    }
}

fn values(id: Uuid, case: &NewCase) -> [Value; 7] {
    [
        id.to_string().into(),
        case.post.to_string().into(),
        case.category.as_str().into(),
        case.category.as_str().into(),
        case.priority.into(),
        case.fingerprint.to_vec().into(),
        case.author.as_deref().into(),
    ]
}

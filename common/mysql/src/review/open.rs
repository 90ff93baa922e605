//! Cases are opened: in one statement, because workers wait for it before they acknowledge a held post. Its event,
//! `post.held`, is made later, by whoever gives events their places in the feed.

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Params, Value};
use sluice_core::failure::Failure;
use sluice_core::post::PostId;
use uuid::Uuid;

use super::transaction::{again, begin};
use crate::Store;

/// How many cases one statement opens.
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
    /// Opens these cases. A post that has a case keeps it. Gives the number of new ones.
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
        let (statement, values) = insertion(cases);
        self.bounded("opening cases", async {
            let mut connection = self.connection().await?;
            let under_way = self.under_way(&connection);
            under_way.answered(connection.exec_drop(statement, Params::Positional(values)).await)?;
            // A case that was there already is not changed, and only what is changed is counted.
            Ok(connection.affected_rows())
        })
        .await
    }
}

/// The statement that opens these cases, and its values. More than eight cases are repeated up to one of four sizes in
/// each doubling, so that few statements are to be kept prepared. A repeated one is there already, which costs MySQL
/// more than to insert one.
fn insertion(cases: &[NewCase]) -> (String, Vec<Value>) {
    let step = 1 << (cases.len() | 1).ilog2().saturating_sub(2);
    let places = cases.len().next_multiple_of(step);
    let rows = vec!["(?, ?, 'held', '', ?, ?, ?, ?, ?, 'waiting', NOW(6))"; places].join(", ");
    let statement = format!(
        "INSERT INTO review_cases (id, post, kind, of_decision, queue, category, priority, fingerprint, author, \
         state, opened_at) VALUES {rows} ON DUPLICATE KEY UPDATE post = VALUES(post)"
    );
    (statement, cases.iter().cycle().take(places).flat_map(values).collect())
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
    let (statement, values) = insertion(&[case]);
    // Left open, by whatever error, it is taken back with its connection.
    let mut transaction = begin(connection).await?;
    let tried = transaction.exec_drop(statement, Params::Positional(values)).await;
    let taken_back = transaction.rollback().await;
    tried.and(taken_back)
}

fn values(case: &NewCase) -> [Value; 7] {
    [
        Uuid::now_v7().to_string().into(),
        case.post.to_string().into(),
        case.category.as_str().into(),
        case.category.as_str().into(),
        case.priority.into(),
        case.fingerprint.to_vec().into(),
        case.author.as_deref().into(),
    ]
}

//! Cases, looked for.

use mysql_async::Value;
use sluice_core::failure::Failure;
use sluice_core::moderation::{CaseKind, CaseState};
use sluice_core::post::PostId;
use uuid::Uuid;

use super::case::{COLUMNS, StoredCase};
use crate::Store;
use crate::insertion::datetime;

/// What comes from other tables.
pub(super) const JOINED: &str = "p.title, JSON_EXTRACT(p.scores, '$[*].category') AS categories, \
                      JSON_SEARCH(p.reasons, 'one', 'title', NULL, '$[*].field') IS NOT NULL AS in_title, (SELECT COALESCE(MAX(d.revision), 0) FROM review_decisions d WHERE d.post = c.post) \
                      AS revision FROM review_cases c LEFT JOIN posts p ON p.id = c.post";

/// Which cases are meant. All that is given has to fit.
#[derive(Debug, Clone, Default)]
pub struct CaseFilter<'a> {
    /// `waiting`, `claimed`, `escalated`, `decided` or `withdrawn`, as [`StoredCase::state`].
    pub state: Option<&'a str>,
    /// What is asked.
    pub kind: Option<CaseKind>,
    /// In which queue.
    pub queue: Option<&'a str>,
    /// Of which author.
    pub author: Option<&'a str>,
    /// Claimed by this person.
    pub claimed_by: Option<&'a str>,
    /// With the same folded text as this case.
    pub same_text_as: Option<Uuid>,
    /// Those that come after this case, in the order in which cases are handed out.
    pub after: Option<Uuid>,
    /// At most so many.
    pub limit: u32,
}

impl Store {
    /// Cases, in the order in which they are handed out.
    ///
    /// # Errors
    /// The server's.
    pub async fn cases(&self, filter: &CaseFilter<'_>) -> Result<Vec<StoredCase>, Failure> {
        let (mut conditions, mut asked): (Vec<String>, Vec<Value>) = (vec!["TRUE".to_owned()], Vec::new());
        let live = "COALESCE(c.claimed_until > NOW(6), 0)";
        match filter.state {
            Some("claimed") => conditions.push(format!("c.state IN ('waiting', 'escalated') AND {live}")),
            Some(state) => {
                conditions.push("c.state = ?".to_owned());
                asked.push(state.into());
                if [CaseState::Waiting, CaseState::Escalated].iter().any(|open| open.as_str() == state) {
                    conditions.push(format!("NOT {live}"));
                }
            }
            None => {}
        }
        if let Some(kind) = filter.kind {
            conditions.push("c.kind = ?".to_owned());
            asked.push(kind.as_str().into());
        }
        for (column, value) in [("queue", filter.queue), ("author", filter.author), ("claimed_by", filter.claimed_by)] {
            if let Some(value) = value {
                conditions.push(format!("c.{column} = ?"));
                asked.push(value.into());
            }
        }
        if let Some(case) = filter.same_text_as {
            conditions.push("c.fingerprint = (SELECT s.fingerprint FROM review_cases s WHERE s.id = ?)".to_owned());
            asked.push(case.to_string().into());
        }
        // A case keeps its place, whatever becomes of it.
        if let Some(StoredCase { priority, opened_at, case, .. }) = match filter.after {
            Some(after) => self.case(after).await?,
            None => None,
        } {
            conditions.push("c.priority <= ? AND (c.priority < ? OR (c.opened_at, c.id) > (?, ?))".to_owned());
            let id = case.to_string();
            asked.extend([priority.into(), priority.into(), datetime(opened_at), id.into()]);
        }
        asked.push(filter.limit.into());
        let conditions = conditions.join(" AND ");
        let statement = format!(
            "SELECT {COLUMNS}, {JOINED} WHERE {conditions} ORDER BY c.priority DESC, c.opened_at, c.id LIMIT ?"
        );
        self.read("the query for cases", statement, asked).await
    }

    /// One case.
    ///
    /// # Errors
    /// The server's.
    pub async fn case(&self, case: Uuid) -> Result<Option<StoredCase>, Failure> {
        let statement = format!("SELECT {COLUMNS}, {JOINED} WHERE c.id = ?");
        Ok(self.read("the query for a case", statement, vec![case.to_string().into()]).await?.pop())
    }

    /// The case of a held post that was opened last.
    ///
    /// # Errors
    /// The server's.
    pub async fn latest_case(&self) -> Result<Option<StoredCase>, Failure> {
        // Ids of these are made where cases are opened, and go up with time; those of appeals come from outside.
        let statement = format!("SELECT {COLUMNS}, {JOINED} WHERE c.kind = 'held' ORDER BY c.id DESC LIMIT 1");
        Ok(self.read("the query for a case", statement, Vec::new()).await?.pop())
    }

    /// The cases whose id, or whose post's id, begins so, at most `limit`; the latest first. `begins` is in small
    /// letters.
    ///
    /// # Errors
    /// The server's.
    pub async fn cases_named(&self, begins: &str, limit: u32) -> Result<Vec<StoredCase>, Failure> {
        // Hexadecimal digits and dashes only: nothing in it that LIKE would take for a pattern.
        if begins.is_empty() || !begins.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
            return Ok(Vec::new());
        }
        let like = format!("{begins}%");
        let statement =
            format!("SELECT {COLUMNS}, {JOINED} WHERE c.id LIKE ? OR c.post LIKE ? ORDER BY c.opened_at DESC LIMIT ?");
        self.read("the query for cases", statement, vec![like.as_str().into(), like.into(), limit.into()]).await
    }

    /// The cases of a post, the first one first.
    ///
    /// # Errors
    /// The server's.
    pub async fn cases_of(&self, post: PostId) -> Result<Vec<StoredCase>, Failure> {
        let statement = format!("SELECT {COLUMNS}, {JOINED} WHERE c.post = ? ORDER BY c.opened_at, c.id");
        self.read("the query for cases", statement, vec![post.to_string().into()]).await
    }
}

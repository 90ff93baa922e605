//! What was decided a moment ago, with the way back.

use sluice_mysql::review::Decision;
use uuid::Uuid;

use super::super::super::app::Pages;
use super::super::super::frame::Refusal;
use super::super::super::request::{Fields, Who};
use super::super::asked::{self, failed};

/// A decision that was just made.
pub(crate) struct After {
    /// The decision.
    pub(crate) decision: Decision,
    /// The post's title; none where the row is gone.
    pub(crate) title: Option<String>,
    /// The id of the undo.
    pub(crate) undo: Uuid,
}

impl After {
    /// The decision that an address names, if it is this person's, and still stands.
    ///
    /// # Errors
    /// 422 when it is no id, 503 when the database does not answer.
    pub(crate) async fn read(pages: &Pages, query: &Fields, who: &Who) -> Result<Option<Self>, Refusal> {
        let Some(id) = asked::maybe_uuid(query, "after")? else { return Ok(None) };
        let store = &pages.0.store;
        let decision = store.decision(id).await.map_err(|failure| failed(pages, failure))?;
        let Some(decision) = decision.filter(|decision| decision.decided_by == who.name) else { return Ok(None) };
        let case = store.case(decision.case).await.map_err(|failure| failed(pages, failure))?;
        let case = case.filter(|case| case.revision == decision.revision);
        Ok(case.map(|case| Self { decision, title: case.title, undo: Uuid::now_v7() }))
    }
}

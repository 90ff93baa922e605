//! What was decided a moment ago, with the way back.

use sluice_core::verdict::Verdict;
use uuid::Uuid;

use super::super::super::app::Pages;
use super::super::super::frame::Refusal;
use super::super::super::request::{Fields, Who};
use super::super::asked::{self, failed};

/// What this person just said of a post.
pub(crate) struct After {
    /// What they said.
    pub(crate) verdict: Verdict,
    /// The policies that they named.
    pub(crate) policies: Vec<String>,
    /// The post's title; none where the row is gone.
    pub(crate) title: Option<String>,
    /// The decision, and the id of its undo. None: it was a second opinion, which changed nothing.
    pub(crate) undo: Option<(Uuid, Uuid)>,
}

impl After {
    /// The decision that an address names, if it is this person's, and still stands; or their second opinion.
    ///
    /// # Errors
    /// 422 when it is no id, 503 when the database does not answer.
    pub(crate) async fn read(pages: &Pages, query: &Fields, who: &Who) -> Result<Option<Self>, Refusal> {
        let Some(id) = asked::maybe_uuid(query, "after")? else { return Ok(None) };
        let (store, failed) = (&pages.0.store, |failure| failed(pages, failure));
        if let Some(opinion) = store.opinion(id).await.map_err(failed)? {
            let case = store.case(opinion.case).await.map_err(failed)?;
            let case = case.filter(|_| opinion.given_by == who.name);
            let (verdict, policies) = (opinion.verdict, opinion.policies);
            return Ok(case.map(|case| Self { verdict, policies, title: case.title, undo: None }));
        }
        let decision = store.decision(id).await.map_err(failed)?;
        let Some(decision) = decision.filter(|decision| decision.decided_by == who.name) else { return Ok(None) };
        let case = store.case(decision.case).await.map_err(failed)?;
        let case = case.filter(|case| case.revision == decision.revision);
        let (verdict, policies, undo) =
            (decision.verdict, decision.policies, Some((decision.decision, Uuid::now_v7())));
        Ok(case.map(|case| Self { verdict, policies, title: case.title, undo }))
    }
}

//! Second opinions: what people say of posts that others have decided, without seeing those decisions.
//!
//! An opinion is no decision: it changes nothing that stands, and the forum is not told of it. One that agrees closes the
//! second review; after one that differs a lead decides.

use mysql_async::prelude::{FromRow, Queryable as _};
use mysql_async::{FromRowError, Params, Row, Transaction};
use serde::Serialize;
use sluice_core::failure::Failure;
use sluice_core::moderation::act::Refusal;
use sluice_core::moderation::{CaseState, Role};
use sluice_core::post::PostId;
use sluice_core::verdict::Verdict;
use time::{OffsetDateTime, PrimitiveDateTime};
use uuid::Uuid;

use super::case::StoredCase;
use super::claim::end_claim;
use super::decide::{DecisionRequest, close, find, taken};
use super::decision::{Decision, verdict};
use crate::Store;
use crate::failure::no_row;
use crate::insertion::datetime;

/// A second opinion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Opinion {
    /// Its id, made by whoever gave it.
    pub opinion: Uuid,
    /// The post.
    pub post: PostId,
    /// The case, a second review.
    pub case: Uuid,
    /// The decision that it is a second opinion on.
    pub of_decision: Uuid,
    /// What it says.
    pub verdict: Verdict,
    /// Whether the decision says the same.
    pub agrees: bool,
    /// The ids of the policies that were named.
    pub policies: Vec<String>,
    /// A text for the team.
    pub note: Option<String>,
    /// Who gave it.
    pub given_by: String,
    /// As what.
    pub role: Role,
    /// When, UTC, by the database's clock.
    #[serde(with = "time::serde::rfc3339")]
    pub given_at: OffsetDateTime,
}

/// What became of what somebody said of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruled {
    /// It is a decision, and stands.
    Decision(Decision),
    /// It is a second opinion.
    Opinion(Opinion),
}

/// The columns of an opinion, joined with the decision that it is on.
const OPINIONS: &str = "SELECT o.id, o.post, o.case_id, o.of_decision, o.verdict, o.verdict = d.verdict AS agrees, \
                        CAST(o.policies AS CHAR) AS policies, o.note, o.given_by, o.role, o.given_at \
                        FROM second_opinions o JOIN review_decisions d ON d.id = o.of_decision";

impl Store {
    /// Decides a case; of a blind second review, gives the second opinion. `None`: there is no such case.
    ///
    /// # Errors
    /// The server's; or that the id is another decision's, or another opinion's.
    pub async fn rule(&self, request: &DecisionRequest<'_>) -> Result<Option<Result<Ruled, Refusal>>, Failure> {
        let refusal = match self.decide(request).await? {
            None => return Ok(None),
            Some(Ok(decision)) => return Ok(Some(Ok(Ruled::Decision(decision)))),
            Some(Err(refusal)) => refusal,
        };
        // Its own answer may have been lost on the way.
        if let Some(opinion) = self.opinion(request.id).await? {
            return same(opinion, request).map(Some);
        }
        if refusal != Refusal::NeedsOpinion {
            return Ok(Some(Err(refusal)));
        }
        let given = self
            .change(request.case, "a second opinion", request, |transaction, case, request| {
                Box::pin(give(transaction, case, request))
            })
            .await?;
        match (given, self.opinion(request.id).await?) {
            (Some(_), Some(opinion)) => same(opinion, request).map(Some),
            (Some(Err(refusal)), None) => Ok(Some(Err(refusal))),
            (Some(Ok(())) | None, _) => Ok(None),
        }
    }

    /// The second opinions on a post's decisions, the first one first.
    ///
    /// # Errors
    /// The server's.
    pub async fn opinions_of(&self, post: PostId) -> Result<Vec<Opinion>, Failure> {
        let statement = format!("{OPINIONS} WHERE o.post = ? ORDER BY o.given_at, o.id");
        self.read("the query for second opinions", statement, vec![post.to_string().into()]).await
    }

    /// One second opinion.
    ///
    /// # Errors
    /// The server's.
    pub async fn opinion(&self, id: Uuid) -> Result<Option<Opinion>, Failure> {
        let statement = format!("{OPINIONS} WHERE o.id = ?");
        Ok(self.read("the query for a second opinion", statement, vec![id.to_string().into()]).await?.pop())
    }

    /// The decisions on a post that this person may see, the first one first. `None`: a blind second review is open, and
    /// they may be the one who gives the opinion; without a name, everybody may be.
    ///
    /// # Errors
    /// The server's.
    pub async fn decisions_for(&self, post: PostId, viewer: Option<&str>) -> Result<Option<Vec<Decision>>, Failure> {
        // In this order: a decision is committed together with its second review.
        let decisions = self.decisions_of(post).await?;
        let cases = self.cases_of(post).await?;
        let hidden = cases.iter().any(|case| case.as_it_stands().hides_decisions_from(viewer));
        Ok((!hidden).then_some(decisions))
    }
}

async fn give(
    transaction: &mut Transaction<'_>,
    case: &StoredCase,
    request: &DecisionRequest<'_>,
) -> Result<Result<(), Refusal>, mysql_async::Error> {
    let Some(first) = case.of_decision else { return Ok(Err(Refusal::Decided)) };
    let first = find(transaction, first).await?.ok_or_else(no_row)?;
    let verdict = request.ruling.verdict();
    let state = match case.as_it_stands().opine(request.actor, first.verdict, verdict) {
        Ok(state) => state,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let now: PrimitiveDateTime = transaction.query_first("SELECT NOW(6)").await?.ok_or_else(no_row)?;
    let statement = "INSERT INTO second_opinions (id, post, case_id, of_decision, verdict, policies, policyset, note, \
                     given_by, role, given_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let (id, case_id) = (request.id.to_string(), case.case.to_string());
    let values = vec![
        id.as_str().into(),
        case.post.to_string().into(),
        case_id.as_str().into(),
        first.decision.to_string().into(),
        verdict.as_str().into(),
        serde_json::to_string(request.policies).unwrap_or_else(|_| "[]".to_owned()).into(),
        request.policyset.into(),
        request.note.into(),
        request.actor.name.into(),
        request.actor.role.as_str().into(),
        datetime(now.assume_utc()),
    ];
    transaction.exec_drop(statement, Params::Positional(values)).await?;
    if state == CaseState::Decided {
        close(transaction, case, now.assume_utc()).await?;
    } else {
        end_claim(transaction, case, "decided").await?;
        let escalate = "UPDATE review_cases SET state = ?, claim = NULL, claimed_by = NULL, claimed_at = NULL, \
                        claimed_until = NULL WHERE id = ?";
        transaction.exec_drop(escalate, (state.as_str(), &case_id)).await?;
    }
    transaction.exec_drop("UPDATE review_cases SET opinion = ? WHERE id = ?", (id, case_id)).await?;
    Ok(Ok(()))
}

/// An opinion of this id that is there already: this very request's, or another's.
fn same(opinion: Opinion, request: &DecisionRequest<'_>) -> Result<Result<Ruled, Refusal>, Failure> {
    if (opinion.case, opinion.verdict) == (request.case, request.ruling.verdict()) {
        return Ok(Ok(Ruled::Opinion(opinion)));
    }
    Err(taken(request.id))
}

impl FromRow for Opinion {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        let text = |name: &str| row.get_opt::<Option<String>, _>(name).and_then(Result::ok).flatten();
        let read = || {
            Some(Self {
                opinion: text("id")?.parse().ok()?,
                post: text("post")?.parse().ok()?,
                case: text("case_id")?.parse().ok()?,
                of_decision: text("of_decision")?.parse().ok()?,
                verdict: verdict(&text("verdict")?)?,
                agrees: row.get_opt("agrees")?.ok()?,
                policies: serde_json::from_str(&text("policies")?).ok()?,
                note: text("note"),
                given_by: text("given_by")?,
                role: text("role")?.parse().ok()?,
                given_at: row.get_opt::<PrimitiveDateTime, _>("given_at")?.ok()?.assume_utc(),
            })
        };
        let opinion = read();
        opinion.ok_or(FromRowError(row))
    }
}

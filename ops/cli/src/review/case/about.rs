//! All that is known of a case, for whoever has to decide it.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sluice_core::moderation::CaseKind;
use sluice_core::post::PostId;
use sluice_core::verdict::{Reason, Score, Verdict};
use sluice_mysql::review::{Decision, Forgotten, Note, PastDelivery, StoredCase};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::review::desk::Desk;

/// The most earlier cases of an author.
const EARLIER: u32 = 20;

/// A case and all around it. In JSON the case's own keys come first, as in `list`.
#[derive(Debug, Serialize)]
pub(in crate::review) struct About {
    #[serde(flatten)]
    pub(in crate::review) case: StoredCase,
    /// The token of the claim, for the one who just claimed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::review) claim: Option<Uuid>,
    /// The post's text; none where the row is gone.
    pub(in crate::review) content: Option<String>,
    /// What the review said.
    pub(in crate::review) verdict: Option<String>,
    /// By which rules.
    pub(in crate::review) ruleset: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(in crate::review) submitted_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(in crate::review) recorded_at: Option<OffsetDateTime>,
    /// What spoke against it, and where.
    pub(in crate::review) reasons: Vec<Reason>,
    /// The sum of each category, beside its thresholds.
    pub(in crate::review) scores: Vec<Score>,
    /// The decisions on the post, the first one first.
    pub(in crate::review) decisions: Vec<Decision>,
    /// Notes of the team on this case.
    pub(in crate::review) notes: Vec<Note>,
    /// Cases of the author's other posts, the latest first.
    pub(in crate::review) earlier: Vec<Earlier>,
    /// How many other open cases have the same text.
    pub(in crate::review) same_text: u64,
    /// Where the post's events were sent.
    pub(in crate::review) deliveries: Vec<PastDelivery>,
    /// Who had the post's texts erased.
    pub(in crate::review) forgotten: Option<Forgotten>,
}

/// An earlier case of the author.
#[derive(Debug, Serialize)]
pub(in crate::review) struct Earlier {
    pub(in crate::review) case: Uuid,
    pub(in crate::review) post: PostId,
    pub(in crate::review) kind: CaseKind,
    pub(in crate::review) state: &'static str,
    #[serde(with = "time::serde::rfc3339")]
    pub(in crate::review) opened_at: OffsetDateTime,
    pub(in crate::review) title: Option<String>,
    /// What stands for the post; none where the row is gone.
    pub(in crate::review) standing: Option<Verdict>,
}

impl About {
    /// Asks for it.
    ///
    /// # Errors
    /// The database's.
    pub(in crate::review) async fn ask(desk: &Desk, case: StoredCase, claim: Option<Uuid>) -> anyhow::Result<Self> {
        let store = &desk.store;
        let row = desk.ok(store.post(case.post).await)?;
        let author = case.author.as_deref().filter(|author| !author.is_empty());
        let earlier = match author {
            Some(author) => desk.ok(store.cases_of_author(author, case.post, EARLIER).await)?,
            None => Vec::new(),
        };
        let mut about = Self {
            claim,
            content: None,
            verdict: None,
            ruleset: None,
            submitted_at: None,
            recorded_at: None,
            reasons: Vec::new(),
            scores: Vec::new(),
            decisions: desk.ok(store.decisions_of(case.post).await)?,
            notes: desk.ok(store.notes(case.case).await)?,
            earlier: with_standings(desk, earlier).await?,
            same_text: desk.ok(store.same_text(case.case).await)?,
            deliveries: desk.ok(store.deliveries_of(case.post).await)?,
            forgotten: desk.ok(store.forgotten(case.post).await)?,
            case,
        };
        if let Some(row) = row {
            about.reasons = read(Some(&row.reasons));
            about.scores = read(row.scores.as_deref());
            (about.content, about.verdict, about.ruleset) = (Some(row.content), Some(row.verdict), Some(row.ruleset));
            (about.submitted_at, about.recorded_at) = (Some(row.submitted_at), Some(row.recorded_at));
        }
        Ok(about)
    }
}

async fn with_standings(desk: &Desk, cases: Vec<StoredCase>) -> anyhow::Result<Vec<Earlier>> {
    let posts: Vec<PostId> = cases.iter().map(|case| case.post).collect();
    let standings = desk.ok(desk.store.standings(&posts).await)?;
    let standing = |post| standings.iter().find(|standing| standing.post == post).map(|standing| standing.standing);
    let earlier = cases.into_iter().map(|StoredCase { case, post, kind, state, opened_at, title, .. }| Earlier {
        case,
        post,
        kind,
        state,
        opened_at,
        title,
        standing: standing(post),
    });
    Ok(earlier.collect())
}

/// A list in a column of JSON. Of what no version of ours wrote, nothing is shown.
fn read<T: DeserializeOwned>(json: Option<&str>) -> Vec<T> {
    json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

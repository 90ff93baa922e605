//! All that is known of a case, for whoever has to decide it.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sluice_core::failure::Failure;
use sluice_core::moderation::CaseKind;
use sluice_core::post::PostId;
use sluice_core::verdict::{Reason, Score, Verdict};
use sluice_mysql::Store;
use sluice_mysql::review::{Decision, Findings, Forgotten, Note, Opinion, PastDelivery, StoredCase};
use time::OffsetDateTime;
use uuid::Uuid;

/// The most earlier cases of an author.
const EARLIER: u32 = 20;

/// A case and all around it. In JSON the case's own keys come first, as in `list`.
#[derive(Debug, Serialize)]
pub(crate) struct About {
    #[serde(flatten)]
    pub(crate) case: StoredCase,
    /// The token of the claim, for the one who just claimed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) claim: Option<Uuid>,
    /// The post's text; none where the row is gone.
    pub(crate) content: Option<String>,
    /// What the review said.
    pub(crate) verdict: Option<String>,
    /// By which rules.
    pub(crate) ruleset: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) submitted_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) recorded_at: Option<OffsetDateTime>,
    /// What spoke against it, and where.
    pub(crate) reasons: Vec<Reason>,
    /// The sum of each category, beside its thresholds.
    pub(crate) scores: Vec<Score>,
    /// Whether a blind second review of the post is open, and whoever asks may be the one who gives the opinion. Decisions,
    /// opinions, deliveries, and notes on other cases of the post are left out then.
    pub(crate) blind: bool,
    /// The decisions on the post, the first one first.
    pub(crate) decisions: Vec<Decision>,
    /// The second opinions on them, the first one first.
    pub(crate) opinions: Vec<Opinion>,
    /// Notes of the team on this case.
    pub(crate) notes: Vec<Note>,
    /// Cases of the author's other posts, the latest first.
    pub(crate) earlier: Vec<Earlier>,
    /// How many other open cases have the same text.
    pub(crate) same_text: u64,
    /// Where the post's events were sent.
    pub(crate) deliveries: Vec<PastDelivery>,
    /// Who had the post's texts erased.
    pub(crate) forgotten: Option<Forgotten>,
}

/// An earlier case of the author.
#[derive(Debug, Serialize)]
pub(crate) struct Earlier {
    pub(crate) case: Uuid,
    pub(crate) post: PostId,
    pub(crate) kind: CaseKind,
    pub(crate) state: &'static str,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) opened_at: OffsetDateTime,
    pub(crate) title: Option<String>,
    /// What was found in the post.
    #[serde(skip)]
    pub(crate) findings: Findings,
    /// What stands for the post; none where the row is gone.
    pub(crate) standing: Option<Verdict>,
}

impl About {
    /// Asks for it, for this person; without a name, for anybody.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn ask(
        store: &Store,
        case: StoredCase,
        claim: Option<Uuid>,
        viewer: Option<&str>,
    ) -> Result<Self, Failure> {
        let row = store.post(case.post).await?;
        let author = case.author.as_deref().filter(|author| !author.is_empty());
        let earlier = match author {
            Some(author) => store.cases_of_author(author, case.post, EARLIER).await?,
            None => Vec::new(),
        };
        let decisions = store.decisions_for(case.post, viewer).await?;
        let blind = decisions.is_none();
        let mut about = Self {
            claim,
            content: None,
            verdict: None,
            ruleset: None,
            submitted_at: None,
            recorded_at: None,
            reasons: Vec::new(),
            scores: Vec::new(),
            blind,
            decisions: decisions.unwrap_or_default(),
            opinions: unless(blind, store.opinions_of(case.post)).await?,
            notes: unless(blind && !case.as_it_stands().is_blind(), store.notes(case.case)).await?,
            earlier: with_standings(store, earlier).await?,
            same_text: store.same_text(case.case).await?,
            deliveries: unless(blind, store.deliveries_of(case.post)).await?,
            forgotten: store.forgotten(case.post).await?,
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

    /// What the person is asked.
    pub(crate) fn question(&self) -> String {
        let of = self.case.of_decision.map(|decision| format!(" (decision {decision})")).unwrap_or_default();
        match self.case.kind {
            CaseKind::Held => "whether to show a post that the review held".to_owned(),
            CaseKind::Appeal => format!("whether the rejection stands that the author appeals against{of}"),
            CaseKind::Second if self.case.as_it_stands().is_blind() => {
                "whether to show a post that somebody decided about, without seeing how: a blind second review"
                    .to_owned()
            }
            CaseKind::Second => format!("whether the decision stands that is reviewed a second time{of}"),
        }
    }
}

/// What is asked for, or nothing.
async fn unless<T>(blind: bool, asked: impl Future<Output = Result<Vec<T>, Failure>>) -> Result<Vec<T>, Failure> {
    if blind { Ok(Vec::new()) } else { asked.await }
}

async fn with_standings(store: &Store, cases: Vec<StoredCase>) -> Result<Vec<Earlier>, Failure> {
    let posts: Vec<PostId> = cases.iter().map(|case| case.post).collect();
    let standings = store.standings(&posts).await?;
    let standing = |post| standings.iter().find(|standing| standing.post == post).map(|standing| standing.standing);
    let earlier =
        cases.into_iter().map(|StoredCase { case, post, kind, state, opened_at, title, findings, .. }| Earlier {
            case,
            post,
            kind,
            state,
            opened_at,
            title,
            findings,
            standing: standing(post),
        });
    Ok(earlier.collect())
}

/// A list in a column of JSON. Of what no version of ours wrote, nothing is shown.
fn read<T: DeserializeOwned>(json: Option<&str>) -> Vec<T> {
    json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

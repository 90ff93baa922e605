//! Decisions, as the table holds them: one row for each revision of a post, only ever added to.

use mysql_async::prelude::FromRow;
use mysql_async::{FromRowError, Row, Value};
use serde::Serialize;
use sluice_core::failure::Failure;
use sluice_core::moderation::{Cause, Role};
use sluice_core::post::PostId;
use sluice_core::verdict::Verdict;
use time::{OffsetDateTime, PrimitiveDateTime};
use uuid::Uuid;

use crate::Store;

/// How many posts one query asks for.
const ASK: usize = 500;

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Its id, made by the caller who decided.
    pub decision: Uuid,
    /// The post.
    pub post: PostId,
    /// The case.
    pub case: Uuid,
    /// 1 for the first decision on the post, 2 for the next, and so on. The highest stands.
    pub revision: u32,
    /// What stands with it.
    pub verdict: Verdict,
    /// What stood before.
    pub previous: Verdict,
    /// Why it was made.
    pub cause: Cause,
    /// The ids of the policies that were named.
    pub policies: Vec<String>,
    /// A text for the author.
    pub message: Option<String>,
    /// A text for the team.
    pub note: Option<String>,
    /// Who decided.
    pub decided_by: String,
    /// As what.
    pub role: Role,
    /// The decision in bulk that it is a part of.
    pub act: Option<Uuid>,
    /// The decision that it undoes.
    pub undoes: Option<Uuid>,
    /// When, UTC, by the database's clock.
    #[serde(with = "time::serde::rfc3339")]
    pub decided_at: OffsetDateTime,
    /// Until when its author may appeal, UTC; none where there is nothing to appeal against.
    #[serde(with = "time::serde::rfc3339::option")]
    pub appealable_until: Option<OffsetDateTime>,
}

/// What a person says of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// Show it.
    Approve,
    /// Do not.
    Reject,
}

impl Ruling {
    /// The verdict that stands with it.
    #[must_use]
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Approve => Verdict::Approved,
            Self::Reject => Verdict::Rejected,
        }
    }
}

/// The verdict that stands for a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// The post.
    pub post: PostId,
    /// The decision of the highest revision, else what the review said.
    pub standing: Verdict,
    /// Its revision, 0 where nobody has decided.
    pub revision: u32,
    /// Since when, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
}

/// The columns of a decision `d`.
pub(super) const COLUMNS: &str = "d.id, d.post, d.case_id, d.revision, d.verdict, d.previous, d.cause, \
                                  CAST(d.policies AS CHAR) AS policies, d.message, d.note, d.decided_by, d.role, \
                                  d.act, d.undoes, d.decided_at, d.appealable_until";

impl Store {
    /// The decisions on a post, the first one first.
    ///
    /// # Errors
    /// The server's.
    pub async fn decisions_of(&self, post: PostId) -> Result<Vec<Decision>, Failure> {
        let statement = format!("SELECT {COLUMNS} FROM review_decisions d WHERE d.post = ? ORDER BY d.revision");
        self.read("the query for decisions", statement, vec![post.to_string().into()]).await
    }

    /// One decision.
    ///
    /// # Errors
    /// The server's.
    pub async fn decision(&self, id: Uuid) -> Result<Option<Decision>, Failure> {
        let statement = format!("SELECT {COLUMNS} FROM review_decisions d WHERE d.id = ?");
        let mut found = self.read("the query for a decision", statement, vec![id.to_string().into()]).await?;
        Ok(found.pop())
    }

    /// What stands for these posts; those that are not stored are left out.
    ///
    /// # Errors
    /// The server's.
    pub async fn standings(&self, posts: &[PostId]) -> Result<Vec<Standing>, Failure> {
        let mut found = Vec::with_capacity(posts.len());
        for posts in posts.chunks(ASK) {
            let marks = vec!["?"; posts.len()].join(", ");
            let statement =
                format!("SELECT post, standing, revision, since FROM post_standing WHERE post IN ({marks})");
            let asked: Vec<Value> = posts.iter().map(|post| post.to_string().into()).collect();
            found.extend(self.read::<Standing>("the query for what stands", statement, asked).await?);
        }
        Ok(found)
    }
}

/// A verdict by its name in the table.
pub(super) fn verdict(name: &str) -> Option<Verdict> {
    Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == name)
}

impl FromRow for Standing {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        let (post, standing, revision, since) = <(String, String, u32, PrimitiveDateTime)>::from_row_opt(row.clone())?;
        match (post.parse(), verdict(&standing)) {
            (Ok(post), Some(standing)) => Ok(Self { post, standing, revision, since: since.assume_utc() }),
            _ => Err(FromRowError(row)),
        }
    }
}

impl FromRow for Decision {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        let text = |name: &str| row.get_opt::<Option<String>, _>(name).and_then(Result::ok).flatten();
        let time = |name: &str| row.get_opt::<Option<PrimitiveDateTime>, _>(name).and_then(Result::ok).flatten();
        let read = || {
            Some(Self {
                decision: text("id")?.parse().ok()?,
                post: text("post")?.parse().ok()?,
                case: text("case_id")?.parse().ok()?,
                revision: row.get_opt("revision")?.ok()?,
                verdict: verdict(&text("verdict")?)?,
                previous: verdict(&text("previous")?)?,
                cause: text("cause")?.parse().ok()?,
                policies: serde_json::from_str(&text("policies")?).ok()?,
                message: text("message"),
                note: text("note"),
                decided_by: text("decided_by")?,
                role: text("role")?.parse().ok()?,
                act: text("act").and_then(|id| id.parse().ok()),
                undoes: text("undoes").and_then(|id| id.parse().ok()),
                decided_at: time("decided_at")?.assume_utc(),
                appealable_until: time("appealable_until").map(PrimitiveDateTime::assume_utc),
            })
        };
        let decision = read();
        decision.ok_or(FromRowError(row))
    }
}

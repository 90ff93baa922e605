//! Predicts the outcome of a replay with the current rules and the current table.
//!
//! ```text
//!  replayed too often? ─► would be left
//!  no post             ─► would be refused again
//!  reviewed by current rules ─► inserted, and rolled back ─► would be recorded, with that verdict
//!                                                        ─► already recorded
//!                                                        ─► would be refused again
//! ```
//!
//! The review refuses nothing; it only gives a verdict. If MySQL cannot be queried, the forecast is unknown.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};
use sluice_core::failure::Failure;
use sluice_core::name::SenderName;
use sluice_core::post::Post;
use sluice_core::verdict::Verdict;
use sluice_mysql::{Recorded, Row, Store};
use sluice_rabbit::dead_letters::DeadLetter;
use sluice_review::RuleSet;
use time::OffsetDateTime;

use super::options::ReplayOptions;

/// The most rows of one trial insert, and their approximate maximum of bytes.
const ROWS: usize = 200;
const BYTES: usize = 2 * 1024 * 1024;

/// What would become of one dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Forecast {
    /// It would be stored with this verdict.
    Recorded(Verdict),
    /// It is stored already.
    AlreadyRecorded,
    /// It would be dead-lettered again, for this code and message.
    Refused(String, String),
    /// It was replayed too often.
    Left(String),
    /// MySQL cannot be asked.
    NotKnown,
}

impl Forecast {
    /// Its name in JSON; text shows it with spaces.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Recorded(_) => "would_be_recorded",
            Self::AlreadyRecorded => "already_recorded",
            Self::Refused(..) => "would_be_refused_again",
            Self::Left(_) => "would_be_left",
            Self::NotKnown => "not_known",
        }
    }
}

impl std::fmt::Display for Forecast {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.name().replace('_', " ");
        match self {
            Self::Recorded(verdict) => write!(f, "{name}: {verdict}"),
            Self::Refused(code, message) => write!(f, "{name}: {code}: {message}"),
            Self::Left(reason) => write!(f, "{name}: {reason}"),
            Self::AlreadyRecorded | Self::NotKnown => f.write_str(&name),
        }
    }
}

/// The part of a dead letter to evaluate.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Candidate {
    /// It was replayed too often.
    Left(String),
    /// It is not a post: code and message.
    Refused(String, String),
    /// The post, as a message's body, and its sender.
    Post(String, Option<SenderName>),
}

/// Makes the forecasts of dead letters, in their order.
pub(crate) struct Judge {
    options: ReplayOptions,
    rules: RuleSet,
    store: Store,
    /// Why MySQL cannot be queried.
    pub(crate) unreachable: Option<String>,
    forecasts: Vec<Forecast>,
    /// Rows that are to be tried, and whose they are.
    rows: Vec<Row>,
    places: Vec<usize>,
    bytes: usize,
}

impl Judge {
    /// An empty one.
    ///
    /// # Errors
    /// When the rules cannot be read.
    pub(crate) fn new(options: &ReplayOptions, store: Store) -> anyhow::Result<Self> {
        let rules = match &options.rules {
            Some(file) => RuleSet::load(file)?,
            None => RuleSet::builtin(),
        };
        Ok(Self {
            options: options.clone(),
            rules,
            store,
            unreachable: None,
            forecasts: Vec::new(),
            rows: Vec::new(),
            places: Vec::new(),
            bytes: 0,
        })
    }

    /// The part of a dead letter to evaluate, copied while it is in flight.
    pub(crate) fn read(&self, dead_letter: &DeadLetter) -> Candidate {
        match (self.options.refusal(dead_letter), dead_letter.post(OffsetDateTime::now_utc())) {
            (Some(reason), _) => Candidate::Left(reason),
            (None, Err(malformed)) => {
                let Failure { code, message, .. } = malformed.into();
                Candidate::Refused(code, message)
            }
            (None, Ok(post)) => {
                let body = String::from_utf8(post.to_body()).unwrap_or_default();
                Candidate::Post(body, dead_letter.summary.sender.clone())
            }
        }
    }

    /// One more dead letter, which was already returned.
    pub(crate) fn add(&mut self, candidate: Candidate) {
        let forecast = match candidate {
            Candidate::Left(reason) => Forecast::Left(reason),
            Candidate::Refused(code, message) => Forecast::Refused(code, message),
            Candidate::Post(body, sender) => match self.row(&body, sender) {
                Err(failure) => Forecast::Refused(failure.code, failure.message),
                Ok(row) => {
                    self.bytes += row.bytes();
                    self.places.push(self.forecasts.len());
                    self.rows.push(row);
                    Forecast::NotKnown
                }
            },
        };
        self.forecasts.push(forecast);
    }

    /// Whether a full batch has been collected.
    pub(crate) fn is_full(&self) -> bool {
        self.forecasts.len() >= ROWS || self.bytes > BYTES
    }

    /// The forecasts of those collected since the last call.
    pub(crate) async fn forecasts(&mut self) -> Vec<Forecast> {
        self.try_out().await;
        std::mem::take(&mut self.forecasts)
    }

    /// As a worker would make it.
    fn row(&self, body: &str, sender: Option<SenderName>) -> Result<Row, Failure> {
        let now = OffsetDateTime::now_utc();
        let post = Post::from_message(body.as_bytes(), None, now)?;
        let review = catch_unwind(AssertUnwindSafe(|| self.rules.review(&post)))
            .map_err(|panic| Failure::panicked("review", &*panic))?;
        Ok(Row { post, review, reviewed_at: now, attempts: 1, sender })
    }

    async fn try_out(&mut self) {
        self.bytes = 0;
        let (rows, places) = (std::mem::take(&mut self.rows), std::mem::take(&mut self.places));
        if rows.is_empty() || self.unreachable.is_some() {
            return;
        }
        match self.store.rehearse(&rows).await {
            Err(failure) => self.unreachable = Some(self.store.with_context(failure).to_string()),
            Ok(fates) => {
                for ((place, fate), row) in places.into_iter().zip(fates).zip(rows) {
                    self.forecasts[place] = match fate {
                        Ok(Recorded::Inserted) => Forecast::Recorded(row.review.verdict),
                        Ok(Recorded::AlreadyRecorded) => Forecast::AlreadyRecorded,
                        Err(Failure { code, message, .. }) => Forecast::Refused(code, message),
                    };
                }
            }
        }
    }
}

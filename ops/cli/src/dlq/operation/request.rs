//! What an operation is asked to do, by a command or on a page, and how it is begun.

use serde_json::{Value, json};
use sluice_core::config::DatabaseArgs;
use sluice_mysql::Store;
use sluice_rabbit::publisher::Publisher;

use super::batch::Chosen;
use super::forecast::Judge;
use super::options::ReplayOptions;
use super::preview::Preview;
use super::rate_limit::{BATCH, RateLimit};
use super::replay::{self, Replayer};
use super::run_loop::{Executor, RunLoop};
use crate::browse::DeadLetters;
use crate::dlq::report::audit_log::AuditLog;
use crate::dlq::report::wording::{DESTROY, DROP, REPLAY, Wording};
use crate::dlq::select::{Filters, Selection};

/// What to do with the selected dead letters.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// Back to work.
    Replay(ReplayOptions),
    /// Out of RabbitMQ, into the audit log.
    Drop,
    /// Out of RabbitMQ, and nothing is kept.
    Destroy,
}

/// Which dead letters, how fast, and why.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// The selection.
    pub(crate) filters: Filters,
    /// Whether every dead letter is meant.
    pub(crate) all: bool,
    /// The most dead letters a second.
    pub(crate) rate: Option<u32>,
    /// Why, for the audit log.
    pub(crate) reason: Option<String>,
}

impl Action {
    /// Its words.
    pub(crate) fn wording(&self) -> Wording {
        match self {
            Self::Replay(_) => REPLAY,
            Self::Drop => DROP,
            Self::Destroy => DESTROY,
        }
    }

    /// What would become of the selected dead letters.
    ///
    /// # Errors
    /// When they cannot be browsed, or the rules cannot be read.
    pub(crate) async fn preview(
        &self,
        dead: &DeadLetters,
        filters: Filters,
        database: &DatabaseArgs,
    ) -> anyhow::Result<Preview> {
        let judge = match self {
            Self::Replay(options) => Some(Judge::new(options, Store::new(database)?)?),
            // For a drop, the outcome is known.
            Self::Drop | Self::Destroy => None,
        };
        Preview::take(dead, Selection::new(filters), judge).await
    }

    /// The operation, ready to run.
    ///
    /// # Errors
    /// When RabbitMQ's address is wrong.
    pub(crate) fn begin(
        self,
        request: &Request,
        dead: DeadLetters,
        audit_log: AuditLog,
        chosen: Chosen,
    ) -> anyhow::Result<RunLoop> {
        let (executor, most) = match self {
            Self::Drop => (Executor::Dropper, BATCH),
            Self::Destroy => (Executor::Destroyer, BATCH),
            Self::Replay(options) => {
                let publisher = Publisher::new(&dead.broker, &dead.topology, replay::PATIENCE)?;
                (Executor::Replayer(Replayer { publisher, options }), replay::BATCH)
            }
        };
        Ok(RunLoop::new(dead, executor, audit_log, chosen, RateLimit::new(request.rate, most)))
    }
}

impl Request {
    /// As the audit log has it.
    pub(crate) fn asked(&self, action: &Action) -> Value {
        let Self { filters, all, rate, reason } = self;
        let mut asked = json!({ "filters": filters, "all": all, "rate": rate, "reason": reason });
        if let Action::Replay(ReplayOptions { canary: Some(canary), abort_over, .. }) = action {
            asked["canary"] = json!({ "dead_letters": canary, "abort_over": abort_over });
        }
        asked
    }
}

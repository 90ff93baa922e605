//! What the requests of the API share.

use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use sluice_core::failure::Failure;
use sluice_mysql::Store;
use sluice_mysql::review::Recheck;
use sluice_runtime::followed::Followed;
use sluice_runtime::health::{Problem, Seldom};
use sluice_runtime::token;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::problem;
use crate::console::access::{Accounts, Client, Scope};
use crate::policies::Policies;

/// What every request needs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Api(pub(super) Arc<Parts>);

/// What they are.
pub(crate) struct Parts {
    /// The database.
    pub(crate) store: Arc<Store>,
    /// Who may do what.
    pub(crate) accounts: Arc<Followed<Accounts>>,
    /// The reasons for decisions.
    pub(crate) policies: Arc<Followed<Policies>>,
    /// How decisions may be checked again.
    pub(crate) recheck: Recheck,
    /// How far the feed has come.
    pub(crate) feed: watch::Receiver<u64>,
    /// Ends requests that wait.
    pub(crate) stop: CancellationToken,
    /// The log line about the database.
    pub(crate) unusable: Seldom,
    /// The document of the API.
    pub(crate) document: String,
}

/// What a handler answers.
pub(super) type Answered = Result<Answer, Problem>;

/// A status and an object.
pub(super) struct Answer(pub(super) StatusCode, pub(super) Value);

impl Answer {
    /// 200.
    pub(super) fn ok(body: Value) -> Answered {
        Ok(Self(StatusCode::OK, body))
    }

    /// 201.
    pub(super) fn created(body: Value) -> Answered {
        Ok(Self(StatusCode::CREATED, body))
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.0, Json(self.1)).into_response()
    }
}

impl Api {
    /// The API with these parts.
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    pub(super) fn store(&self) -> &Store {
        &self.0.store
    }

    /// Whose request it is, if they may do what needs this scope.
    ///
    /// # Errors
    /// 401 without a token that is known, 403 with one that may not.
    pub(super) fn admit(&self, headers: &HeaderMap, scope: Scope) -> Result<Client, Problem> {
        let token = token::shown(headers).ok_or_else(problem::no_token)?;
        let accounts = self.0.accounts.now();
        let client = accounts.whose(token).ok_or_else(problem::unknown_token)?;
        if client.may(scope) { Ok(client.clone()) } else { Err(problem::no_scope(client, scope)) }
    }

    /// The problem of a call that the database did not answer, or refused.
    pub(super) fn failed(&self, failure: Failure) -> Problem {
        if failure.code == "decision_id_taken" {
            return problem::key_reused();
        }
        let answer = problem::unusable(&failure);
        let error = self.0.store.with_context(failure);
        self.0.unusable.happened(move |times| tracing::warn!(times, %error, "requests could not be answered"));
        answer
    }
}

//! Plans that were shown, and wait for a yes. An operation acts on exactly the dead letters that its plan has shown,
//! and not on those that came since; so it takes the plan with it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use crate::dlq::operation::Action;
use crate::dlq::operation::batch::Shown;
use crate::dlq::operation::request::Request;

/// How long a plan may wait.
const LASTS: Duration = Duration::from_secs(30 * 60);
/// How many may wait at once; a further one pushes the oldest out.
const MOST: usize = 10;

/// A plan.
pub(crate) struct Planned {
    /// What is to be done.
    pub(crate) action: Action,
    /// To which dead letters.
    pub(crate) request: Request,
    /// The selection, for people.
    pub(crate) words: String,
    /// The dead letters that were shown.
    pub(crate) shown: Shown,
    /// Ids asked for that no dead letter has.
    pub(crate) unknown: Vec<String>,
}

/// All that wait.
#[derive(Default)]
pub(crate) struct Plans(Mutex<VecDeque<(Uuid, Instant, Planned)>>);

impl Plans {
    /// One more; gives its id.
    pub(crate) fn add(&self, planned: Planned) -> Uuid {
        let id = Uuid::new_v4();
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if plans.len() == MOST {
            plans.pop_front();
        }
        plans.push_back((id, Instant::now(), planned));
        id
    }

    /// Takes one, once: none if it was taken, is too old or was pushed out.
    pub(crate) fn take(&self, id: Uuid) -> Option<Planned> {
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        plans.retain(|(_, at, _)| at.elapsed() < LASTS);
        let place = plans.iter().position(|(known, ..)| *known == id)?;
        plans.remove(place).map(|(_, _, planned)| planned)
    }
}

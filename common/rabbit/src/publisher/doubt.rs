//! Whether the last messages were refused or not confirmed: a doubt whether their queue has a leader.
//!
//! The broker does not say so (see [`crate::topology`]), and a producer may not take a message to find out. But what was
//! refused by a queue that reports that it is empty was not refused because the queue is full.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::PublishError;

/// How long a doubt lasts, from the last message that raised it. Longer than a refusal takes, so that it is not raised
/// anew with each message; not for ever, or whoever gets no messages because of it would never find out that it is over.
const LASTS: Duration = Duration::from_secs(10);

/// The doubt, if there is any.
#[derive(Default)]
pub(super) struct Doubt(Mutex<State>);

#[derive(Default)]
struct State {
    /// When it was raised, and what it is.
    raised: Option<(Instant, PublishError)>,
    /// When a message was last confirmed.
    confirmed: Option<Instant>,
}

impl Doubt {
    /// Takes in the outcomes of a batch that began at this moment: one confirm ends the doubt. A batch that began before
    /// the last confirm raises none: it may have waited for a leader that is there by now.
    pub(super) fn add(&self, begun: Instant, answers: &[Result<(), PublishError>]) {
        let raises = |error: &&PublishError| matches!(error, PublishError::NoLeader(_) | PublishError::Unconfirmed(_));
        let raised = answers.iter().filter_map(|answer| answer.as_ref().err()).find(raises).cloned();
        let mut state = self.state();
        if answers.iter().any(Result::is_ok) {
            *state = State { raised: None, confirmed: Some(Instant::now()) };
        } else if let Some(error) = raised
            && state.confirmed.is_none_or(|confirmed| confirmed <= begun)
        {
            state.raised = Some((Instant::now(), error));
        }
    }

    /// What the doubt is, while it lasts.
    pub(super) fn now(&self) -> Option<PublishError> {
        let state = self.state();
        state.raised.as_ref().filter(|(raised, _)| raised.elapsed() < LASTS).map(|(_, error)| error.clone())
    }

    /// There is none any more.
    pub(super) fn end(&self) {
        self.state().raised = None;
    }

    /// It is known by now that it is the leader that is missing.
    pub(super) fn is_the_leader(&self, queue: &str) -> PublishError {
        let error = PublishError::NoLeader(queue.to_owned());
        if let Some((_, doubt)) = self.state().raised.as_mut() {
            *doubt = error.clone();
        }
        error
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here can panic halfway.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNCONFIRMED: PublishError = PublishError::Unconfirmed(Duration::from_secs(2));

    #[tokio::test(start_paused = true)]
    async fn a_doubt_ends_with_a_confirm_or_when_no_message_raises_it_any_more() {
        let doubt = Doubt::default();
        doubt.add(Instant::now(), &[Err(PublishError::Full)]);
        assert_eq!(doubt.now(), None, "a full queue has a leader");
        doubt.add(Instant::now(), &[Err(UNCONFIRMED)]);
        assert_eq!(doubt.now(), Some(UNCONFIRMED));
        assert_eq!(doubt.now().map(|_| doubt.is_the_leader("q")), doubt.now());
        doubt.add(Instant::now(), &[Err(UNCONFIRMED), Ok(())]);
        assert_eq!(doubt.now(), None);
        doubt.add(Instant::now(), &[Err(UNCONFIRMED)]);
        tokio::time::advance(LASTS).await;
        assert_eq!(doubt.now(), None);
    }
    #[tokio::test(start_paused = true)]
    async fn a_batch_that_began_before_the_last_confirm_raises_no_doubt_when_it_ends() {
        let (doubt, begun) = (Doubt::default(), Instant::now());
        tokio::time::advance(Duration::from_secs(1)).await;
        doubt.add(Instant::now(), &[Ok(())]);
        doubt.add(begun, &[Err(UNCONFIRMED)]);
        assert_eq!(doubt.now(), None);
        doubt.add(Instant::now(), &[Err(UNCONFIRMED)]);
        assert_eq!(doubt.now(), Some(UNCONFIRMED));
    }
}

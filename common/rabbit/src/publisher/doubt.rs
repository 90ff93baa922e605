//! Whether the last messages were refused or not confirmed: a doubt whether their queue has a leader.
//!
//! The broker does not say so (see [`crate::topology`]), and a producer may not take a message to find out. But what was
//! refused by a queue that reports that it is empty was not refused because the queue is full.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::PublishError;

/// How long a doubt lasts, from the last message that raised it. Longer than a refusal takes, so that it is not raised
/// anew with each message; not for ever, or whoever gets no messages because of it would never find out that it is over.
const LASTS: Duration = Duration::from_secs(10);

/// The doubt, if there is any.
#[derive(Default)]
pub(super) struct Doubt(Mutex<Option<(Instant, PublishError)>>);

impl Doubt {
    /// Takes in the outcomes of a batch: one confirm ends the doubt.
    pub(super) fn add(&self, answers: &[Result<(), PublishError>]) {
        let raises = |error: &&PublishError| matches!(error, PublishError::NoLeader(_) | PublishError::Unconfirmed(_));
        let raised = answers.iter().filter_map(|answer| answer.as_ref().err()).find(raises).cloned();
        if answers.iter().any(Result::is_ok) {
            self.set(None);
        } else if let Some(error) = raised {
            self.set(Some((Instant::now(), error)));
        }
    }

    /// What the doubt is, while it lasts.
    pub(super) fn now(&self) -> Option<PublishError> {
        let doubt = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        doubt.as_ref().filter(|(raised, _)| raised.elapsed() < LASTS).map(|(_, error)| error.clone())
    }

    /// There is none any more.
    pub(super) fn end(&self) {
        self.set(None);
    }

    /// It is known by now that it is the leader that is missing.
    pub(super) fn is_the_leader(&self, queue: &str) -> PublishError {
        let error = PublishError::NoLeader(queue.to_owned());
        let mut doubt = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, doubt)) = doubt.as_mut() {
            *doubt = error.clone();
        }
        error
    }

    fn set(&self, doubt: Option<(Instant, PublishError)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = doubt;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNCONFIRMED: PublishError = PublishError::Unconfirmed(Duration::from_secs(2));

    #[tokio::test(start_paused = true)]
    async fn a_doubt_ends_with_a_confirm_or_when_no_message_raises_it_any_more() {
        let doubt = Doubt::default();
        doubt.add(&[Err(PublishError::Full)]);
        assert_eq!(doubt.now(), None, "a full queue has a leader");
        doubt.add(&[Err(UNCONFIRMED)]);
        assert_eq!(doubt.now(), Some(UNCONFIRMED));
        assert_eq!(doubt.now().map(|_| doubt.is_the_leader("q")), doubt.now());
        doubt.add(&[Err(UNCONFIRMED), Ok(())]);
        assert_eq!(doubt.now(), None);
        doubt.add(&[Err(UNCONFIRMED)]);
        tokio::time::advance(LASTS).await;
        assert_eq!(doubt.now(), None);
    }
}

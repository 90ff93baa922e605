//! Two moderators who work on the held posts while everything around them breaks, and one who gives events their
//! places in the feed. Each makes their ids once and asks again with them until there is an answer.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sluice_core::failure::Failure;
use sluice_core::moderation::Role;
use sluice_core::moderation::act::Actor;
use sluice_mysql::Store;
use sluice_mysql::review::{Ask, Claimed, DecisionRequest, Recheck, Ruling, UndoRequest};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::stage::Stage;

/// The moderators.
const NAMES: [&str; 2] = ["ann", "bob"];
/// What each reads a post for.
const READS: Duration = Duration::from_millis(100);
/// One decision in so many is undone at once, and decided anew.
const UNDONE: u32 = 4;
/// How long somebody waits before they ask again.
const AGAIN: Duration = Duration::from_millis(300);

/// What became of a decision or an undo that somebody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// It was made: this was said.
    Made,
    /// It was refused.
    Refused,
    /// Nothing was ever heard.
    Unknown,
}

/// All that was asked for, by its id.
#[derive(Debug, Default)]
pub(crate) struct Desk(Mutex<Vec<(Uuid, Word)>>);

impl Desk {
    fn notes(&self, id: Uuid, word: Word) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((id, word));
    }

    /// All of it.
    pub(crate) fn asked(&self) -> Vec<(Uuid, Word)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Works until `enough`.
pub(crate) async fn moderate(stage: &Stage<'_>, desk: &Desk, enough: &CancellationToken) {
    let stores = [stage.store(), stage.store(), stage.store()];
    let number = async {
        while !enough.is_cancelled() {
            // What cannot be numbered now is numbered by whoever comes next.
            let _ = stores[2].number_events(time::Duration::ZERO).await;
            tokio::time::sleep(READS).await;
        }
    };
    tokio::join!(work(&stores[0], NAMES[0], desk, enough), work(&stores[1], NAMES[1], desk, enough), number);
    for store in &stores {
        store.close().await;
    }
}

/// Asks again until there is an answer, or the end. What an operator has to put right is put right by the suite.
async fn insist<T>(enough: &CancellationToken, ask: impl AsyncFn() -> Result<T, Failure>) -> Option<T> {
    loop {
        if let Ok(answer) = ask().await {
            return Some(answer);
        }
        if enough.is_cancelled() {
            return None;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// One moderator: claims, decides, sometimes undoes and decides anew.
async fn work(store: &Store, name: &str, desk: &Desk, enough: &CancellationToken) {
    let mut done = 0;
    while !enough.is_cancelled() {
        tokio::time::sleep(READS).await;
        let token = Uuid::now_v7();
        let ask = Ask { by: name, role: Role::Moderator, token, queue: None };
        let Some(Claimed::Case(case)) = insist(enough, async || store.claim_next(ask).await).await else { continue };
        done += 1;
        let ruling = if done % 2 == 0 { Ruling::Approve } else { Ruling::Reject };
        let Some(decision) = decide(store, desk, enough, case.case, ruling, actor(name, token)).await else { continue };
        if done % UNDONE != 0 {
            continue;
        }
        let (id, token) = (Uuid::now_v7(), Uuid::now_v7());
        let undo = UndoRequest { id, decision, actor: actor(name, token), note: None, act: None };
        let undone = insist(enough, async || store.undo(&undo).await).await;
        let word = match &undone {
            Some(Some(Ok(_))) => Word::Made,
            Some(_) => Word::Refused,
            None => Word::Unknown,
        };
        desk.notes(id, word);
        if word == Word::Made {
            decide(store, desk, enough, case.case, Ruling::Approve, actor(name, token)).await;
        }
    }
}

fn actor(name: &str, token: Uuid) -> Actor<'_> {
    Actor { name, role: Role::Moderator, claim: Some(token) }
}

/// Decides, and notes what was said. Gives the decision if it was made.
async fn decide(
    store: &Store,
    desk: &Desk,
    enough: &CancellationToken,
    case: Uuid,
    ruling: Ruling,
    actor: Actor<'_>,
) -> Option<Uuid> {
    let request = DecisionRequest {
        id: Uuid::now_v7(),
        case,
        ruling,
        actor,
        policies: &[],
        policyset: None,
        message: None,
        note: None,
        act: None,
        recheck: Recheck::default(),
        expected: None,
    };
    let word = match insist(enough, async || store.decide(&request).await).await {
        Some(Some(Ok(_))) => Word::Made,
        Some(_) => Word::Refused,
        None => Word::Unknown,
    };
    desk.notes(request.id, word);
    (word == Word::Made).then_some(request.id)
}

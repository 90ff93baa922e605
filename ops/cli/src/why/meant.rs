//! Which post is meant: by an id, by the beginning of one, or as `latest`.

use std::ops::ControlFlow;

use sluice_core::named::Named;
use sluice_mysql::Store;
use sluice_runtime::output::report;
use time::OffsetDateTime;

use crate::beginning::{Candidates, ENOUGH, LATEST, SHORTEST, is_long_enough};
use crate::browse::DeadLetters;
use crate::visible::cut;

/// Finds the id that a text stands for. A complete id always takes precedence, and a text that cannot be the beginning
/// of a post's id is returned unchanged: it may be the id of a message that waits. None: nothing is meant, which is
/// reported.
///
/// # Errors
/// When MySQL cannot say which post is the latest; [`sluice_core::config::ConfigError`] when several ids begin so.
pub(super) async fn resolve(dead: &DeadLetters, store: &Store, text: &str) -> anyhow::Result<Option<Named>> {
    let named = Named::new(text);
    if named.post().is_some() {
        return Ok(Some(named));
    }
    if text == LATEST {
        return latest(store).await;
    }
    let mut search = Search::default();
    if is_long_enough(text) {
        search.dead_letters(dead, &named).await;
        search.database(store, &named).await;
    }
    let Search { exact, asked_all, candidates } = search;
    if exact {
        return Ok(Some(named));
    }
    if let Some(id) = candidates.only("ID", "posts or dead letters", text)? {
        return Ok(Some(Named::new(&id)));
    }
    // What could not be asked is listed with the story of the text as it is.
    if named.beginning().is_none() || !asked_all {
        return Ok(Some(named));
    }
    let shown = cut(text, 60);
    let queue = dead.topology.queue();
    match is_long_enough(text) {
        true => report!(
            "{shown}: no post that is stored or dead-lettered, and none in the audit log, has an id that begins so; \
             what waits in {queue} can only be found by its complete id"
        ),
        false => report!("{shown}: no post has this id; the beginning of an id has at least {SHORTEST} characters"),
    }
    Ok(None)
}

async fn latest(store: &Store) -> anyhow::Result<Option<Named>> {
    let found = store.latest_post(OffsetDateTime::now_utc()).await.map_err(|failure| store.with_context(failure))?;
    if found.is_none() {
        report!("{LATEST}: no post with an id that Sluice made is stored");
    }
    Ok(found.map(|post| Named::new(&post.to_string())))
}

/// The ids that begin so, from both servers.
struct Search {
    /// A dead letter has the text as its id.
    exact: bool,
    /// Both servers answered.
    asked_all: bool,
    candidates: Candidates,
}

impl Default for Search {
    fn default() -> Self {
        Self { exact: false, asked_all: true, candidates: Candidates::default() }
    }
}

impl Search {
    async fn dead_letters(&mut self, dead: &DeadLetters, named: &Named) {
        let look = dead.look(|dead_letter| {
            let summary = dead_letter.summary;
            if summary.is(named) {
                self.exact = true;
                return ControlFlow::Break(());
            }
            if named.begins(&summary.id, summary.post) {
                let post = summary.post.or_else(|| summary.id.parse().ok());
                self.candidates.add(post.map_or(summary.id, |post| post.to_string()));
            }
            ControlFlow::Continue(())
        });
        self.asked_all &= look.await.is_ok();
    }

    async fn database(&mut self, store: &Store, named: &Named) {
        match store.ids_that_begin(named, ENOUGH).await {
            Ok(ids) => ids.into_iter().for_each(|id| self.candidates.add(id)),
            Err(_) => self.asked_all = false,
        }
    }
}

//! Dead letters by kind of failure: the first thing to read when their number grows.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use sluice_core::disposition::Class;
use time::OffsetDateTime;

use super::super::app::Pages;
use super::super::frame::{Answered, Frame, Page, see_other};
use super::super::request::Visit;
use super::super::watch::DeadLetterSet;
use super::query::encode;
use super::snapshot_note::SnapshotNote;
use crate::times::shown;

/// `templates/groups.html`.
#[derive(Template)]
#[template(path = "groups.html", blocks = ["groups"])]
struct GroupsPage {
    frame: Frame,
    classes: [Class; Class::ALL.len()],
    note: SnapshotNote,
    set: Option<Arc<DeadLetterSet>>,
}

impl Page for GroupsPage {
    fn part(&self, id: &str) -> Option<askama::Result<String>> {
        (id == "groups").then(|| self.as_groups().render())
    }
}

/// Shows them.
pub(crate) async fn show(State(pages): State<Pages>, visit: Visit) -> Answered {
    let snapshot = pages.0.snapshot.look().await;
    let page = GroupsPage {
        frame: visit.frame("Dead letters"),
        classes: Class::ALL,
        note: SnapshotNote::new(snapshot.as_deref()),
        set: snapshot.and_then(|snapshot| snapshot.set.clone()),
    };
    visit.show(&page)
}

/// Looks again now, for all viewers.
pub(crate) async fn refresh(State(pages): State<Pages>) -> Answered {
    pages.0.snapshot.hurry();
    Ok(see_other("/dead-letters"))
}

/// For the template, which has references.
fn when(at: &Option<OffsetDateTime>) -> String {
    shown(*at)
}

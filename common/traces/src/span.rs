//! One step of a post's way.

use std::sync::Arc;
use std::time::SystemTime;

use sluice_core::trace_parent::TraceParent;

use crate::ended::{Ended, Kind};
use crate::export::Queue;

/// A step that is being taken; it ends when it is dropped. One of a trace that is not recorded, and one while nothing is
/// exported, only knows its place.
#[derive(Debug)]
pub struct Span {
    place: Option<TraceParent>,
    recorded: Option<Box<Recorded>>,
}

#[derive(Debug)]
struct Recorded {
    queue: Arc<Queue>,
    parent: Option<[u8; 8]>,
    name: &'static str,
    kind: Kind,
    began: SystemTime,
    attributes: Vec<(&'static str, String)>,
    failed: Option<String>,
}

impl Span {
    /// One that is not recorded, at this place.
    pub(crate) fn unrecorded(place: Option<TraceParent>) -> Self {
        Self { place, recorded: None }
    }

    /// One that begins now.
    pub(crate) fn begin(
        queue: Arc<Queue>,
        place: TraceParent,
        parent: Option<[u8; 8]>,
        name: &'static str,
        kind: Kind,
    ) -> Self {
        let began = SystemTime::now();
        let recorded = Recorded { queue, parent, name, kind, began, attributes: Vec::new(), failed: None };
        Self { place: Some(place), recorded: Some(Box::new(recorded)) }
    }

    /// Where the next program goes on; none: there is no trace.
    #[must_use]
    pub fn place(&self) -> Option<TraceParent> {
        self.place
    }

    /// A step within this one.
    #[must_use]
    pub fn child(&self, name: &'static str, kind: Kind) -> Self {
        match (&self.recorded, self.place) {
            (Some(recorded), Some(place)) => {
                let next = TraceParent { span: new_id(), ..place };
                Self::begin(Arc::clone(&recorded.queue), next, Some(place.span), name, kind)
            }
            _ => Self::unrecorded(self.place),
        }
    }

    /// Adds what is known of the step: an id, a name, a code or a number, never a text of a post. `value` is not asked
    /// for if nothing is recorded.
    pub fn set(&mut self, name: &'static str, value: impl FnOnce() -> String) {
        if let Some(recorded) = &mut self.recorded {
            recorded.attributes.push((name, value()));
        }
    }

    /// The step failed, for this reason: a code, never a message, which may repeat a part of a post.
    pub fn fail(&mut self, code: &str) {
        if let Some(recorded) = &mut self.recorded {
            recorded.failed = Some(code.to_owned());
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        let (Some(recorded), Some(place)) = (self.recorded.take(), self.place) else { return };
        let Recorded { queue, parent, name, kind, began, attributes, failed } = *recorded;
        queue.add(Ended { place, parent, name, kind, began, ended: SystemTime::now(), attributes, failed });
    }
}

/// An id by chance, which is not all zeros.
pub(crate) fn new_id<const BYTES: usize>() -> [u8; BYTES] {
    let mut id = [0; BYTES];
    while id == [0; BYTES] {
        fastrand::fill(&mut id);
    }
    id
}

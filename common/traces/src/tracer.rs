//! Begins spans.

use std::sync::Arc;

use sluice_core::trace_parent::TraceParent;

use crate::ended::Kind;
use crate::export::{Exporting, Queue};
use crate::sampler::Sampler;
use crate::settings::Settings;
use crate::span::{Span, new_id};

/// Begins the spans of a program. Cheap to clone. The default one records nothing.
#[derive(Debug, Clone, Default)]
pub struct Tracer(Option<On>);

#[derive(Debug, Clone)]
struct On {
    queue: Arc<Queue>,
    sampler: Sampler,
}

impl Tracer {
    /// The tracer of this program, as the environment says, and what exports its spans. `instance` tells apart several
    /// processes of the program on one machine.
    ///
    /// # Errors
    /// When a setting is wrong, or TLS is needed and the system has no certificates.
    pub fn start(program: &str, instance: Option<&str>) -> anyhow::Result<(Self, Exporting)> {
        let read = Settings::read(program, |name| std::env::var(name).ok())?;
        let Some(mut settings) = read else { return Ok((Self::default(), Exporting::default())) };
        settings.resource.extend(instance.map(|name| ("service.instance.id".to_owned(), name.to_owned())));
        let sampler = settings.sampler;
        let (queue, exporting) = Exporting::start(settings)?;
        Ok((Self(Some(On { queue, sampler })), exporting))
    }

    /// Whether any span may be recorded.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Begins the first span that this program adds to a trace: to the one that was begun elsewhere, or to a new one.
    /// While nothing is exported, what was begun elsewhere is passed on as it is.
    #[must_use]
    pub fn begin(&self, name: &'static str, kind: Kind, parent: Option<TraceParent>) -> Span {
        let Some(On { queue, sampler }) = &self.0 else { return Span::unrecorded(parent) };
        let trace = parent.map_or_else(new_id, |parent| parent.trace);
        if sampler.records(trace, parent.map(|parent| parent.sampled)) {
            let place = TraceParent { trace, span: new_id(), sampled: true };
            return Span::begin(Arc::clone(queue), place, parent.map(|parent| parent.span), name, kind);
        }
        // The next program must not begin another one.
        let span = parent.map_or_else(new_id, |parent| parent.span);
        Span::unrecorded(Some(TraceParent { trace, span, sampled: false }))
    }
}

//! The state shared by all HTTP requests.

use std::sync::Arc;

use axum::body::Body;
use axum::http::HeaderMap;
use sluice_core::name::SenderName;
use sluice_core::post::{Post, PostId};
use sluice_rabbit::publisher::{Envelope, PublishError, Publisher};
use sluice_rabbit::topology::Topology;
use sluice_runtime::followed::Followed;
use sluice_runtime::health::Problem;
use sluice_traces::{Kind, Span, Tracer};
use tokio::sync::watch;

use crate::http::body::discard;
use crate::http::meters::Meters;
use crate::http::problem;
use crate::http::watch::Reports;
use crate::memory::Memory;
use crate::receipts::ReceiptLog;
use crate::senders::{Admitted, Senders};
use crate::topology_status::TopologyStatus;

/// What every request needs. Cheap to clone.
#[derive(Clone)]
pub struct App(pub(crate) Arc<Parts>);

/// What they are.
pub(crate) struct Parts {
    pub(crate) publisher: Publisher,
    pub(crate) topology: Topology,
    pub(crate) topology_status: watch::Receiver<TopologyStatus>,
    pub(crate) reports: Reports,
    pub(crate) meters: Meters,
    pub(crate) memory: Memory,
    /// None: nobody wants receipts.
    pub(crate) receipts: Option<Arc<ReceiptLog>>,
    /// None: anybody may send.
    pub(crate) senders: Option<Arc<Followed<Senders>>>,
    pub(crate) tracer: Tracer,
    pub(crate) max_body: usize,
    pub(crate) max_batch: usize,
}

impl App {
    /// Whether posts can be published at all.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn declared(&self) -> Result<(), String> {
        self.0.topology_status.borrow().check()
    }

    /// The problem of a post that the broker did not accept; also reports it to the watch.
    pub(crate) fn not_taken(&self, error: &PublishError, id: PostId) -> Problem {
        self.0.reports.report(error);
        problem::not_published(error, id)
    }

    /// A post was confirmed.
    pub(crate) fn confirmed(&self, id: PostId) {
        if let Some(receipts) = &self.0.receipts {
            receipts.add(id);
        }
    }

    pub(crate) fn publisher(&self) -> &Publisher {
        &self.0.publisher
    }

    pub(crate) fn meters(&self) -> &Meters {
        &self.0.meters
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.0.memory
    }

    /// Whose request it is, and its body. None where anybody may send.
    ///
    /// # Errors
    /// 401 and 429, as [`Senders::admit`] has them.
    pub(crate) fn admit(&self, headers: &HeaderMap, body: Body) -> Result<(Option<Admitted>, Body), Problem> {
        let Some(senders) = &self.0.senders else { return Ok((None, body)) };
        match senders.now().admit(headers) {
            Ok(admitted) => Ok((Some(admitted), body)),
            Err(problem) => {
                discard(headers, body);
                Err(problem)
            }
        }
    }

    /// The message of a post, and the span of its publishing, a part of `request`.
    pub(crate) fn envelope(&self, post: &Post, sender: Option<&SenderName>, request: &Span) -> (Envelope, Span) {
        let mut span = request.child("publish", Kind::Producer);
        span.set("messaging.system", || "rabbitmq".to_owned());
        span.set("messaging.message.id", || post.id.to_string());
        let envelope = Envelope::post(&self.0.topology, post);
        let envelope = if let Some(sender) = sender { envelope.sent_by(sender) } else { envelope };
        (if let Some(place) = span.place() { envelope.traced(&place) } else { envelope }, span)
    }
}

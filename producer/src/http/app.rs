//! The state shared by all HTTP requests.

use std::sync::Arc;

use sluice_core::post::{Post, PostId};
use sluice_rabbit::publisher::{Envelope, PublishError, Publisher};
use sluice_rabbit::topology::Topology;
use sluice_runtime::health::Problem;
use tokio::sync::watch;

use crate::http::memory::Memory;
use crate::http::meters::Meters;
use crate::http::problem;
use crate::http::watch::Reports;
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

    pub(crate) fn publisher(&self) -> &Publisher {
        &self.0.publisher
    }

    pub(crate) fn meters(&self) -> &Meters {
        &self.0.meters
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.0.memory
    }

    pub(crate) fn envelope(&self, post: &Post) -> Envelope {
        Envelope::post(&self.0.topology, post)
    }
}

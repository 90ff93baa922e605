//! A step that was taken, as it is exported.

use std::time::SystemTime;

use sluice_core::trace_parent::TraceParent;

/// What a step is to the others of its trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A step within a program.
    Internal,
    /// The handling of a request.
    Server,
    /// A request to a server.
    Client,
    /// A message is published.
    Producer,
    /// A message is handled.
    Consumer,
}

/// A step that was taken.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) place: TraceParent,
    pub(crate) parent: Option<[u8; 8]>,
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) began: SystemTime,
    pub(crate) ended: SystemTime,
    pub(crate) attributes: Vec<(&'static str, String)>,
    /// The code of what went wrong.
    pub(crate) failed: Option<String>,
}

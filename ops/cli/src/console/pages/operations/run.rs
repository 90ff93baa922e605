//! An operation runs on whether or not somebody looks.

use std::sync::Arc;

use axum::response::Response;

use super::super::app::Pages;
use super::super::frame::see_other;
use super::super::work::Running;

impl Pages {
    /// Runs it, and leads to its page.
    pub(super) fn run<T>(
        &self,
        running: Running,
        operation: impl Future<Output = anyhow::Result<T>> + Send + 'static,
    ) -> Response {
        let address = format!("/operations/{}", running.id);
        let (progress, snapshot) = (Arc::clone(&running.progress), Arc::clone(&self.0.snapshot));
        self.0.work.add(running);
        self.0.tasks.spawn(async move {
            if let Err(error) = operation.await {
                progress.change(|steps| steps.summary = Some(format!("nothing was done: {error:#}")));
            }
            progress.change(|steps| steps.is_over = true);
            snapshot.hurry();
        });
        see_other(&address)
    }
}

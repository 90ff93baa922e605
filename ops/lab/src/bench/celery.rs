//! Celery, the usual task queue of Python, as a peer: a task for each post, run by `ops/peers/celery/tasks.py`.

use std::fs::File;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use lapin::options::{ExchangeDeleteOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties};
use sluice_core::post::Post;

use super::stage::Stage;
use crate::program::Program;

/// Processes that run tasks.
const CONCURRENCY: &str = "4";
/// How long all tasks may take to be published: Celery waits for the confirm of each.
const PUBLISHED_WITHIN: Duration = Duration::from_secs(300);

/// When a task is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Acks {
    /// Before it is run: Celery's default.
    Early,
    /// After it was run.
    Late,
}

/// A queue of tasks, as Celery declares it.
pub(super) struct Tasks<'a> {
    stage: &'a Stage,
    queue: String,
}

impl<'a> Tasks<'a> {
    /// Publishes a task for each post, persistent and confirmed, with Celery's own publisher.
    pub(super) async fn publish(stage: &'a Stage, queue: String, posts: &[Post]) -> anyhow::Result<Self> {
        let path = stage.folder().join("tasks.ndjson");
        let mut lines = Vec::new();
        for post in posts {
            lines.extend(post.to_body());
            lines.push(b'\n');
        }
        std::fs::write(&path, lines).with_context(|| format!("cannot write {}", path.display()))?;
        let mut command = stage.celery_peer()?;
        // A terminal's Ctrl-C is for us, who end it by dropping it.
        command.args(["tasks.py", "publish", &queue]).stdin(File::open(&path)?).process_group(0).kill_on_drop(true);
        let ran = tokio::time::timeout(PUBLISHED_WITHIN, command.output())
            .await
            .with_context(|| format!("Celery did not publish {} tasks within {PUBLISHED_WITHIN:?}", posts.len()))?
            .context("cannot run /usr/bin/python3: ops/peers/build installs it")?;
        let (status, said) = (ran.status, String::from_utf8_lossy(&ran.stderr));
        ensure!(
            status.success(),
            "tasks.py publish {queue} failed ({status}); ops/peers/build installs what it needs; it said:\n{}",
            said.trim_end()
        );
        std::fs::remove_file(&path)?;
        Ok(Self { stage, queue })
    }

    /// Starts a worker for them.
    pub(super) fn start(&self, acks: Acks) -> anyhow::Result<Program> {
        let mut command = self.stage.celery_peer()?;
        let late = if acks == Acks::Late { "1" } else { "0" };
        command.env("CELERY_QUEUE", &self.queue).env("CELERY_ACKS_LATE", late);
        command.args(["-m", "celery", "-A", "tasks", "worker", "--concurrency", CONCURRENCY, "--loglevel", "WARNING"]);
        // There are no other workers to talk to, and the queues for that talk are of a kind that RabbitMQ 4.3 refuses.
        command.args(["--without-gossip", "--without-mingle", "--without-heartbeat", "-Q", &self.queue]);
        Program::start("Celery's worker", command, self.stage.log("celery"), false)
    }

    /// How many tasks wait, without those that a worker has in flight.
    pub(super) async fn waiting(&self) -> anyhow::Result<u32> {
        let (connection, channel) = self.channel().await?;
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let queue = channel.queue_declare(self.queue.as_str().into(), options, FieldTable::default()).await?;
        leave(&connection).await;
        Ok(queue.message_count())
    }

    /// Removes the queue, and the exchange of the same name.
    pub(super) async fn remove(self) -> anyhow::Result<()> {
        let (connection, channel) = self.channel().await?;
        channel.queue_delete(self.queue.as_str().into(), QueueDeleteOptions::default()).await?;
        channel.exchange_delete(self.queue.as_str().into(), ExchangeDeleteOptions::default()).await?;
        leave(&connection).await;
        Ok(())
    }

    async fn channel(&self) -> anyhow::Result<(Connection, Channel)> {
        let connection = Connection::connect(&self.stage.amqp_url(), ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        Ok((connection, channel))
    }
}

async fn leave(connection: &Connection) {
    let _ = tokio::time::timeout(Duration::from_secs(1), connection.close(200, "done".into())).await;
}

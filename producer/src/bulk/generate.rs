//! Posts that nobody wrote, to see the whole at work.

use std::io::{self, IsTerminal as _};

use futures_util::{Stream, stream};
use sluice_core::post::{Post, PostId};
use sluice_runtime::exit::Exit;
use tokio_util::sync::CancellationToken;

use crate::bulk::entry::Entry;
use crate::bulk::outcome::{End, PublishOutcome};
use crate::bulk::pipeline::Pipeline;
use crate::bulk::progress::{self, Progress};
use crate::bulk::samples::Samples;
use crate::cli::Generate;
use crate::submit;

/// Up to how many posts a second a person can follow line by line.
const READABLE: f64 = 20.0;

/// Makes posts and publishes them, until there are enough or until `stop`.
///
/// # Errors
/// When the receipts cannot be opened, the queues cannot be declared, or posts could not be published.
pub async fn run(args: &Generate, stop: CancellationToken) -> anyhow::Result<Exit> {
    let each = args.rate <= READABLE && io::stdout().is_terminal();
    let progress = Progress::of_posts(args.count, Some(args.rate), each);
    let source = "the generator".to_owned();
    let ready = Pipeline::open(&args.broker, &args.run, Some(args.rate), progress, source);
    let Some(pipeline) = stop.run_until_cancelled(ready).await.transpose()? else {
        anyhow::bail!("stopped before the first post");
    };
    let samples = args.seed.map_or_else(Samples::new, Samples::from_seed);
    conclude(pipeline.run(entries(samples, args.count), &stop).await, args.count)
}

fn entries(mut samples: Samples, count: Option<u64>) -> impl Stream<Item = io::Result<Entry>> + Unpin {
    stream::iter((1..=count.unwrap_or(u64::MAX)).map(move |number| {
        let (id, submitted_at) = (PostId::new(), submit::now());
        let sample = samples.draw();
        let post = Post { id, title: sample.title, content: sample.content, author: sample.author, submitted_at };
        Ok(Entry { line: number, mark: number, post: Ok(post) })
    }))
}

fn conclude(outcome: PublishOutcome, count: Option<u64>) -> anyhow::Result<Exit> {
    progress::last_word(&outcome);
    match (outcome.end, count) {
        (End::Failed(error), _) => Err(error),
        // Ctrl-C before the number that was asked for; without a number it is how this ends.
        (End::Stopped, Some(count)) => {
            progress::last_word(&format_args!("stopped: {} of {count} posts were published", outcome.published));
            Ok(Exit::Failed)
        }
        (End::Stopped | End::Complete, _) => Ok(Exit::Done),
    }
}

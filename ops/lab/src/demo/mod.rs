//! `sluice-lab demo`: the whole of Sluice in a minute, with the real programs on private servers.

mod mishap;
mod sender;
mod stage;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use sluice_runtime::exit::Exit;
use stage::Stage;

/// The posts that come with Sluice.
const SAMPLES: &str = include_str!("../../samples/posts.ndjson");
/// Narrower than some of the samples' titles.
const NARROW: usize = 69;
/// How long the workers may take with the samples.
const PATIENCE: Duration = Duration::from_secs(30);

/// Arguments of `sluice-lab demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Leave everything running at the end, and print the addresses
    #[arg(long)]
    pub keep: bool,

    /// Folder for data and logs [default: a temporary one, removed at the end; with --keep .sluice-demo]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Runs it.
///
/// # Errors
/// When the servers or the programs cannot be had, or a step does not go as it should.
pub async fn run(args: DemoArgs) -> anyhow::Result<Exit> {
    let stop = sluice_runtime::shutdown::on_interrupt().context("cannot listen for signals")?;
    say("Starting private servers in their own folder");
    let stage = tokio::select! {
        stage = Stage::set(&args) => stage?,
        () = stop.cancelled() => anyhow::bail!("stopped before the end"),
    };
    let played = tokio::select! {
        played = play(&stage) => played,
        () = stop.cancelled() => Err(anyhow::anyhow!("stopped before the end")),
    };
    match played {
        Ok(()) if args.keep => stage.leave().map(|()| Exit::Done),
        Ok(()) => {
            stage.strike().await?;
            println!("\nEverything has stopped. `ops/demo --keep` leaves it running.");
            Ok(Exit::Done)
        }
        Err(error) => {
            stage.strike().await?;
            Err(error)
        }
    }
}

async fn play(stage: &Stage) -> anyhow::Result<()> {
    say("The title column was made too narrow, so some posts cannot be stored");
    stage.store.create_database().await?;
    stage.store.migrate().await?;
    mishap::resize_titles(&stage.database(), NARROW).await?;

    say("A flood of posts over HTTP, while no worker is running");
    stage.start_producer().await?;
    let sent = sender::send(SAMPLES, &stage.producer_url()).await?;
    std::fs::write(stage.receipts(), sent.accepted.iter().map(|id| format!("{id}\n")).collect::<String>())
        .context("cannot write the receipts")?;
    println!(
        "  {} of {} lines accepted in {:.2} s: each is on RabbitMQ's disk. {} refused, for example:",
        sent.accepted.len(),
        sent.accepted.len() + sent.refused.len(),
        sent.took.as_secs_f64(),
        sent.refused.len(),
    );
    for refused in sent.refused.iter().take(4) {
        println!("    {refused}");
    }
    sender::publish_as_a_stranger(&stage.management_url(), &stage.topology.exchange()).await?;
    println!("  And another program has published a message that is not a post.");

    say("Three worker processes share the work, one post in flight per consumer");
    stage.start_workers().await?;
    watch_them_move(stage, sent.accepted.len()).await?;
    for (verdict, rows) in stage.store.count_by_verdict().await? {
        println!("  {verdict:<9} {rows:>5}");
    }
    for (worker, rows) in stage.store.count_by_worker().await? {
        println!("  {worker:<9} {rows:>5} posts");
    }

    say("Posts that could not be stored were dead-lettered, with the reason");
    stage.sluice(&["dlq", "list"]).await?;
    stage.sluice(&["dlq", "show", sender::STRANGER]).await?;

    say("Fix the column, and replay the posts that failed because of it");
    mishap::widen_titles(&stage.database()).await?;
    stage.sluice(&["dlq", "replay", "--code", "mysql_1406", "--yes"]).await?;
    let died_for_good = 1;
    settle(stage, died_for_good).await?;
    stage.sluice(&["dlq", "list"]).await?;

    say("Is every accepted post accounted for?");
    let receipts = stage.receipts();
    let receipts = receipts.to_str().context("the folder's name is not UTF-8")?;
    ensure!(stage.sluice(&["verify", "--receipts", receipts, "--wait", "10s"]).await?, "verify found posts missing");
    Ok(())
}

/// Shows the queue emptying into MySQL and the dead letters.
async fn watch_them_move(stage: &Stage, posts: usize) -> anyhow::Result<()> {
    let posts = u64::try_from(posts)?;
    let bar = ProgressBar::new(posts);
    bar.set_style(ProgressStyle::with_template("  {bar:40} {pos} stored {msg}")?);
    let begun = Instant::now();
    loop {
        let now = stage.now().await?;
        bar.set_position(now.stored);
        bar.set_message(format!("· {} waiting · {} dead", now.waiting, now.dead));
        // The stranger's message is one more than the posts.
        if now.waiting == 0 && now.stored + u64::from(now.dead) > posts {
            bar.finish_and_clear();
            println!(
                "  {} stored and {} dead-lettered in {:.2} s",
                now.stored,
                now.dead,
                begun.elapsed().as_secs_f64()
            );
            return Ok(());
        }
        ensure!(begun.elapsed() < PATIENCE, "the workers have not finished all posts: {now:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until the replayed posts have found their way.
async fn settle(stage: &Stage, dead: u32) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        let now = stage.now().await?;
        if now.waiting == 0 && now.dead == dead && now.stored == stage.accepted()? {
            return Ok(());
        }
        ensure!(begun.elapsed() < PATIENCE, "the replayed posts are not stored: {now:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn say(what: &str) {
    println!("\n── {what}");
}

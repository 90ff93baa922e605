//! `sluice review forget`: what the law requires to be erased.

use clap::Args;
use serde_json::json;
use sluice_core::config::DatabaseArgs;
use sluice_core::post::PostId;
use sluice_mysql::StoredPost;
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};
use sluice_runtime::shutdown;

use crate::actor::actor;
use crate::review::desk::Desk;
use crate::review::desk::confirm;
use crate::review::desk::person::{name, words};
use crate::times::shown;
use crate::visible::cut;

/// Arguments of `sluice review forget`.
#[derive(Debug, Args)]
pub(in crate::review) struct ForgetArgs {
    /// Id of the post
    post: PostId,
    /// Why, at most 2000 characters; it is recorded
    #[arg(long, value_name = "TEXT", value_parser = words)]
    reason: String,
    /// Your name, 1 to 100 characters [default: your user and host]
    #[arg(long = "as", value_name = "NAME", value_parser = name)]
    name: Option<String>,
    /// Skip the confirmation prompt; required if there is no terminal
    #[arg(long, short = 'y')]
    yes: bool,
    /// Print one JSON object: {"post", "forgotten", "archived_dead_letters"}
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Erases it.
///
/// # Errors
/// When there is nobody to ask, or the database cannot be used.
pub(in crate::review) async fn run(args: ForgetArgs) -> anyhow::Result<Exit> {
    confirm::can(args.yes, "review forget")?;
    let stop = shutdown::on_interrupt()?;
    let desk = Desk::open(&args.database).await?;
    let post = args.post;
    let (row, archived) = (desk.ok(desk.store.post(post).await)?, desk.ok(desk.store.archived_of(post).await)?);
    if row.is_none() && archived == 0 {
        report!(
            "no post with the id {post} is stored, and no dead letter of it is archived; `sluice why {post}` says where it is"
        );
        return Ok(Exit::Partial);
    }
    if let Some(exit) = confirm::ask(args.yes, &question(post, row.as_ref(), archived), &stop).await? {
        return Ok(exit);
    }
    let by = match args.name {
        Some(name) => name,
        None => actor().await,
    };
    let done = desk.ok(desk.store.forget(post, &by, Some(&args.reason)).await)?;
    desk.store.close().await;
    if done.is_nothing() {
        report!("post {post} is gone");
        return Ok(Exit::Partial);
    }
    output::print(|out| match args.json {
        true => {
            let erased = json!({ "post": post, "forgotten": done.row, "archived_dead_letters": done.archived });
            output::json_line(out, &erased)
        }
        false => {
            if done.row {
                writeln!(out, "the title, text and author of post {post} are erased")?;
            }
            if done.archived > 0 {
                writeln!(out, "{} of post {post} erased", counted(done.archived))?;
            }
            Ok(())
        }
    })?;
    report!(
        "dead letters that still wait are not searched: `sluice why {post}` lists them, `sluice dlq drop ID --forever` removes them"
    );
    Ok(Exit::Done)
}

fn question(post: PostId, row: Option<&StoredPost>, archived: u64) -> String {
    let mut text = match row {
        Some(row) => {
            let author = row.author.as_deref().map(|author| format!(" by {}", cut(author, 100))).unwrap_or_default();
            let (title, at) = (cut(&row.title, 120), shown(Some(row.recorded_at)));
            format!("post {post}: \"{title}\"{author}, stored at {at}\nErase its title, text and author")
        }
        None => format!("post {post} is not stored\nErase"),
    };
    if archived > 0 {
        let and = if row.is_some() { ", and" } else { "" };
        text = format!("{text}{and} {} of it", counted(archived));
    }
    format!("{text} for good?")
}

fn counted(archived: u64) -> String {
    format!("{archived} archived dead letter{}", if archived == 1 { "" } else { "s" })
}

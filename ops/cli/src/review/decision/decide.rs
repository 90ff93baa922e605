//! `sluice review decide`: one case, approved or rejected.

use clap::Args;
use serde::Serialize;
use sluice_core::config::DatabaseArgs;
use sluice_core::post::PostId;
use sluice_core::verdict::Verdict;
use sluice_mysql::review::{Decision, DecisionRequest, Opinion, Ruled};
use sluice_runtime::exit::Exit;
use sluice_runtime::output;
use uuid::Uuid;

use crate::review::decision::reasons::{ReasonArgs, Word};
use crate::review::desk::Desk;
use crate::review::desk::find;
use crate::review::desk::person::PersonArgs;
use crate::review::desk::refused::Refused;

/// Arguments of `sluice review decide`.
#[derive(Debug, Args)]
pub(in crate::review) struct DecideArgs {
    /// Id of the case, an unambiguous beginning of it of at least 4 characters, or the id of its post
    case: String,
    /// What to do with the post
    #[arg(value_name = "RULING")]
    word: Word,
    #[command(flatten)]
    person: PersonArgs,
    #[command(flatten)]
    reasons: ReasonArgs,
    /// Token of your claim, as shown by `sluice review next`
    #[arg(long, value_name = "TOKEN")]
    claim: Option<Uuid>,
    /// Id for the decision, a UUID of your own; repeated with it, the command gives the same answer
    #[arg(long, value_name = "UUID")]
    decision: Option<Uuid>,
    /// Revision of the post that you have seen, 0 before the first decision; refuse to decide at any other
    #[arg(long, value_name = "REVISION")]
    expected: Option<u32>,
    /// Print one JSON object: {"decision", "post", "revision", "verdict"}
    ///
    /// Of a second review: {"opinion", "post", "case", "of_decision", "verdict", "agrees", "policies", "note", "given_by",
    /// "role", "given_at"}.
    /// If somebody else was first: {"refused", "case", "post", "by", "at", "until", "verdict", "revision", "detail"}.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// A decision, as it is printed.
#[derive(Serialize)]
pub(in crate::review) struct Decided {
    decision: Uuid,
    post: PostId,
    revision: u32,
    verdict: Verdict,
}

impl From<&Decision> for Decided {
    fn from(decision: &Decision) -> Self {
        let Decision { decision, post, revision, verdict, .. } = *decision;
        Self { decision, post, revision, verdict }
    }
}

/// What a second opinion leads to, in words.
fn said(Opinion { opinion, post, verdict, agrees, .. }: &Opinion) -> String {
    let then = match agrees {
        true => "it agrees with the decision, and the case is closed",
        false => "it differs from the decision, and a lead decides",
    };
    format!("the second opinion on post {post} is {verdict} ({opinion}): {then}")
}

/// Decides it.
///
/// # Errors
/// When the reasons are wrong, or the database cannot be used.
pub(in crate::review) async fn run(args: DecideArgs) -> anyhow::Result<Exit> {
    let ruling = args.word.ruling();
    let reasons = args.reasons.check(ruling)?;
    let desk = Desk::open(&args.database).await?;
    let Some(case) = find::case(&desk, &args.case).await? else { return Ok(Exit::Partial) };
    let request = DecisionRequest {
        id: args.decision.unwrap_or_else(Uuid::now_v7),
        case: case.case,
        ruling,
        actor: args.person.actor(args.claim),
        policies: &reasons.named,
        policyset: reasons.set.as_deref(),
        message: reasons.message.as_deref(),
        note: args.reasons.note.as_deref(),
        act: None,
        recheck: reasons.recheck,
        expected: args.expected,
    };
    let exit = match desk.ok(desk.store.rule(&request).await)? {
        None => {
            output::say(&format!("case {} is gone; `sluice review list` has those that there are\n", case.case));
            Exit::Partial
        }
        Some(Err(refusal)) => Refused::new(&desk, &refusal, case.case, case.post).await?.tell(args.json)?,
        Some(Ok(Ruled::Opinion(opinion))) => {
            output::print(|out| match args.json {
                true => output::json_line(out, &opinion),
                false => writeln!(out, "{}", said(&opinion)),
            })?;
            Exit::Done
        }
        Some(Ok(Ruled::Decision(decision))) => {
            output::print(|out| match args.json {
                true => output::json_line(out, &Decided::from(&decision)),
                false => {
                    let Decision { post, verdict, revision, decision, .. } = &decision;
                    writeln!(out, "post {post} is {verdict} (decision {decision}, revision {revision})")
                }
            })?;
            Exit::Done
        }
    };
    desk.store.close().await;
    Ok(exit)
}

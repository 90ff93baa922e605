//! What people's review costs: how much slower posts are stored when some of them get cases, and how long a moderator
//! waits for the next case of many.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures_util::future::try_join_all;
use sluice_core::config::DatabaseArgs;
use sluice_core::moderation::Role;
use sluice_core::moderation::act::Actor;
use sluice_core::post::Post;
use sluice_core::verdict::{Review, Score, Verdict};
use sluice_mysql::review::{Ask, Claimed, DecisionRequest, HeldPost, Recheck, Ruling};
use sluice_mysql::{Row, Store};
use time::OffsetDateTime;
use uuid::Uuid;

use super::figures::{SLUICE, Sheet, Unit, percentile};
use super::stage::Stage;

/// One post in so many is held: 5 %.
const ONE_IN: usize = 20;
/// Posts of one drain.
const POSTS: usize = 60_000;
/// Consumers, each with one post in flight.
const CONSUMERS: &str = "64";
/// How often both are measured in a turn, so that a figure is of more than one moment.
const ROUNDS: usize = 3;
/// Cases that are open when moderators begin.
const CASES: usize = 100_000;
/// Moderators.
const MODERATORS: usize = 50;
/// How long they work.
const TIME: Duration = Duration::from_secs(10);
/// The time of each for a case, on the average: ten times as fast as anybody reads.
const READS: Duration = Duration::from_millis(300);
/// In how many queues the cases are.
const QUEUES: [&str; 5] = ["hate", "insult", "scam", "spam", "threat"];

/// What it was measured under, in the tables.
pub(super) const NONE_HELD: &str = "64 consumers, no post held";
pub(super) const SOME_HELD: &str = "64 consumers, 5 % of posts held";
pub(super) const NEXT_50: &str = "next of 100,000 cases, median";
pub(super) const NEXT_99: &str = "next of 100,000 cases, p99";
const DECIDED_99: &str = "decision among 100,000 cases, p99";

pub(super) async fn turn(stage: &Stage, sheet: &mut Sheet<'_>) -> anyhow::Result<()> {
    let mut rates: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for round in 0..ROUNDS {
        let mut order = [NONE_HELD, SOME_HELD];
        // The one that comes second finds the machine in another state, so each comes second equally often.
        if round % 2 == 1 {
            order.reverse();
        }
        for what in order {
            let rate = drained(stage, what == SOME_HELD).await?;
            rates.entry(what).or_default().push(rate);
        }
    }
    for what in [NONE_HELD, SOME_HELD] {
        sheet.add(what, SLUICE, Unit::PostsPerSecond, percentile(&rates[what], 50.0));
    }
    moderated(stage, sheet).await
}

/// Posts stored in a second, with the built-in rules.
async fn drained(stage: &Stage, held: bool) -> anyhow::Result<f64> {
    let posts = stage.count(POSTS);
    let place = stage
        .filled_with(posts, |posts| {
            if held {
                hold_some(posts)
            }
        })
        .await?;
    let worker = stage.start(&place, "sluice-worker", &["run", "--concurrency", CONSUMERS])?;
    let rate = place.drained(stage.rows(), posts).await?;
    worker.end().await?;
    place.remove().await;
    let (stored, cases) = stage.rows().held_and_cases().await?;
    anyhow::ensure!(cases == stored, "{cases} cases were opened for {stored} held posts");
    // By chance, one of thousands is rejected.
    let wanted = if held { posts.div_ceil(ONE_IN) } else { 0 };
    anyhow::ensure!(stored.abs_diff(wanted) <= wanted / 100, "{stored} of {posts} posts were held, not {wanted}");
    Ok(rate)
}

/// One in so many is one that the built-in rules hold.
fn hold_some(posts: &mut [Post]) {
    for post in posts.iter_mut().step_by(ONE_IN) {
        post.content.push_str(HELD);
    }
}

/// What the built-in rules hold a post for, whatever stands before it.
const HELD: &str = ".\n\nYou are an idiot.";

/// Moderators who claim, decide and go on.
async fn moderated(stage: &Stage, sheet: &mut Sheet<'_>) -> anyhow::Result<()> {
    stage.rows().clear().await?;
    let store = Store::new(&DatabaseArgs { database_url: stage.database_url().as_str().into() })?;
    open_cases(&store, stage.count(CASES)).await?;
    let over = Instant::now() + stage.time(TIME).max(Duration::from_secs(2));
    let names: Vec<String> = (0..MODERATORS).map(|number| format!("moderator {number}")).collect();
    let work = names.iter().map(|name| moderator(&store, name, over));
    let (mut claims, mut decisions) = (Vec::new(), Vec::new());
    for (claimed, decided) in try_join_all(work).await? {
        claims.extend(claimed);
        decisions.extend(decided);
    }
    store.close().await;
    sheet.add(NEXT_50, SLUICE, Unit::Milliseconds, percentile(&claims, 50.0));
    sheet.add(NEXT_99, SLUICE, Unit::Milliseconds, percentile(&claims, 99.0));
    sheet.add(DECIDED_99, SLUICE, Unit::Milliseconds, percentile(&decisions, 99.0));
    Ok(())
}

/// One moderator's work: how long each claim and each decision took, in milliseconds.
async fn moderator(store: &Store, name: &str, over: Instant) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
    let (mut claims, mut decisions) = (Vec::new(), Vec::new());
    while Instant::now() < over {
        tokio::time::sleep(READS.mul_f64(2.0 * fastrand::f64())).await;
        let (token, begun) = (Uuid::now_v7(), Instant::now());
        let ask = Ask { by: name, role: Role::Moderator, token, queue: None };
        let case = match store.claim_next(ask).await.map_err(|failure| store.with_context(failure))? {
            Claimed::Case(case) => case.case,
            Claimed::Nothing(nothing) => anyhow::bail!("no case was free: {nothing:?}"),
        };
        claims.push(begun.elapsed().as_secs_f64() * 1e3);
        let begun = Instant::now();
        let request = DecisionRequest {
            id: Uuid::now_v7(),
            case,
            ruling: if fastrand::bool() { Ruling::Approve } else { Ruling::Reject },
            actor: Actor { name, role: Role::Moderator, claim: Some(token) },
            policies: &[],
            policyset: None,
            message: None,
            note: None,
            act: None,
            recheck: Recheck::default(),
            expected: Some(0),
        };
        let decided = store.decide(&request).await.map_err(|failure| store.with_context(failure))?;
        decided
            .context("the case is gone")?
            .map_err(|refusal| anyhow::anyhow!("two moderators had one case: {refusal:?}"))?;
        decisions.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    Ok((claims, decisions))
}

/// So many held posts, and their cases.
async fn open_cases(store: &Store, count: usize) -> anyhow::Result<()> {
    const AT_ONCE: usize = 500;
    let now = OffsetDateTime::now_utc();
    for first in (0..count).step_by(AT_ONCE) {
        let rows: Vec<Row> = (first..count.min(first + AT_ONCE)).map(|number| held(number, now)).collect();
        let ids: Vec<_> = rows.iter().map(|row| row.post.id).collect();
        store.insert(&rows, "bench").await.map_err(|failure| store.with_context(failure))?;
        let held = store.held_without_case(&ids).await.map_err(|failure| store.with_context(failure))?;
        let case = |post: HeldPost| post.case(Uuid::now_v7().into_bytes());
        let cases: Vec<_> = held.into_iter().map(case).collect();
        store.open_cases(&cases).await.map_err(|failure| store.with_context(failure))?;
    }
    Ok(())
}

fn held(number: usize, at: OffsetDateTime) -> Row {
    let post = Post {
        id: sluice_core::post::PostId::new(),
        title: format!("post {number}"),
        content: "A text about nothing in particular.".to_owned(),
        author: None,
        submitted_at: at,
    };
    let sum = u32::try_from(number % 997).unwrap_or_default();
    let score =
        Score { category: QUEUES[number % QUEUES.len()].to_owned(), sum, hold: Some(1), reject: None, urgent: false };
    let review = Review {
        verdict: Verdict::Held,
        reasons: Vec::new(),
        scores: vec![score],
        shadow: Vec::new(),
        ruleset: "bench@0".to_owned(),
    };
    Row { post, review, reviewed_at: at, attempts: 1, sender: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_post_in_twenty_is_held_by_the_built_in_rules_and_hardly_another() {
        let mut posts = super::super::posts::Posts::new().take(20_000);
        hold_some(&mut posts);
        let rules = sluice_review::RuleSet::builtin();
        let held = posts.iter().filter(|post| rules.review(post).verdict == Verdict::Held).count();
        let rejected = posts.iter().filter(|post| rules.review(post).verdict == Verdict::Rejected).count();
        // Of words in any order some look suspicious.
        assert!((1000..1050).contains(&held) && rejected == 0, "{held} held, {rejected} rejected");
    }
}

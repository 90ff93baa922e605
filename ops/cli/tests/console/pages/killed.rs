//! A console that is killed in the middle of an operation.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;

use mysql_async::prelude::Queryable as _;
use sluice_lab::testing::eventually;

use super::house::House;
use super::operations::{ended, plan_of};
use super::visitor::Visitor;
use crate::support::{Dead, ids};

/// How many dead letters there are, and after how many of them each console dies. At the rate of two each goes alone,
/// and the broker has half a second to read that it may forget it: what it has not read when a connection breaks is
/// lost.
const DEAD: usize = 12;
const THROUGH: usize = 2;

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_is_killed_at_every_batch_of_a_replay_loses_nothing_and_the_next_one_goes_on() {
    let house = House::new().await;
    let dead = Dead::some(DEAD);
    house.ground.dead(&dead).await;
    let (mut deaths, mut asked) = (0, None::<String>);
    // Each time the last one is confirmed and not acknowledged: it is replayed again by the next.
    while house.ground.dead_letters().await > THROUGH {
        let mut console = house.console_that_dies(&format!("replay_confirmed={THROUGH}*off->return")).await;
        let mut ann = Visitor::of(&console, "operator").await;
        if let Some(killed) = &asked {
            let page = ann.get(killed).await.is(200);
            page.says("2 waiting").says("Plan the same again").lacks("data-live");
        }
        let id = plan_of(&ann.get("/operations/plan?action=replay").await.is(200));
        let form = [("plan", id.as_str()), ("rate", "2"), ("reason", "a test")];
        asked = ann.post("/operations", &form).await.is(303).to;
        assert_eq!(console.program.ended().await.signal(), Some(9), "{}", console.program.said());
        deaths += 1;
        eventually("the dead letters to be back", async || match house.ground.dead_letters().await {
            left if left == DEAD - deaths * THROUGH => Ok(()),
            left => Err(left),
        })
        .await;
    }
    assert_eq!(deaths, DEAD / THROUGH - 1);
    let console = house.console().await;
    let mut ann = Visitor::of(&console, "operator").await;
    let id = plan_of(&ann.get("/operations/plan?action=replay").await.is(200));
    let path = ann.post("/operations", &[("plan", &id)]).await.is(303).to.expect("its page");
    let _worker = house.ground.worker(&[]);
    ended(&mut ann, &path, "all are known").await;
    let options = mysql_async::Opts::from_url(&house.ground.database_url).expect("a good address");
    let mut connection = mysql_async::Conn::new(options).await.expect("MySQL answers");
    eventually("every post to be a row, once", async || {
        let rows: Vec<String> = connection.query("SELECT id FROM posts").await.expect("a list");
        let all: BTreeSet<String> = ids(&dead).into_iter().collect();
        if rows.len() == DEAD && rows.iter().cloned().collect::<BTreeSet<_>>() == all { Ok(()) } else { Err(rows) }
    })
    .await;
    connection.disconnect().await.expect("it can be closed");
    assert_eq!(house.ground.dead_letters().await, 0);
}

//! A statement that is given up because of one of its rows costs the others nothing.

use std::time::Duration;

use crate::poison::{ATTEMPTS_OF_NEIGHBOURS, by, poison};
use crate::stage::{all_stored, flood, number, posts};
use crate::support::{dead, with_mysql_behind_a_proxy};
use sluice_lab::testing::Ground;

const POSTS: usize = 16;

#[tokio::test]
async fn however_late_the_server_learns_that_a_statement_is_given_up_its_neighbours_spend_no_attempt() {
    let ground = Ground::new().await;
    let (worker, line) = with_mysql_behind_a_proxy(&ground, &["--max-attempts", "2", "--retry-base", "50ms"]).await;
    poison(&ground).await;
    // The first round opens the connections on which the neighbours are tried in the second. To kill a statement takes
    // a new one, for which the server then takes longer than a row waits for a lock.
    for (nth, wait) in [Duration::ZERO, Duration::from_secs(3)].into_iter().enumerate() {
        line.keep_waiting(wait);
        let (good, bad) = (posts(&ground, POSTS, "good"), by(&ground, "sleeping"));
        flood(&ground, &[&good[..POSTS / 2], std::slice::from_ref(&bad), &good[POSTS / 2..]].concat()).await;
        dead(&ground, nth as u32 + 1).await;
        all_stored(&ground, &good).await;
        assert_eq!(number(&ground, ATTEMPTS_OF_NEIGHBOURS).await, 1, "{}", worker.said());
    }
}

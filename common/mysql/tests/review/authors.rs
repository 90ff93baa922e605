//! How an author stands: since when he is known, and what people decided about his posts.

use std::time::Duration;

use sluice_core::post::Post;
use sluice_core::standing::Standing;
use sluice_mysql::Author;
use sluice_mysql::review::Ruling;

use super::ground::{Desk, lead, moderator};

/// The author of this name, at this sender.
fn author(name: &str, sender: &str, desk: &Desk) -> Author {
    let post = Post { author: Some(name.to_owned()), ..desk.ground.post("a post") };
    Author::of(&post, sender.parse().ok().as_ref()).expect("it has one")
}

async fn standing(desk: &Desk, author: &Author) -> Standing {
    desk.store.standing_of(author).await.expect("the database answers")
}

#[tokio::test]
async fn an_author_is_known_from_the_first_time_on_that_he_is_noted_byte_for_byte_and_by_sender() {
    let desk = Desk::new().await;
    let ann = author("ann", "", &desk);
    assert_eq!(standing(&desk, &ann).await, Standing::default());
    let three = [ann.clone(), author("bob", "", &desk), author("安", "", &desk)];
    desk.store.note_authors(&three).await.expect("they are new");
    desk.ground.sql("UPDATE authors SET first_seen = first_seen - INTERVAL 2 DAY WHERE name = 'ann'").await;
    desk.store.note_authors(&three[..1]).await.expect("it can be repeated");
    let known_for = standing(&desk, &ann).await.known_for.expect("he was seen");
    let days = 2 * 24 * 60 * 60;
    assert!((days..days + 600).contains(&known_for.as_secs()), "{known_for:?}");
    let bob = standing(&desk, &three[1]).await.known_for;
    assert!(bob.is_some_and(|known_for| known_for < Duration::from_secs(600)), "{bob:?}");
    for other in [author("Ann", "", &desk), author("ann ", "", &desk), author("ann", "blog", &desk)] {
        assert_eq!(standing(&desk, &other).await, Standing::default(), "{other:?}");
    }
    desk.store.note_authors(&[]).await.expect("nothing to do");
}

#[tokio::test]
async fn whose_post_is_forgotten_is_not_known_any_more() {
    let desk = Desk::new().await;
    let (ann, bob) = (author("ann", "", &desk), author("bob", "", &desk));
    desk.store.note_authors(&[ann.clone(), bob.clone()]).await.expect("they are new");
    let case = desk.held(10).await;
    desk.ground.sql(&format!("UPDATE posts SET author = 'ann' WHERE id = '{}'", case.post)).await;
    desk.store.forget(case.post, "lea", None).await.expect("the database answers");
    assert_eq!(standing(&desk, &ann).await.known_for, None);
    assert!(standing(&desk, &bob).await.known_for.is_some());
}

#[tokio::test]
async fn what_counts_of_each_post_is_the_last_that_people_decided() {
    let desk = Desk::new().await;
    let ann = author("ann", "", &desk);
    let mut first = None;
    for ruling in [Ruling::Approve, Ruling::Reject, Ruling::Reject] {
        let case = desk.held(10).await;
        desk.ground.sql(&format!("UPDATE review_cases SET author = 'ann' WHERE id = '{}'", case.case)).await;
        first = first.or(Some(desk.decide(case.case, ruling, lead("lea")).await.expect("a lead may")));
    }
    let counts = async || {
        let Standing { approved, rejected, .. } = standing(&desk, &ann).await;
        (approved, rejected)
    };
    assert_eq!(counts().await, (1, 2));
    desk.undo(first.expect("there are three").decision, lead("lea")).await.expect("a lead may");
    assert_eq!(counts().await, (0, 2), "it is held again");
    // Another one's do not count, nor one that waits.
    let other = desk.held(10).await;
    desk.decide(other.case, Ruling::Reject, moderator("moni", None)).await.expect("it is free");
    assert_eq!(counts().await, (0, 2));
    let blog = author("ann", "blog", &desk);
    assert_eq!(standing(&desk, &blog).await.rejected, 0, "another sender's");
}

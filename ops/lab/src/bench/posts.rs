//! The posts of a measurement: ordinary texts of about 150 bytes, the same at each run.

use hyper::body::Bytes;
use serde_json::json;
use sluice_core::post::{Post, PostId};
use time::OffsetDateTime;

/// Title and content together, in bytes.
pub(super) const BYTES: usize = 150;
const TITLE_BYTES: usize = 30;
/// From here all texts follow.
const SEED: u64 = 7;
/// Words of everyday talk, so that the review has an ordinary day.
const WORDS: &str = "about after again almost always another around asked because before began better between both \
    bridge built called came change city clear close cold could country course different door down early evening every \
    family first follow found friend garden gave given going good great green hand happy hard have head heard help here \
    home hope hour house idea just keep kind know large last later learn leave letter life light like line little live \
    long look made make many might mind moment money morning most mother move much music must name near need never next \
    night nothing number often once only open order other over paper part people perhaps place plan point quite rain \
    read ready really right river road room round same school seem several should show side simple since small some \
    something soon sound still stood story street such summer sure table take talk tell than thank their there thing \
    think those thought three through time today together told took town tree turn under until upon very voice wait \
    walk want warm watch water week well went where while white whole window winter without word work world would write \
    year young";

/// Makes posts.
pub(super) struct Posts {
    chance: fastrand::Rng,
    words: Vec<&'static str>,
}

impl Posts {
    pub(super) fn new() -> Self {
        Self { chance: fastrand::Rng::with_seed(SEED), words: WORDS.split_whitespace().collect() }
    }

    /// So many posts, each with an id of its own.
    pub(super) fn take(&mut self, count: usize) -> Vec<Post> {
        let now = OffsetDateTime::now_utc();
        (0..count).map(|_| self.post(now)).collect()
    }

    /// So many posts as senders write them.
    pub(super) fn bodies(&mut self, count: usize) -> Vec<Bytes> {
        self.take(count).iter().map(|post| Bytes::from(submitted(post))).collect()
    }

    /// So many batches of so many posts each.
    pub(super) fn batches(&mut self, count: usize, posts: usize) -> Vec<Bytes> {
        let mut batch = || self.take(posts).iter().map(|post| submitted(post) + "\n").collect::<String>();
        (0..count).map(|_| Bytes::from(batch())).collect()
    }

    fn post(&mut self, submitted_at: OffsetDateTime) -> Post {
        let (title, content) = (self.text(TITLE_BYTES), self.text(BYTES - TITLE_BYTES));
        Post { id: PostId::default(), title, content, author: None, submitted_at }
    }

    fn text(&mut self, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 10);
        while text.len() < bytes {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(self.words[self.chance.usize(..self.words.len())]);
        }
        text.truncate(bytes);
        text.trim_end().to_owned()
    }
}

/// As a sender writes it.
pub(super) fn submitted(post: &Post) -> String {
    json!({ "title": post.title, "content": post.content }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_core::verdict::Verdict;

    #[test]
    fn posts_are_ordinary_of_about_the_same_length_and_different() {
        let posts = Posts::new().take(100);
        let rules = sluice_review::RuleSet::builtin();
        for post in &posts {
            assert!((BYTES - 5..=BYTES).contains(&(post.title.len() + post.content.len())), "{post:?}");
            assert_eq!(rules.review(post).verdict, Verdict::Approved, "{post:?}");
        }
        let texts: std::collections::HashSet<_> = posts.iter().map(|post| &post.content).collect();
        assert!(texts.len() > 95, "{} different texts of 100", texts.len());
    }
}

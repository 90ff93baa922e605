//! A language of sample posts: its words and sentences, and how a post is made of them.

use fastrand::Rng;

/// The parts of posts in one language. `{place}`, `{thing}`, `{when}` and `{number}` are blanks.
pub(super) struct Tongue {
    pub(super) authors: &'static [&'static str],
    /// Titles, each with its first sentence.
    pub(super) ordinary: &'static [(&'static str, &'static str)],
    pub(super) spam: &'static [(&'static str, &'static str)],
    pub(super) abuse: &'static [(&'static str, &'static str)],
    /// Sentences that can follow any ordinary one.
    pub(super) more: &'static [&'static str],
    pub(super) places: &'static [&'static str],
    pub(super) things: &'static [&'static str],
    pub(super) times: &'static [&'static str],
    /// What stands between two sentences.
    pub(super) between: &'static str,
}

impl Tongue {
    pub(super) fn written(
        &self,
        rng: &mut Rng,
        subjects: &[(&'static str, &'static str)],
        more: usize,
    ) -> (String, String) {
        let (title, first) = subjects[rng.usize(..subjects.len())];
        let mut content = first.to_owned();
        for _ in 0..more {
            content += self.between;
            content += pick(rng, self.more);
        }
        // One place and one time in the title and the text alike: a post is about one thing.
        let blanks = [
            ("{place}", pick(rng, self.places).to_owned()),
            ("{thing}", pick(rng, self.things).to_owned()),
            ("{when}", pick(rng, self.times).to_owned()),
            ("{number}", rng.u32(2..90).to_string()),
        ];
        let filled = |text: String| blanks.iter().fold(text, |text, (blank, word)| text.replace(blank, word));
        (filled(title.to_owned()), filled(content))
    }
}

pub(super) fn pick(rng: &mut Rng, from: &'static [&'static str]) -> &'static str {
    from[rng.usize(..from.len())]
}

//! The ids that were asked for, and which of them some dead letter had.

use std::collections::HashMap;

use sluice_core::named::Named;
use sluice_core::post::PostId;

/// Some ids, each once.
#[derive(Debug, Clone)]
pub(crate) struct Ids {
    names: Vec<Named>,
    /// Where in `names`: there may be thousands of them, and each dead letter asks.
    by_text: HashMap<String, usize>,
    by_post: HashMap<PostId, Vec<usize>>,
    met: Vec<bool>,
}

impl Ids {
    /// Those of which none was met.
    pub(crate) fn new(ids: &[String]) -> Self {
        let (mut by_text, mut by_post) = (HashMap::new(), HashMap::<PostId, Vec<usize>>::new());
        let mut names = Vec::new();
        for id in ids {
            if by_text.contains_key(id) {
                continue;
            }
            by_text.insert(id.clone(), names.len());
            let named = Named::new(id);
            if let Some(post) = named.post() {
                by_post.entry(post).or_default().push(names.len());
            }
            names.push(named);
        }
        let met = vec![false; names.len()];
        Self { names, by_text, by_post, met }
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Which of them mean a dead letter with this message id that holds this post, as [`Named::means`] has it.
    pub(crate) fn which(&self, message_id: &str, post: Option<PostId>) -> Vec<usize> {
        let spelled: Option<PostId> = message_id.parse().ok();
        let posts = [post, spelled.filter(|spelled| Some(*spelled) != post)];
        let by_post = posts.iter().flatten().filter_map(|post| self.by_post.get(post)).flatten();
        by_post.chain(self.by_text.get(message_id)).copied().collect()
    }

    /// Checks a dead letter; `false` if none of them refers to it.
    pub(crate) fn meet(&mut self, message_id: &str, post: Option<PostId>) -> bool {
        let which = self.which(message_id, post);
        which.iter().for_each(|place| self.met[*place] = true);
        !which.is_empty()
    }

    /// Those that no dead letter had, in the order they were asked for.
    pub(crate) fn unmet(&self) -> impl Iterator<Item = &str> {
        self.names.iter().zip(&self.met).filter(|(_, met)| !**met).map(|(named, _)| named.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn several_names_of_one_dead_letter_are_all_met() {
        let post = PostId::new();
        let upper = post.to_string().to_uppercase();
        let mut ids = Ids::new(&["order-1", &post.to_string(), &upper, "Order-1"].map(str::to_owned));
        assert!(ids.meet("order-1", Some(post)));
        assert_eq!(ids.unmet().collect::<Vec<_>>(), ["Order-1"]);
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_a_name_means(
            names in proptest::collection::vec("[aA]|0193a5b27c5570008000000000000[aA]{3}", 1..5),
            message_id in "[aA]|0193a5b27c5570008000000000000[aA]{3}", post in proptest::option::of(0u128..3),
        ) {
            let post = post.map(|bits| PostId::from(uuid::Uuid::from_u128(bits)));
            let meant = names.iter().any(|name| Named::new(name).means(&message_id, post));
            prop_assert_eq!(Ids::new(&names).meet(&message_id, post), meant);
        }
    }
}

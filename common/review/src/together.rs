//! Rules that match where others match together, anywhere in a post or near one another.

use super::rules::Combination;

/// The name of a post's first field.
const TITLE: &str = "title";

/// A place where a rule matches. They are in the order of the post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    in_content: bool,
    /// Where it begins, in bytes.
    at: usize,
    rule: usize,
}

impl Place {
    pub(super) fn new(field: &str, at: usize, rule: usize) -> Self {
        Self { in_content: field != TITLE, at, rule }
    }

    /// Whether an earlier place is out of reach.
    fn is_far_from(&self, earlier: &Self, within: usize) -> bool {
        earlier.in_content != self.in_content || earlier.at.saturating_add(within) < self.at
    }
}

/// All places of one post.
#[derive(Debug, Default)]
pub(super) struct Places(Vec<Place>);

impl Places {
    pub(super) fn add(&mut self, place: Place) {
        self.0.push(place);
    }

    /// Whether what a combination asks for begins within its distance somewhere.
    pub(super) fn are_near(&self, combination: &Combination) -> bool {
        let Some(within) = combination.within else { return true };
        let slotted = self.0.iter().filter_map(|place| Some((*place, combination.slot(place.rule)?)));
        let mut asked: Vec<(Place, usize)> = slotted.collect();
        asked.sort_unstable();
        // A window over the places: how often each slot is in it.
        let mut there = vec![0u32; combination.slots()];
        let mut first = 0;
        asked.iter().any(|(last, slot)| {
            there[*slot] += 1;
            while last.is_far_from(&asked[first].0, within) {
                there[asked[first].1] -= 1;
                first += 1;
            }
            there.iter().all(|times| *times > 0)
        })
    }
}

impl Combination {
    /// What it asks for, by what `found` gives for each of its rules that matched; `None`: one of them is missing.
    pub(super) fn met(&self, found: impl Fn(&usize) -> Option<usize>) -> Option<Vec<usize>> {
        let mut met = self.all.iter().map(&found).collect::<Option<Vec<_>>>()?;
        if !self.any.is_empty() {
            met.push(self.any.iter().filter_map(&found).min()?);
        }
        Some(met)
    }

    /// Which of the things that it asks for a rule is: the rules of `any` are one, behind those of `all`.
    fn slot(&self, rule: usize) -> Option<usize> {
        let of_all = self.all.iter().position(|one| *one == rule);
        of_all.or_else(|| self.any.contains(&rule).then_some(self.all.len()))
    }

    fn slots(&self) -> usize {
        self.all.len() + usize::from(!self.any.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn places(rules: &[(usize, usize)]) -> Places {
        Places(rules.iter().map(|(at, rule)| Place::new("content", *at, *rule)).collect())
    }

    #[test]
    fn what_stands_in_another_field_is_not_near() {
        let combination = Combination { rule: 9, all: vec![1, 2], any: Vec::new(), within: Some(10) };
        assert!(places(&[(30, 2), (20, 1)]).are_near(&combination));
        let parted = Places(vec![Place::new(TITLE, 3, 1), Place::new("content", 3, 2)]);
        assert!(!parted.are_near(&combination));
    }

    proptest! {
        #[test]
        fn near_is_what_some_choice_of_places_is(
            found in proptest::collection::vec((0usize..60, 1usize..5), 0..12), within in 1usize..20,
        ) {
            let combination = Combination { rule: 9, all: vec![1, 2], any: vec![3, 4], within: Some(within) };
            let of = |rules: &[usize]| -> Vec<usize> {
                found.iter().filter(|(_, rule)| rules.contains(rule)).map(|(at, _)| *at).collect()
            };
            let (one, two, any) = (of(&[1]), of(&[2]), of(&[3, 4]));
            let close = |a: usize, b: usize, c: usize| a.max(b).max(c) - a.min(b).min(c) <= within;
            let some = one.iter().any(|a| two.iter().any(|b| any.iter().any(|c| close(*a, *b, *c))));
            prop_assert_eq!(places(&found).are_near(&combination), some);
        }
    }
}

//! The order in which people read names: `worker-2` comes before `worker-10`.

use std::cmp::Ordering;

/// Compares two names: runs of digits by the number they are, all else by character.
#[must_use]
pub fn natural_order(one: &str, other: &str) -> Ordering {
    let (mut left, mut right) = (one, other);
    loop {
        let order = match (next(&mut left), next(&mut right)) {
            (None, None) => return one.cmp(other),
            (Some(a), Some(b)) if is_number(a) && is_number(b) => by_value(a, b),
            (a, b) => a.cmp(&b),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Takes the next run of digits, or of anything else, off the front.
fn next<'a>(text: &mut &'a str) -> Option<&'a str> {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len());
    let (run, rest) = text.split_at(end);
    *text = rest;
    (!run.is_empty()).then_some(run)
}

fn is_number(run: &str) -> bool {
    run.starts_with(|c: char| c.is_ascii_digit())
}

/// Of any length: without leading zeros the longer one is the larger one.
fn by_value(one: &str, other: &str) -> Ordering {
    let [one, other] = [one, other].map(|number| number.trim_start_matches('0'));
    one.len().cmp(&other.len()).then(one.cmp(other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_in_names_are_compared_as_numbers() {
        let mut names = ["w-10", "w-2", "v-3", "w-1", "w", "w-02", "w-18446744073709551616", "w-2-b", "w-x", "7", ""];
        names.sort_by(|one, other| natural_order(one, other));
        assert_eq!(
            names,
            ["", "7", "v-3", "w", "w-1", "w-02", "w-2", "w-2-b", "w-10", "w-18446744073709551616", "w-x"]
        );
    }

    proptest! {
        #[test]
        fn it_is_an_order(names in proptest::collection::vec("[a-b0-2-]{0,5}", 3)) {
            let [a, b, c] = [&names[0], &names[1], &names[2]];
            prop_assert_eq!(natural_order(a, b), natural_order(b, a).reverse());
            prop_assert_eq!(natural_order(a, b) == Ordering::Equal, a == b);
            if natural_order(a, b).is_le() && natural_order(b, c).is_le() {
                prop_assert!(natural_order(a, c).is_le());
            }
        }
    }
}

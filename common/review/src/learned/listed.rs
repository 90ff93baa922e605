//! A table of n-grams with a weight each.

/// The weights of listed n-grams: an open table, at most half full, so that a search ends soon.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Listed {
    /// A part of the hash in each place that is taken; 0: none. The weight is what lies beside it.
    keys: Vec<u32>,
    weights: Vec<i8>,
}

impl Listed {
    /// The table of these n-grams, each by its hash.
    pub(super) fn new(ngrams: &[(u64, i8)]) -> Self {
        let places = (2 * ngrams.len()).next_power_of_two().max(2);
        let mut listed = Self { keys: vec![0; places], weights: vec![0; places] };
        for (hash, weight) in ngrams {
            let (key, mut place) = listed.place(*hash);
            while listed.keys[place] != 0 {
                place = (place + 1) % places;
            }
            (listed.keys[place], listed.weights[place]) = (key, *weight);
        }
        listed
    }

    /// The weight of an n-gram; 0 of one that is not listed.
    pub(super) fn weight(&self, hash: u64) -> i8 {
        let (key, mut place) = self.place(hash);
        loop {
            match self.keys[place] {
                0 => return 0,
                found if found == key => return self.weights[place],
                _ => place = (place + 1) % self.keys.len(),
            }
        }
    }

    /// What is compared of a hash, and where it is looked for first.
    fn place(&self, hash: u64) -> (u32, usize) {
        let key = ((hash >> 32) as u32).max(1);
        // The highest bits depend on all others.
        (key, (key >> (32 - self.keys.len().trailing_zeros())) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowded_table_finds_all_of_its_own() {
        let ngrams: Vec<(u64, i8)> =
            (1..=5000_u64).map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15), (n % 100) as i8 + 1)).collect();
        let listed = Listed::new(&ngrams);
        assert!(ngrams.iter().all(|(hash, weight)| listed.weight(*hash) == *weight));
        assert_eq!(listed.weight(7), 0);
        assert_eq!(Listed::new(&[]).weight(7), 0);
    }
}

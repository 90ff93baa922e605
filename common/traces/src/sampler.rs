//! Which traces are recorded.

/// The rule of OpenTelemetry's `OTEL_TRACES_SAMPLER`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sampler {
    /// Whether a trace that was begun elsewhere is recorded exactly if its flag says so.
    follows: bool,
    /// The share of all others, from 0 to 1.
    share: f64,
}

impl Sampler {
    /// All traces whose beginning does not say otherwise.
    pub(crate) const ALL: Self = Self { follows: true, share: 1.0 };

    /// The one with this name; `share` is its argument. None: there is no such one.
    pub(crate) fn named(name: &str, share: f64) -> Option<Self> {
        let (follows, share) = match name {
            "always_on" => (false, 1.0),
            "always_off" => (false, 0.0),
            "traceidratio" => (false, share),
            "parentbased_always_on" => (true, 1.0),
            "parentbased_always_off" => (true, 0.0),
            "parentbased_traceidratio" => (true, share),
            _ => return None,
        };
        Some(Self { follows, share })
    }

    /// Whether a trace is recorded; `flag` is what its beginning elsewhere said. All programs answer the same for one
    /// trace: it is its id that is compared.
    pub(crate) fn records(self, trace: [u8; 16], flag: Option<bool>) -> bool {
        if let Some(flag) = flag.filter(|_| self.follows) {
            return flag;
        }
        let [.., a, b, c, d, e, f, g] = trace;
        // The last seven bytes are random, whoever made the id.
        let place = u64::from_be_bytes([0, a, b, c, d, e, f, g]) as f64 / (1_u64 << 56) as f64;
        // The last places are rounded up to 1.
        self.share >= 1.0 || place < self.share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_counts_for_those_that_follow_it_and_the_id_for_all_others() {
        let low = [0; 16];
        let high = [0xff; 16];
        let named = |name, share| Sampler::named(name, share).expect("a known one");
        assert!(named("parentbased_always_on", 1.0).records(high, None));
        assert!(!named("parentbased_always_on", 1.0).records(high, Some(false)));
        assert!(named("parentbased_always_off", 1.0).records(high, Some(true)));
        assert!(named("always_on", 0.0).records(high, Some(false)));
        assert!(!named("always_off", 1.0).records(low, Some(true)));
        let half = named("parentbased_traceidratio", 0.5);
        assert_eq!(
            (half.records(low, None), half.records(high, None), half.records(high, Some(true))),
            (true, false, true)
        );
        assert!(!named("traceidratio", 0.5).records(high, Some(true)));
        assert_eq!(Sampler::named("jaeger_remote", 1.0), None);
    }
}

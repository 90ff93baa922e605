//! The patterns of a rule set: each is asked only where the literals that it cannot match without were seen.

use std::ops::Range;

use regex::{RegexSet, RegexSetBuilder};

use super::error::{RulesError, Source};
use super::fold::Folded;
use super::hit::{Hit, What};
use super::literal::parts;
use super::rules::Pattern;

/// How many places of one pattern are looked at in one text. The first one counts; the others are there in case it
/// lies inside an allowed phrase.
const PLACES_OF_A_PATTERN: usize = 8;

/// What the set of patterns without literals may remember of its work, at most, for each thread. With the library's two
/// MiB three dozen patterns forget what they are about to need again on posts full of hits, and take ten times as long.
const SET_CACHE_BYTES: usize = 8 << 20;

/// All patterns, ready to be looked for.
pub(super) struct Patterns {
    /// By part of a pattern: the pattern and where its parts end among all parts, if this is the first of them.
    waiting: Vec<Option<(Pattern, usize)>>,
    /// Those without literals, and a set that says in one pass which of them are worth asking where.
    rest: Vec<Pattern>,
    which: RegexSet,
}

/// Which parts of patterns were seen in a text, a bit for each.
#[derive(Default)]
pub(super) struct Seen(Vec<u64>);

impl Seen {
    pub(super) fn insert(&mut self, part: usize) {
        if self.0.len() <= part / 64 {
            self.0.resize(part / 64 + 1, 0);
        }
        self.0[part / 64] |= 1 << (part % 64);
    }

    fn holds(&self, part: usize) -> bool {
        self.0.get(part / 64).is_some_and(|bits| bits >> (part % 64) & 1 == 1)
    }

    fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(nth, bits)| {
            let without_lowest = |bits: &u64| Some(bits & (bits - 1)).filter(|bits| *bits != 0);
            let bits = std::iter::successors(Some(*bits).filter(|bits| *bits != 0), without_lowest);
            bits.map(move |bits| 64 * nth + bits.trailing_zeros() as usize)
        })
    }
}

impl Patterns {
    /// Also the literals to look for, each with the part it is one of.
    pub(super) fn new(patterns: Vec<Pattern>, source: Source<'_>) -> Result<(Self, Vec<(String, usize)>), RulesError> {
        let (mut waiting, mut rest, mut literals) = (Vec::new(), Vec::new(), Vec::new());
        for pattern in patterns {
            let parts = parts(pattern.way.text());
            let (start, end) = (waiting.len(), waiting.len() + parts.len());
            if parts.is_empty() {
                rest.push(pattern);
            } else {
                waiting.push(Some((pattern, end)));
                waiting.resize(end, None);
            }
            let parts = parts.into_iter().zip(start..);
            literals.extend(parts.flat_map(|(part, nth)| part.into_iter().map(move |literal| (literal, nth))));
        }
        // Its flags are those they were compiled with.
        let which = RegexSetBuilder::new(rest.iter().map(|pattern| pattern.way.text()))
            .unicode(false)
            .dfa_size_limit(SET_CACHE_BYTES)
            .build()
            .map_err(|error| source.too_large(error))?;
        Ok((Self { waiting, rest, which }, literals))
    }

    /// Adds the hits in a text in which these parts were seen, and the stretches that are allowed.
    pub(super) fn find(&self, folded: &Folded<'_>, seen: &Seen, hits: &mut Vec<Hit>, allowed: &mut Vec<Range<usize>>) {
        let first = |part: usize| Some((part, self.waiting[part].as_ref()?));
        for (part, (pattern, end)) in seen.iter().filter_map(first) {
            if (part + 1..*end).all(|part| seen.holds(part)) {
                places(pattern, folded, hits, allowed);
            }
        }
        if !self.rest.is_empty() {
            let which = self.which.matches(folded.text());
            which.iter().for_each(|nth| places(&self.rest[nth], folded, hits, allowed));
        }
    }
}

fn places(Pattern { way, rule }: &Pattern, folded: &Folded<'_>, hits: &mut Vec<Hit>, allowed: &mut Vec<Range<usize>>) {
    let places = way.places(folded.text(), PLACES_OF_A_PATTERN);
    let spans = places.iter().filter_map(|place| folded.origin(place));
    match *rule {
        Some(rule) => hits.extend(spans.map(|span| Hit::new(rule, What::Rule(rule), span))),
        None => allowed.extend(spans),
    }
}

#[cfg(test)]
mod tests {
    use super::super::builtin::BUILTIN;
    use super::super::lists::Lists;
    use super::super::rules;
    use super::*;
    use proptest::prelude::*;
    use proptest::strategy::Union;
    use proptest::string::bytes_regex_parsed;
    use regex_syntax::hir::{Hir, HirKind, Repetition};
    use std::sync::LazyLock;

    /// What the built-in patterns have none of: no literals, cut ones, edges, case, choices within choices.
    const ODD: &str = r#"
extend = "builtin"
pattern = [
    { id = "digits", category = "odd", regex = '\d{3}' },
    { id = "vowels", category = "odd", regex = '[aeiou]{3,}(?u:[^a-z])' },
    { id = "start", category = "odd", regex = '^(?:the|a|请问)' },
    { id = "end", category = "odd", regex = '(?:吗|ing|\?)$' },
    { id = "optional", category = "odd", regex = '(?:foo)?bar+|x?yz' },
    { id = "case", category = "odd", regex = '(?i)one (?:two|three)|four' },
    { id = "edges", category = "odd", regex = '\Bin\B|\bon\b' },
    { id = "class", category = "odd", regex = '(?u:[一二三四五六七八九十])(?:个|月|日)' },
    { id = "wide-class", category = "odd", regex = '(?u:[一-龥])z' },
    { id = "choices", category = "odd", regex = '(?:a|bc|d[ef]g)(?:(?:h|ij)k?l|m(?:no|p))' },
    { id = "repeated", category = "odd", regex = '(?:ha){2,}|(?:哈哈|嘿嘿){3}' },
    { id = "many", category = "odd", regex = '(?u:[一二三四五])(?u:[六七八九十])(?u:[一二三四五])(?u:[六七八九十])' },
    { id = "lazy", category = "odd", regex = 'so[a-z ]*?me(?:\s|$)' },
]
"#;

    /// The rules read twice: as they are asked, and as they could be asked one by one.
    struct Read {
        one_by_one: Vec<Pattern>,
        patterns: Patterns,
        lists: Lists,
    }

    static RULES: LazyLock<Read> = LazyLock::new(|| {
        let source = Source { origin: "odd", text: ODD };
        let (_, mut rules) = rules::read(source, BUILTIN).expect("in order");
        let one_by_one = rules.patterns.clone();
        let (patterns, literals) = Patterns::new(std::mem::take(&mut rules.patterns), source).expect("small ones");
        let lists = Lists::new(std::mem::take(&mut rules.terms), literals, source).expect("few");
        Read { one_by_one, patterns, lists }
    });

    /// What asks for edges, without them: no text can be made for an edge.
    fn without_edges(pattern: &Hir) -> Hir {
        match pattern.kind() {
            HirKind::Look(_) => Hir::empty(),
            HirKind::Capture(group) => without_edges(&group.sub),
            HirKind::Repetition(repeated) => {
                Hir::repetition(Repetition { sub: Box::new(without_edges(&repeated.sub)), ..repeated.clone() })
            }
            HirKind::Concat(pieces) => Hir::concat(pieces.iter().map(without_edges).collect()),
            HirKind::Alternation(ways) => Hir::alternation(ways.iter().map(without_edges).collect()),
            HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) => pattern.clone(),
        }
    }

    /// Texts that one of the patterns matches, but for the edges that it asks for.
    fn matched() -> impl Strategy<Value = String> {
        let text = |pattern: &Pattern| {
            let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
            let pattern = parser.parse(pattern.way.text()).expect("it was read before");
            let bytes = bytes_regex_parsed(&without_edges(&pattern)).expect("there are texts");
            bytes.prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        };
        Union::new(RULES.one_by_one.iter().map(text))
    }

    fn found(hits: Vec<Hit>) -> Vec<(usize, usize, usize)> {
        let mut places: Vec<_> = hits.into_iter().map(|hit| (hit.rule, hit.span.start, hit.span.end)).collect();
        places.sort_unstable();
        places
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn what_is_asked_for_its_literals_finds_what_asking_each_pattern_finds(
            before in "[a-z0-9 .,!%$加微信一-龥]{0,12}", one in matched(), between in "[ a-z\u{200B}]{0,2}", two in matched(),
            after in "[a-zA-Z0-9 加一-龥]{0,6}", cut in 0usize..40,
        ) {
            let text: String = format!("{before}{one}{between}{two}{after}").chars().skip(cut.saturating_sub(20)).collect();
            let folded = Folded::new(&text);
            let (mut by_literals, mut asked) = (Vec::new(), Vec::new());
            let (mut allowed, mut asked_allowed) = (Vec::new(), Vec::new());
            let seen = RULES.lists.find(&text, &folded, false).parts;
            RULES.patterns.find(&folded, &seen, &mut by_literals, &mut allowed);
            RULES.one_by_one.iter().for_each(|pattern| places(pattern, &folded, &mut asked, &mut asked_allowed));
            prop_assert_eq!(found(by_literals), found(asked), "{}", text);
            let in_order = |mut spans: Vec<Range<usize>>| {
                spans.sort_unstable_by_key(|span| (span.start, span.end));
                spans
            };
            prop_assert_eq!(in_order(allowed), in_order(asked_allowed), "{}", text);
        }
    }

    #[test]
    fn every_built_in_pattern_waits_for_its_literals() {
        let (_, rules) = rules::read(BUILTIN, BUILTIN).expect("in order");
        let without: Vec<_> = rules.patterns.iter().filter(|pattern| parts(pattern.way.text()).is_empty()).collect();
        assert!(without.is_empty(), "each of these costs a pass over every post: {without:#?}");
    }
}

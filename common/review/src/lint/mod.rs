//! What is odd about a rules file that is in order: rules that can never match, and things that are there twice. A
//! moderator who sees them finds the typing mistake, or the rule that somebody else has already written.
//!
//! Whether a term can match is asked of the compiled rules, with the term as the whole text: what takes it there (an
//! allowed phrase, a heavier term inside it) takes it everywhere.

mod ordinary;

use std::collections::HashMap;
use std::ops::Range;

use toml::Spanned;

use super::RuleSet;
use super::error::{Position, Source};
use super::file::{List, Mode, RulesFile};
use super::fold;
use super::rules::Rules;

/// Something odd, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where.
    pub place: Position,
    /// What is odd, and what to do about it.
    pub message: String,
}

/// A rules file that is in order.
#[derive(Debug)]
pub struct Checked {
    /// Its rules.
    pub set: RuleSet,
    /// What is odd about it, in the order of the file.
    pub warnings: Vec<Warning>,
    /// How many lists and patterns there are, those of the built-in rules included where they are extended.
    pub rules: usize,
    /// How many terms its lists have altogether.
    pub terms: usize,
    /// How many tests the file carries.
    pub tests: usize,
}

/// Looks at a file that has been compiled to `set`, whose rules are `rules`.
pub(super) fn checked(set: RuleSet, file: &RulesFile, rules: &Rules, source: Source<'_>) -> Checked {
    let mut lint = Lint { set: &set, rules, source, found: Vec::new() };
    lint.nothing();
    lint.categories(file);
    lint.hosts(file);
    lint.undeclared(file);
    lint.twice(file);
    // A rule in shadow mode can never match, as its author wants.
    for list in file.list.iter().filter(|list| list.mode == Mode::Live) {
        lint.silent(list);
    }
    lint.ordinary(file);
    lint.allowed(file);
    let mut found = lint.found;
    // The first thing to be said of a place is enough: a term that is there twice can never match, too.
    found.sort_by_key(|(at, _)| *at);
    found.dedup_by_key(|(at, _)| *at);
    let warnings = found.into_iter().map(|(_, warning)| warning).collect();
    let terms = rules.terms.iter().filter(|term| term.rule.is_some()).count();
    Checked { warnings, rules: rules.rules.len(), terms, tests: file.test.len(), set }
}

/// The rules under examination, and what was found so far with the byte where it stands.
struct Lint<'a> {
    set: &'a RuleSet,
    rules: &'a Rules,
    source: Source<'a>,
    found: Vec<(usize, Warning)>,
}

impl Lint<'_> {
    fn warn(&mut self, span: &Range<usize>, message: String) {
        self.found.push((span.start, Warning { place: self.source.place(span), message }));
    }

    /// A file with categories and no rule.
    fn nothing(&mut self) {
        if self.rules.rules.is_empty() {
            self.warn(
                &(0..0),
                "there is no rule, so every post is approved: add one, or extend = \"builtin\"".to_owned(),
            );
        }
    }

    /// Hosts under which anybody can have a site.
    fn hosts(&mut self, file: &RulesFile) {
        let named = file.link.iter().flat_map(|link| link.hosts.iter().flatten()).map(|host| (host, "listed"));
        let allowed = file.allow.iter().flat_map(|allow| allow.hosts.iter().flatten()).map(|host| (host, "allowed"));
        for (host, what) in named.chain(allowed) {
            let name = host.get_ref().trim_end_matches('.').to_ascii_lowercase();
            let known = psl::suffix(name.as_bytes()).filter(|suffix| suffix.is_known());
            if known.is_some_and(|suffix| suffix == name.as_bytes()) {
                let message = format!("all sites below {name:?} are {what}: name the sites, such as example.{name}");
                self.warn(&host.span(), message);
            }
        }
    }

    /// Categories that no rule is of, or that no post can reach.
    fn categories(&mut self, file: &RulesFile) {
        for name in file.categories.keys() {
            let Some(index) = self.rules.categories.iter().position(|known| known.name == *name.get_ref()) else {
                continue;
            };
            let category = &self.rules.categories[index];
            let lowest = category.hold.or(category.reject).unwrap_or(0);
            match self.most(index) {
                0 => {
                    let message = format!("the category {:?} has no rule", category.name);
                    self.warn(&name.span(), format!("{message}: add one, or remove the category"));
                }
                most if most.saturating_add(self.others(index)) < lowest => {
                    let message = format!("the threshold of the category {:?} is never reached", category.name);
                    self.warn(
                        &name.span(),
                        format!(
                            "{message}: all its rules add up to {most}, but it begins at \
                                                     {lowest}"
                        ),
                    );
                }
                most if category.reject.is_some_and(|reject| most < reject) => {
                    let reject = category.reject.unwrap_or_default();
                    let message = format!("the category {:?} never rejects", category.name);
                    self.warn(
                        &name.span(),
                        format!(
                            "{message}: all its rules add up to {most}, but it rejects at \
                                                     {reject}"
                        ),
                    );
                }
                _ => {}
            }
        }
    }

    /// Categories that a rule names and no file declares: perhaps mistyped.
    fn undeclared(&mut self, file: &RulesFile) {
        let named = file.list.iter().map(|rule| &rule.category);
        let named = named.chain(file.pattern.iter().map(|rule| &rule.category));
        let named = named.chain(file.link.iter().map(|rule| &rule.category));
        let named = named.chain(file.signal.iter().map(|rule| &rule.category));
        let named = named.chain(file.combination.iter().map(|rule| &rule.category));
        for category in named {
            let unknown = |nth: &usize| self.rules.categories[*nth].name == *category.get_ref();
            if self.rules.undeclared.iter().any(unknown) {
                let name = category.get_ref();
                let message = format!(
                    "the category {name:?} is not declared: its rules hold posts, and never reject \
                                       them"
                );
                self.warn(&category.span(), message);
            }
        }
    }

    /// What other categories add to this one.
    fn others(&self, category: usize) -> u32 {
        let others = self.rules.categories[category].with.iter().map(|other| self.most(*other));
        others.fold(0, u32::saturating_add)
    }

    /// What all rules of a category add up to. Each term counts once in a post, and so does each rule of
    /// another kind.
    fn most(&self, category: usize) -> u32 {
        let of = |rule: usize| match &self.rules.rules[rule] {
            rule if rule.category == category => rule.weight,
            _ => 0,
        };
        let terms = self.rules.terms.iter().filter_map(|term| term.rule).map(of);
        let mut with_terms = vec![false; self.rules.rules.len()];
        self.rules.terms.iter().filter_map(|term| term.rule).for_each(|rule| with_terms[rule] = true);
        let others = (0..with_terms.len()).filter(|rule| !with_terms[*rule]).map(of);
        terms.chain(others).fold(0, u32::saturating_add)
    }

    /// Terms that an earlier list has, and patterns that are there already.
    fn twice(&mut self, file: &RulesFile) {
        let mut terms: HashMap<String, &str> = HashMap::new();
        let mut again = Vec::new();
        for list in &file.list {
            for term in list.terms.iter().flat_map(|terms| terms.get_ref()) {
                match terms.get(&fold::folded(term.get_ref())) {
                    Some(first) => again.push((term.span(), twice_message("term", term, first))),
                    None => drop(terms.insert(fold::folded(term.get_ref()), list.id.get_ref())),
                }
            }
        }
        let mut patterns: HashMap<&str, &str> = HashMap::new();
        for pattern in &file.pattern {
            if let Some(first) = patterns.insert(pattern.regex.get_ref(), pattern.id.get_ref()) {
                again.push((pattern.regex.span(), twice_message("pattern", &pattern.regex, first)));
            }
        }
        for (span, message) in again {
            self.warn(&span, message);
        }
    }

    /// Terms that can never match for their list.
    fn silent(&mut self, list: &List) {
        for term in list.terms.iter().flat_map(|terms| terms.get_ref()) {
            let findings = self.set.explain("", term.get_ref()).findings;
            let ours = |finding: &&super::Finding| finding.reason.rule == *list.id.get_ref();
            if findings.iter().filter(ours).any(|finding| finding.dropped.is_none()) {
                continue;
            }
            let why = findings.iter().filter(ours).find_map(|finding| finding.dropped.clone());
            let instead = findings.iter().find(|finding| finding.dropped.is_none());
            let because = match (why, instead) {
                (Some(why), Some(other)) => format!("{why}, namely {}", other.reason.rule),
                (Some(why), None) => why,
                (None, Some(other)) => format!("{} matches in its place", other.reason.rule),
                (None, None) => "an allowed phrase contains it".to_owned(),
            };
            self.warn(&term.span(), format!("the term {:?} can never match: {because}", term.get_ref()));
        }
    }
}

fn twice_message(what: &str, value: &Spanned<String>, first: &str) -> String {
    format!("the {what} {:?} is also in {first:?}: keep one of them", value.get_ref())
}

//! The terms of lists, and what is allowed: from the rules file or from a word list beside it.

use std::collections::HashSet;
use std::path::{Component, Path};

use toml::Spanned;

use super::{FILE_MAX_BYTES, Head, Pattern, Rules, Term, head};
use crate::check::{checked_host, checked_term, compiled};
use crate::error::{RulesError, Source, Wrong};
use crate::file;
use sluice_runtime::regular;

impl Rules {
    pub(super) fn absorb_list(&mut self, list: &file::List, source: Source<'_>, wrong: &mut Wrong) {
        let rule = self.rule(&head!(list), source, wrong);
        let mut seen = HashSet::new();
        if list.terms.is_none() && list.file.is_none() {
            wrong.add(source.invalid(&list.id.span(), "a list without terms", "`terms`, `file` or both"));
        }
        if let Some(terms) = &list.terms {
            self.absorb_terms(terms, Some(rule), list.words, &mut seen, source, wrong);
        }
        if let Some(file) = &list.file
            && let Some((path, text)) = wrong.note(word_list(file, source))
        {
            let list_source = Source { origin: &path, text: &text };
            let terms = listed_terms(&text);
            if terms.is_empty() {
                wrong.add(source.invalid(
                    &file.span(),
                    format!("no term in {path}"),
                    "at least one, on a line of its own",
                ));
            }
            for term in &terms {
                wrong.note(self.absorb_term(term, Some(rule), list.words, &mut seen, list_source));
            }
            self.files.push(text);
        }
    }

    fn absorb_terms(
        &mut self,
        terms: &Spanned<Vec<Spanned<String>>>,
        rule: Option<usize>,
        words: bool,
        seen: &mut HashSet<String>,
        source: Source<'_>,
        wrong: &mut Wrong,
    ) {
        if terms.get_ref().is_empty() {
            wrong.add(source.invalid(&terms.span(), "no term", "at least one"));
        }
        for term in terms.get_ref() {
            wrong.note(self.absorb_term(term, rule, words, seen, source));
        }
    }

    /// Adds a term, unless it is there already; case and width make no difference.
    fn absorb_term(
        &mut self,
        term: &Spanned<String>,
        rule: Option<usize>,
        words: bool,
        seen: &mut HashSet<String>,
        source: Source<'_>,
    ) -> Result<(), RulesError> {
        let text = checked_term(term, source)?;
        if seen.insert(text.clone()) {
            self.terms.push(Term { text, rule, words });
        }
        Ok(())
    }

    pub(super) fn absorb_allow(&mut self, allow: &file::Allow, source: Source<'_>, wrong: &mut Wrong) {
        if let Some(phrases) = &allow.phrases {
            self.absorb_terms(phrases, None, allow.words, &mut HashSet::new(), source, wrong);
        }
        let ways = allow.patterns.iter().filter_map(|regex| wrong.note(compiled(regex, source))).flatten();
        self.patterns.extend(ways.map(|way| Pattern { way, rule: None }));
        let hosts = allow.hosts.iter().flatten();
        self.links.allowed.extend(hosts.filter_map(|host| wrong.note(checked_host(host, source))));
    }
}

/// The path and the text of the word list with this name.
fn word_list(name: &Spanned<String>, source: Source<'_>) -> Result<(String, String), RulesError> {
    let beside = Path::new(name.get_ref());
    if !beside.components().all(|part| matches!(part, Component::Normal(_))) {
        let found = format!("the file {:?}", name.get_ref());
        return Err(source.invalid(&name.span(), found, "the name of a file beside the rules file, or below"));
    }
    let path = Path::new(source.origin).parent().unwrap_or(Path::new("")).join(beside);
    let origin = path.display().to_string();
    let unreadable = |what: String| source.invalid(&name.span(), format!("{origin}: {what}"), "a word list in UTF-8");
    let bytes = regular::read(&path, FILE_MAX_BYTES).map_err(|error| unreadable(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|error| unreadable(error.utf8_error().to_string()))?;
    Ok((origin, text))
}

/// The terms of a word list, each with its place: one a line, `#` begins a comment.
fn listed_terms(text: &str) -> Vec<Spanned<String>> {
    let mut terms = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let term = line.split(" #").next().unwrap_or_default().trim_end();
        if !term.trim().is_empty() && !term.starts_with('#') {
            terms.push(Spanned::new(start..start + term.len(), term.to_owned()));
        }
        start += line.len();
    }
    terms
}

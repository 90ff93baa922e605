//! No two files import each other, and no two folders.

use std::collections::{BTreeMap, BTreeSet};

use super::{PACKAGES, holding, sources};

/// The files of a package as modules: the path of names of each, and the file's code without its unit tests.
fn modules(package: &str) -> BTreeMap<Vec<String>, String> {
    let module = |(file, text): (String, String)| {
        let path = file.strip_prefix(&format!("{package}/src/"))?.strip_suffix(".rs")?;
        let mut path: Vec<String> = path.split('/').map(str::to_owned).collect();
        path.pop_if(|last| matches!(last.as_str(), "mod" | "lib" | "main"));
        let code: Vec<&str> = holding(&text, &[""]).collect();
        Some((path, code.join(" ")))
    };
    sources(&format!("{package}/src")).into_iter().filter_map(module).collect()
}

/// The paths that a `use` names: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn spread(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let (mut depth, mut begun) = (0, 0);
    let mut items = Vec::new();
    for (at, c) in tree.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(&tree[begun..at]);
                begun = at + 1;
            }
            _ => {}
        }
    }
    items.push(&tree[begun..]);
    for item in items.into_iter().map(str::trim).filter(|item| !item.is_empty()) {
        match item.split_once('{') {
            Some((head, rest)) => {
                spread(&format!("{prefix}{head}"), rest.trim_end().trim_end_matches('}'), paths);
            }
            None => paths.push(format!("{prefix}{item}")),
        }
    }
}

/// The modules that this one imports from, but for those around it and those inside it: they are one thing with it.
fn imports(module: &[String], code: &str, modules: &BTreeMap<Vec<String>, String>) -> BTreeSet<Vec<String>> {
    let mut paths = Vec::new();
    for named in code.split("use ").skip(1) {
        spread("", named.split(';').next().unwrap_or_default(), &mut paths);
    }
    let is_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            paths.push(code[at..].chars().take_while(|c| is_path(*c)).collect());
        }
    }
    let mut found = BTreeSet::new();
    for path in paths {
        let names: Vec<&str> = path.split(" as ").next().unwrap_or_default().split("::").collect();
        let ups = names.iter().take_while(|name| **name == "super").count();
        let mut target = match names[0] {
            "crate" => Vec::new(),
            "super" if ups <= module.len() => module[..module.len() - ups].to_vec(),
            _ => continue,
        };
        for name in &names[ups.max(1)..] {
            target.push((*name).to_owned());
            if !modules.contains_key(&target) {
                target.pop();
                break;
            }
        }
        if !module.starts_with(&target) && !target.starts_with(module) {
            found.insert(target);
        }
    }
    found
}

/// The circles: sets of modules each of which leads to all others. Folders are told apart where two paths part.
fn circles(modules: &BTreeMap<Vec<String>, String>) -> Vec<String> {
    let mut arrows: BTreeMap<Vec<String>, BTreeSet<Vec<String>>> = BTreeMap::new();
    for (module, code) in modules {
        for target in imports(module, code, modules) {
            let parting = module.iter().zip(&target).take_while(|(a, b)| a == b).count() + 1;
            let folders = (module[..parting].to_vec(), target[..parting].to_vec());
            arrows.entry(folders.0).or_default().insert(folders.1);
            arrows.entry(module.clone()).or_default().insert(target);
        }
    }
    let reached = |from: &Vec<String>| {
        let (mut open, mut seen) = (vec![from.clone()], BTreeSet::new());
        while let Some(next) = open.pop() {
            for target in arrows.get(&next).into_iter().flatten() {
                if seen.insert(target.clone()) {
                    open.push(target.clone());
                }
            }
        }
        seen
    };
    let back = |from: &&Vec<String>| reached(from).contains(*from);
    arrows.keys().filter(back).map(|module| module.join("::")).collect()
}

#[test]
fn no_two_files_import_each_other_and_no_two_folders() {
    let module = |path: &str, code: &str| {
        let path: Vec<String> = path.split("::").map(str::to_owned).collect();
        (path, code.to_owned())
    };
    let planted = BTreeMap::from([
        module("a", "use super::b::{C, d::E};"),
        module("b", "fn f() { crate::a::g() }"),
        module("c", ""),
        module("c::x", "use crate::e::y::Z;"),
        module("e", ""),
        module("e::y", ""),
        module("e::z", "use crate::c::x;"),
        module("f", "use crate::a;"),
    ]);
    assert_eq!(circles(&planted), ["a", "b", "c", "e"], "the check itself finds what is there");
    for package in PACKAGES {
        assert_eq!(circles(&modules(package)), Vec::<String>::new(), "{package}");
    }
}

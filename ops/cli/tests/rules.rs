//! `sluice rules`: the rules of the review, tried by hand. No server is asked.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use support::{Ran, text};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// A file with these lines, as long as the folder lives.
fn file(folder: &TempDir, name: &str, content: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, content).expect("the file is written");
    path
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
    command.arg("rules").args(args).env_remove("SLUICE_RULES").env_remove("AMQP_URL").env_remove("DATABASE_URL");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// Runs it with this on stdin.
async fn fed(mut command: Command, stdin: &[u8]) -> Ran {
    let mut child = command.spawn().expect("the program was built");
    let mut pipe = child.stdin.take().expect("stdin is a pipe");
    // A program that refuses its arguments reads nothing.
    let _ = pipe.write_all(stdin).await;
    drop(pipe);
    let ended = tokio::time::timeout(support::PATIENCE, child.wait_with_output()).await;
    Ran::new(ended.expect("it comes to an end").expect("its output can be read"))
}

async fn rules(args: &[&str]) -> Ran {
    fed(command(args), b"").await
}

fn shown(path: &Path) -> &str {
    path.to_str().expect("a temporary folder's name is UTF-8")
}

const SITE: &str = "[categories.spam]\nhold = 50\nreject = 100\n[[list]]\nid = \"ads\"\ncategory = \"spam\"\nweight = 60\n\
                    terms = [\"watches\", \"代购名表\"]\n";

const ROWS: &str = "{\"text\":\"cheap watches\",\"expect\":\"flag\",\"lang\":\"en\"}\n\
                    {\"text\":\"cheap clocks\",\"expect\":\"flag\",\"lang\":\"en\"}\n\
                    \n\
                    {\"title\":\"代购名表\",\"text\":\"看标题\",\"expect\":\"flag\",\"lang\":\"zh\"}\n\
                    {\"text\":\"he watches birds\",\"expect\":\"clean\"}\n\
                    {\"text\":\"代购名表 watches\",\"expect\":\"clean\",\"lang\":\"zh\"}\n\
                    {\"text\":\"nothing\",\"expect\":\"clean\",\"lang\":\"en\",\"kind\":\"short\"}\n";

/// The figures of an object, without how fast it was.
fn figures(object: &Value) -> Value {
    let names = ["rows", "flagged", "recall", "false_positive_rate", "rejected_clean"];
    names.iter().map(|name| object[*name].clone()).collect()
}

#[tokio::test]
async fn eval_counts_each_file_and_each_language_in_it() {
    let folder = folder();
    let (site, set) = (file(&folder, "site.toml", SITE), file(&folder, "set.jsonl", ROWS));
    let told = rules(&["eval", shown(&set), "--rules", shown(&site), "--json"]).await.ok().object();
    assert_eq!(text(&told, "file"), shown(&set));
    assert!(text(&told, "ruleset").starts_with("site@"), "{told}");
    assert_eq!(figures(&told), json!([6, 4, 0.6667, 0.6667, 1]));
    assert_eq!(figures(&told["lang"]["en"]), json!([3, 1, 0.5, 0.0, 0]));
    assert_eq!(figures(&told["lang"]["zh"]), json!([2, 2, 1.0, 1.0, 1]));
    assert_eq!(figures(&told["kind"]["short"]), json!([1, 0, null, 0.0, 0]), "nothing there should be flagged");
    for figures in [&told, &told["lang"]["en"]] {
        assert!(figures["posts_per_second"].as_u64().is_some_and(|speed| speed > 0), "{told}");
    }
    let page = rules(&["eval", shown(&set), "--rules", shown(&site)]).await.ok().stdout;
    assert!(page.contains("66.7 %") && !page.contains("cheap clocks"), "nobody reads wrong rows in a pipe: {page}");
    let page = rules(&["eval", shown(&set), "--rules", shown(&site), "--wrong", "2"]).await.ok().stdout;
    assert!(page.contains("set.jsonl:2: missed: cheap clocks\n"), "{page}");
    assert!(page.contains("set.jsonl:5: wrongly held, by ads \"watches\": he watches birds\n"), "{page}");
    assert!(page.ends_with("and 1 more: --wrong 3 shows all\n"), "{page}");
}

#[tokio::test]
async fn eval_names_each_line_that_is_no_row_and_counts_the_others() {
    let folder = folder();
    let bad = "{\"text\":\"a\",\"expect\":\"maybe\"}\nnot JSON\n{\"text\":\"b\",\"expect\":\"clean\"}\n{\"expect\":\"flag\"}\n";
    let (bad, set) = (file(&folder, "bad.jsonl", bad), file(&folder, "set.jsonl", ROWS));
    let ran = rules(&["eval", shown(&bad), shown(&set), "--json"]).await.exits(3);
    let told = ran.lines();
    assert_eq!((told.len(), &told[0]["rows"], &told[1]["rows"]), (2, &json!(1), &json!(6)));
    for (line, what) in [(1, "unknown variant"), (2, "column 2"), (4, "missing field `text`")] {
        let named = format!("bad.jsonl:{line}: not a valid row: ");
        let problem = ran.stderr.lines().find(|problem| problem.contains(&named));
        assert!(problem.is_some_and(|problem| problem.contains(what)), "{named}: {}", ran.stderr);
    }
}

#[tokio::test]
async fn eval_reads_stdin_and_the_rules_of_the_environment() {
    let folder = folder();
    let site = file(&folder, "site.toml", SITE);
    let mut command = command(&["eval", "-", "--json"]);
    command.env("SLUICE_RULES", &site);
    let told = fed(command, ROWS.as_bytes()).await.ok().object();
    assert_eq!((&told["file"], &told["flagged"]), (&json!("-"), &json!(4)));
    let builtin = fed(self::command(&["eval", "-", "--json"]), ROWS.as_bytes()).await.ok().object();
    assert!(text(&builtin, "ruleset").starts_with("builtin@"), "{builtin}");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_the_fix() {
    let folder = folder();
    let set = file(&folder, "set.jsonl", ROWS);
    let ran = rules(&["eval", shown(&set), "/no/such.jsonl"]).await.exits(1);
    assert!(ran.stderr.contains("/no/such.jsonl: give a file with one JSON object per line"), "{}", ran.stderr);
    assert_eq!(ran.stdout, "", "a mistyped name costs nobody half a result");
    let ran = rules(&["eval", shown(&set), "--rules", "/no/such.toml"]).await.exits(1);
    assert!(ran.stderr.contains("/no/such.toml"), "{}", ran.stderr);
    for wrong in [&["eval"][..], &["eval", shown(&set), "--wrong", "x"], &["check"], &["explain", "a", "b"], &[]] {
        let ran = rules(wrong).await.exits(2);
        assert!(ran.stderr.contains("--help"), "{wrong:?}: {}", ran.stderr);
    }
    let ran = fed(command(&["explain"]), b"caf\xe9").await.exits(1);
    assert!(ran.stderr.contains("cannot read the text from stdin"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_reader_that_has_seen_enough_is_no_failure() {
    let folder = folder();
    let set = file(&folder, "set.jsonl", &ROWS.repeat(3000));
    let mut command = command(&["eval", shown(&set), shown(&set), "--wrong", "99999"]);
    let mut child = command.spawn().expect("the program was built");
    drop(child.stdout.take());
    let ran = Ran::new(child.wait_with_output().await.expect("it comes to an end"));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn explain_says_where_each_finding_stands_and_what_it_adds_up_to() {
    let folder = folder();
    let site = file(&folder, "site.toml", SITE);
    let post = "see\ncheap WATCHES \u{1b}[31m here";
    let args = ["explain", post, "--title", "代购名表", "--rules", shown(&site)];
    let told = rules(&[&args[..], &["--json"]].concat()).await.ok().object();
    assert_eq!(told["verdict"], "rejected", "{told}");
    assert_eq!(told["scores"], json!([{ "category": "spam", "sum": 120, "hold": 50, "reject": 100 }]));
    let found: Vec<_> = told["findings"]
        .as_array()
        .expect("an array")
        .iter()
        .map(|finding| {
            json!([finding["field"], finding["span"], finding["text"], finding["weight"], finding["dropped"]])
        })
        .collect();
    let expected = [json!(["title", [0, 12], "代购名表", 60, null]), json!(["content", [10, 17], "WATCHES", 60, null])];
    assert_eq!(found, expected);

    let page = rules(&args).await.ok().stdout;
    assert!(page.starts_with("rejected by the rules site@"), "{page}");
    assert!(page.contains("title\n   1  代购名表\n      ^^^^^^^^\n"), "{page}");
    assert!(page.contains("   2  cheap WATCHES \\u{1b}[31m here\n            ^^^^^^^\n"), "{page}");
    let told = fed(command(&["explain", "--rules", shown(&site), "-"]), "no harm".as_bytes()).await.ok().stdout;
    assert!(told.contains("approved") && told.ends_with("no rule matched\n"), "{told}");
}

#[tokio::test]
async fn check_takes_a_valid_file_and_warns_of_what_can_never_match() {
    let folder = folder();
    let odd = format!(
        "{SITE}[[list]]\nid = \"more\"\ncategory = \"spam\"\nweight = 10\nterms = [\"WATCHES\", \"cheap watches\", \"clocks\"]\n\
         [[test]]\ntext = \"a clock\"\nexpect = \"approved\"\n[categories.none]\nhold = 5\n[categories.far]\nhold = 90\n\
         [[pattern]]\nid = \"p\"\ncategory = \"far\"\nweight = 20\nregex = 'x\\d'\n[[list]]\nid = \"t\"\ncategory = \"spm\"\nterms = [\"tin\"]\n"
    );
    let odd = file(&folder, "odd.toml", &odd);
    let told = rules(&["check", shown(&odd), "--json"]).await.ok().object();
    let counts = json!([told["valid"], told["rules"], told["terms"], told["tests"], told["errors"]]);
    assert_eq!(counts, json!([true, 4, 6, 1, []]), "{told}");
    let warned: Vec<_> = told["warnings"]
        .as_array()
        .expect("an array")
        .iter()
        .map(|warning| format!("{}:{} {}", warning["line"], warning["column"], text(warning, "message")))
        .collect();
    let expected = [
        ("13:10 the term \"WATCHES\" is also in \"ads\"", "keep one"),
        ("13:21 the term \"cheap watches\" can never match: ", "ads"),
        ("17:13 the category \"none\" has no rule", "remove the category"),
        ("19:13 the threshold of the category \"far\" is never reached", "add up to 20, but it begins at 90"),
        ("28:12 the category \"spm\" is not declared", "hold"),
    ];
    assert_eq!(warned.len(), expected.len(), "{warned:#?}");
    for (warned, (begins, holds)) in warned.iter().zip(expected) {
        assert!(warned.starts_with(begins) && warned.contains(holds), "{warned}");
    }
    let page = rules(&["check", shown(&odd)]).await.ok().stdout;
    assert!(page.contains(":13:10: warning: the term") && page.contains("4 rules with 6 terms"), "{page}");
}

#[tokio::test]
async fn check_refuses_a_file_by_line_and_column() {
    let folder = folder();
    for (content, place) in [
        (SITE.replace("60", "2000"), (7, 10)),
        (format!("{SITE}wieght = 1"), (9, 1)),
        (format!("{SITE}[[test]]\ntext = \"watches\"\nexpect = \"approved\""), (10, 8)),
        ("[[list".to_owned(), (1, 7)),
    ] {
        let path = file(&folder, "wrong.toml", &content);
        let ran = rules(&["check", shown(&path), "--json"]).await.exits(1);
        let told = ran.object();
        assert_eq!((&told["valid"], &told["ruleset"]), (&json!(false), &json!(null)), "{told}");
        assert_eq!(
            json!([told["errors"][0]["line"], told["errors"][0]["column"]]),
            json!([place.0, place.1]),
            "{told}"
        );
        assert!(ran.stderr.contains(&format!("wrong.toml:{}:{}: ", place.0, place.1)), "{}", ran.stderr);
        let ran = rules(&["check", shown(&path)]).await.exits(1);
        assert_eq!(ran.stdout, "");
    }
    let ran = rules(&["check", "/no/such.toml"]).await.exits(1);
    assert!(ran.stderr.contains("/no/such.toml"), "{}", ran.stderr);
}

#[tokio::test]
async fn fit_proposes_and_changes_no_file() {
    let folder = folder();
    let site = file(&folder, "site.toml", &SITE.replace("weight = 60", "weight = 30"));
    let row = |text: &str, expect: &str| format!("{{\"text\":\"{text}\",\"expect\":\"{expect}\"}}\n");
    let rows: String =
        (0..40).map(|nth| row(&format!("watches {nth}"), "flag") + &row(&format!("bread {nth}"), "clean")).collect();
    let set = file(&folder, "set.jsonl", &rows);
    let told = rules(&["fit", shown(&set), "--rules", shown(&site), "--json"]).await.ok().object();
    assert_eq!(told["now"]["found"]["hits"], json!(0));
    assert_eq!(told["by_folds"]["found"]["hits"], json!(40));
    assert_eq!(told["weights"][0]["name"], json!("ads"));
    assert_eq!(told["weights"][0]["proposed"], json!(50));
    let page = rules(&["fit", shown(&set), "--rules", shown(&site)]).await.ok().stdout;
    assert!(page.contains("proposed, by folds") && page.contains("No file was changed."), "{page}");
    let few = file(&folder, "few.jsonl", &row("watches", "flag"));
    let ran = rules(&["fit", shown(&few), "--rules", shown(&site)]).await.exits(1);
    assert!(ran.stderr.contains("1 to be flagged and 0 clean"), "{}", ran.stderr);
    rules(&["fit", shown(&set), "--false-alarms", "60"]).await.exits(2);
}

#[tokio::test]
async fn explain_says_that_there_is_no_list_for_a_language() {
    let russian = "Библиотека закрыта в понедельник, верните книги заранее.";
    let page = rules(&["explain", russian]).await.ok().stdout;
    assert!(page.contains("no list for this script or language (cyrillic)"), "{page}");
    let told = rules(&["explain", "The library is closed on Monday.", "--json"]).await.ok().object();
    assert_eq!(told["no_list_for"], Value::Null);
}

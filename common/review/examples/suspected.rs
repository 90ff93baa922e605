//! Learns the scorer that comes with the built-in rules (`ops/suspected`), and counts what it finds of other texts.
//!
//! ```sh
//! cargo run --release -p sluice-review --example suspected -- OUT N-GRAMS THRESHOLD LEARN.jsonl… -- COUNT.jsonl…
//! ```
//!
//! Rows are those of `sluice rules eval`: `{"text": "…", "expect": "flag"}`, or `"clean"`, and perhaps a title.

use std::error::Error;

use serde_json::Value;
use sluice_review::{Lesson, Lessons, drafted};

/// By how much the threshold is moved to show what that would change.
const MOVED: [f32; 7] = [-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5];

struct Row {
    title: String,
    text: String,
    flag: bool,
}

fn rows(file: &str) -> Result<Vec<Row>, Box<dyn Error>> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let row = |line: &str| -> Result<Row, Box<dyn Error>> {
        let row: Value = serde_json::from_str(line)?;
        Ok(Row { title: text(&row, "title"), text: text(&row, "text"), flag: row["expect"] == "flag" })
    };
    std::fs::read_to_string(file)?.lines().map(row).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [out, keep, threshold, files @ ..] = &args[..] else {
        return Err("OUT N-GRAMS THRESHOLD LEARN… -- COUNT…".into());
    };
    let threshold: f32 = threshold.parse()?;
    let (learn, count) = files.split_at(files.iter().position(|file| file == "--").unwrap_or(files.len()));
    let mut lessons = Lessons::default();
    for file in learn {
        rows(file)?.iter().for_each(|row| lessons.add(Lesson::new(&row.title, &row.text, row.flag)));
    }
    println!("{} contradict one another and are left out", lessons.drop_contradictions());
    let draft = drafted(&lessons, keep.parse()?, threshold)?;
    std::fs::write(out, &draft.text)?;
    let (flagged, clean) = lessons.classes();
    println!(
        "from {flagged} texts to be flagged and {clean} clean ones; % found / false alarms, the threshold moved by"
    );
    println!("{:>40} {}", "", MOVED.map(|by| format!("{by:>15}")).concat());
    for file in count.iter().skip(1) {
        let rows = rows(file)?;
        let sums = draft.sums(rows.iter().map(|row| (row.title.as_str(), row.text.as_str())));
        let share = |flag: bool, by: f32| {
            let all: Vec<f32> =
                rows.iter().zip(&sums).filter(|(row, _)| row.flag == flag).map(|(_, sum)| *sum).collect();
            100.0 * all.iter().filter(|sum| **sum > threshold + by).count() as f64 / all.len().max(1) as f64
        };
        let shares = MOVED.map(|by| format!("{:>8.1} /{:>5.2}", share(true, by), share(false, by)));
        println!("{:>40} {}", &file[file.len().saturating_sub(40)..], shares.concat());
    }
    Ok(())
}

//! How many rows of a set have near copies in it: what `SLUICE_COPIES` would hold if all of them came within the window.
//!
//! ```sh
//! cargo run --release -p sluice-review --example near_copies -- ROWS.jsonl…
//! ```
//!
//! Rows are those of `sluice rules eval`: `{"text": "…", "expect": "flag"}`, or `"clean"`. Each row is looked at once all
//! others are in the window, so that the first ones of a text count like the last.

use std::time::Duration;

use sluice_review::copies::{Said, Window};

/// From which near copy on.
const LIMITS: [usize; 5] = [2, 3, 5, 7, 10];

/// The numbers of near copies of some rows, 0 for a row that says too little.
#[derive(Default)]
struct Rows(Vec<usize>);

impl Rows {
    /// A line of the table.
    fn print(&self, name: &str) {
        let share = |rows: usize| 100.0 * rows as f64 / self.0.len().max(1) as f64;
        let from = |limit| share(self.0.iter().filter(|posts| **posts >= limit).count());
        let shares: String = LIMITS.iter().map(|limit| format!("{:>8.1}", from(*limit))).collect();
        println!("{name:<7}{:>6}{:>9.1}{shares}", self.0.len(), from(1));
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let limits: String = LIMITS.iter().map(|limit| format!("{limit:>7}+")).collect();
    for file in std::env::args().skip(1) {
        let mut window = Window::new(Duration::from_secs(1), 1 << 16);
        let mut said = Vec::new();
        for (number, line) in std::fs::read_to_string(&file)?.lines().enumerate() {
            let row: serde_json::Value = serde_json::from_str(line)?;
            let id = (number as u128).to_be_bytes();
            let post = Said::by(&id, None, row["text"].as_str().unwrap_or_default());
            if let Some(post) = &post {
                window.add(post, Duration::ZERO);
            }
            said.push((row["expect"] == "flag", post));
        }
        let (mut flagged, mut clean) = (Rows::default(), Rows::default());
        for (flag, post) in &said {
            let posts = post.as_ref().map_or(0, |post| window.meet(post, Duration::ZERO).0.posts);
            if *flag { flagged.0.push(posts) } else { clean.0.push(posts) }
        }
        println!("{file}, % of rows\n         rows  counted{limits}");
        flagged.print("flag");
        clean.print("clean");
    }
    Ok(())
}

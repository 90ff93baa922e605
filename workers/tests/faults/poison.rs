//! Posts that the table cannot take.

use sluice_core::post::Post;
use sluice_lab::testing::Ground;

/// Posts of one author that the table cannot take, for reasons that look like an operator's mistake, like a database
/// that hangs, and like an overloaded one.
pub(crate) const POISONS: [(&str, &str, &str); 3] = [
    ("missing", "INSERT INTO missing VALUES (1)", "mysql_1146"),
    ("sleeping", "DO SLEEP(60)", "mysql_timeout"),
    ("crowded", "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1040, MESSAGE_TEXT = 'said so'", "mysql_1040"),
];

pub(crate) async fn poison(ground: &Ground) {
    let cases: Vec<String> =
        POISONS.iter().map(|(author, what, _)| format!("IF NEW.author = '{author}' THEN {what}; END IF;")).collect();
    let body = cases.join(" ");
    ground.sql(&format!("CREATE TRIGGER poison BEFORE INSERT ON posts FOR EACH ROW BEGIN {body} END")).await;
}

/// MySQL ends a `SLEEP` whose client is gone, and goes on: the row of a statement that nobody waits for any more may be
/// stored, with the attempts that it took.
pub(crate) const ATTEMPTS_OF_NEIGHBOURS: &str = "SELECT MAX(attempts) FROM posts WHERE title <> 'poison'";

pub(crate) fn by(ground: &Ground, author: &str) -> Post {
    Post { author: Some(author.to_owned()), ..ground.post("poison") }
}

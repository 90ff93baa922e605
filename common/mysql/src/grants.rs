//! What each user needs in MySQL, and no more.

use sluice_core::server_user::ServerUser;

/// What may be done, and to which table; an empty name is the whole database.
type Grant = (&'static str, &'static str);

/// A worker adds posts, cases and authors, asks what people decided about an author's posts, and tests commits. On a key that is taken, its inserts set a column to itself, which
/// needs the right to update: MariaDB asks for that on all columns that are inserted, so it cannot be limited to the one.
const WORKER: [Grant; 6] = [
    ("SELECT, INSERT, UPDATE", "posts"),
    ("SELECT, INSERT, UPDATE", "review_cases"),
    ("SELECT, INSERT, UPDATE", "commit_tests"),
    ("SELECT, INSERT", "authors"),
    ("SELECT", "review_decisions"),
    ("SELECT", "refinery_schema_history"),
];

/// The view is replaced when the schema is made. To drop any table, an operator needs more.
const OPERATOR: [Grant; 2] =
    [("SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, CREATE VIEW", ""), ("CREATE, DROP", "post_standing")];

const MODERATOR: [Grant; 7] = [
    ("SELECT", ""),
    ("INSERT, UPDATE", "review_cases"),
    ("INSERT, UPDATE", "review_claims"),
    ("INSERT, UPDATE", "review_notes"),
    ("INSERT", "review_decisions"),
    ("INSERT", "decision_outbox"),
    ("INSERT", "second_opinions"),
];

const VIEWER: [Grant; 1] = [("SELECT", "")];

/// The statements that let `'name'@'host'` do its work in this database; none if it needs no MySQL.
#[must_use]
pub fn grants(user: ServerUser, database: &str, name: &str, host: &str) -> Vec<String> {
    let grants: &[Grant] = match user {
        ServerUser::Producer => &[],
        ServerUser::Worker => &WORKER,
        ServerUser::Operator => &OPERATOR,
        ServerUser::Moderator => &MODERATOR,
        ServerUser::Viewer => &VIEWER,
    };
    let account = format!("{}@{}", text(name), text(host));
    let statement = |(rights, table): &Grant| {
        let place = match *table {
            // In the name of a whole database, these two would stand for any characters.
            "" => format!("{}.*", identifier(&database.replace('_', "\\_").replace('%', "\\%"))),
            table => format!("{}.{}", identifier(database), identifier(table)),
        };
        format!("GRANT {rights} ON {place} TO {account}")
    };
    grants.iter().map(statement).collect()
}

fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn text(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_and_stand_for_themselves_only() {
        let viewer = grants(ServerUser::Viewer, "my_db`", "o'neil", "10.%");
        assert_eq!(viewer, ["GRANT SELECT ON `my\\_db```.* TO 'o''neil'@'10.%'"]);
        let worker = grants(ServerUser::Worker, "my_db", "w", "%");
        assert_eq!(worker[0], "GRANT SELECT, INSERT, UPDATE ON `my_db`.`posts` TO 'w'@'%'");
        assert!(grants(ServerUser::Producer, "db", "p", "%").is_empty());
    }
}

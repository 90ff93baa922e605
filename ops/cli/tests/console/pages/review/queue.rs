//! Held posts as the built-in rules see them, with their cases; and the forms of a case's page.

use std::sync::LazyLock;

use sluice_core::moderation::Role;
use sluice_core::post::{Post, PostId};
use sluice_core::verdict::{Review, Verdict};
use sluice_mysql::Row;
use sluice_mysql::review::{Ask, NewCase, StoredCase};
use sluice_review::RuleSet;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::console::Console;
use crate::ground::{Desk, path};
use crate::pages::visitor::Shown;

/// What the rules say is asked of many posts.
static RULES: LazyLock<RuleSet> = LazyLock::new(RuleSet::builtin);
/// Three reasons.
const POLICIES: &str = "[[policy]]\nid = \"ads\"\ntitle = \"Advertising\"\nmessage = \"Posts that advertise are not \
                        shown.\"\ncategories = [\"spam\", \"contact\"]\n[[policy]]\nid = \"rude\"\ntitle = \"Insults\"\n\
                        message = \"Be kind.\"\ncategories = [\"abuse\"]\n[[policy]]\nid = \"topic\"\ntitle = \"Off topic\"\n\
                        message = \"It belongs elsewhere.\"\n";

impl Desk {
    /// A console with the three reasons and one person for each role.
    pub(crate) async fn reviewing(&self) -> Console {
        let policies = path(&self.file("policies.toml", POLICIES));
        self.pages(&["--policies", &policies]).await
    }

    /// A post that is held whatever the rules say of it, with its case.
    pub(crate) async fn held_post(&self, author: &str, title: &str, content: &str) -> StoredCase {
        let mut review = RULES.review_text(title, content);
        review.verdict = Verdict::Held;
        self.held_for(review, author, title, content).await
    }

    /// A post with this review, which holds it, and its case.
    pub(crate) async fn held_for(&self, review: Review, author: &str, title: &str, content: &str) -> StoredCase {
        let post = Post {
            id: PostId::new(),
            title: title.to_owned(),
            content: content.to_owned(),
            author: Some(author.to_owned()),
            submitted_at: OffsetDateTime::now_utc(),
        };
        let (id, now) = (post.id, OffsetDateTime::now_utc());
        let row = Row { post, review, reviewed_at: now, attempts: 1, sender: None };
        self.store.insert(&[row], "test").await.expect("it can be stored").remove(0).expect("it is stored");
        let held = self.store.held_without_case(&[id]).await.expect("the database answers");
        let text = sluice_review::fingerprint(title, content);
        let cases: Vec<NewCase> = held.into_iter().map(|post| post.case(text)).collect();
        self.store.open_cases(&cases).await.expect("cases can be opened");
        self.store.cases_of(id).await.expect("the database answers").remove(0)
    }

    /// Several of them, which differ.
    pub(crate) async fn held_posts(&self, many: usize) -> Vec<StoredCase> {
        let mut cases = Vec::with_capacity(many);
        for number in 0..many {
            cases.push(self.held_post("ann", &format!("post {number:02}"), &format!("text of {number:02}")).await);
        }
        cases
    }

    /// The case as it stands now.
    pub(crate) async fn now(&self, case: &StoredCase) -> StoredCase {
        self.store.case(case.case).await.expect("the database answers").expect("it is there")
    }

    /// A claim of somebody whose page is elsewhere.
    pub(crate) async fn claimed_by(&self, case: &StoredCase, by: &str) {
        let ask = Ask { by, role: Role::Lead, token: Uuid::now_v7(), queue: None };
        self.store.claim(case.case, ask).await.expect("the database answers").expect("a case").expect("it is free");
    }

    /// The end of all claims.
    pub(crate) async fn lapse(&self) {
        self.ground
            .sql("UPDATE review_cases SET claimed_until = NOW(6) - INTERVAL 1 SECOND WHERE claim IS NOT NULL")
            .await;
    }
}

impl Shown {
    /// The value of the first field of this name behind these words.
    #[track_caller]
    pub(crate) fn field(&self, behind: &str, name: &str) -> String {
        let (_, rest) = self.text.split_once(behind).unwrap_or_else(|| panic!("{behind:?} in\n{}", self.text));
        let (_, rest) =
            rest.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{name} in\n{rest}"));
        rest.split('"').next().expect("its end").to_owned()
    }

    /// Where it leads.
    #[track_caller]
    pub(crate) fn leads(self) -> String {
        assert_eq!(self.status, 303, "{self:#?}");
        self.to.expect("a way")
    }

    /// The form that decides the case of this page, with what its button adds.
    #[track_caller]
    pub(crate) fn ruling(&self, name: &str, value: &str) -> Vec<(String, String)> {
        let names = ["decision", "revision", "claim", "next"];
        let mut fields: Vec<_> = names.map(|name| (name.to_owned(), self.field("/decide\"", name))).into();
        fields.push((name.to_owned(), value.to_owned()));
        fields
    }
}

/// As a form is sent.
pub(crate) fn sent(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

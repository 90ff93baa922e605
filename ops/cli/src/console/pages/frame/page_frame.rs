//! What all pages have around them.

use super::assets;
use crate::console::access::Role;

/// Title, navigation and who is logged in.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// The page's title.
    pub(crate) title: String,
    path: String,
    /// The name and the role of who is logged in.
    pub(crate) who: Option<(String, Role)>,
}

impl Frame {
    /// The frame of a page. `path` says which entry of the navigation is the present one.
    pub(crate) fn new(title: &str, path: &str, who: Option<(String, Role)>) -> Self {
        Self { title: title.to_owned(), path: path.to_owned(), who }
    }

    /// The address of the style sheet.
    pub(crate) fn css(&self) -> String {
        assets::address("css")
    }

    /// The address of the script.
    pub(crate) fn js(&self) -> String {
        assets::address("js")
    }

    /// The address of the icon.
    pub(crate) fn icon(&self) -> String {
        assets::address("svg")
    }

    /// Whether who is logged in may act on dead letters.
    pub(crate) fn operates(&self) -> bool {
        self.who.as_ref().is_some_and(|(_, role)| role.may(Role::Operator))
    }

    /// Whether who is logged in may decide about held posts.
    pub(crate) fn moderates(&self) -> bool {
        self.who.as_ref().is_some_and(|(_, role)| role.may(Role::Moderator))
    }

    /// Whether the page is this very one.
    pub(crate) fn is(&self, path: &str) -> bool {
        self.path == path
    }

    /// Whether the page is this one, or stands below it.
    pub(crate) fn is_at(&self, path: &str) -> bool {
        self.path == path || (path != "/" && self.path.starts_with(&format!("{path}/")))
    }
}

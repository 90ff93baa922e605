//! A program that uses the API.

use sluice_runtime::token::TokenHash;

use super::scope::Scope;

/// A program that uses the API.
#[derive(Clone)]
pub(crate) struct Client {
    /// Its name.
    pub(crate) name: String,
    /// What its token hashes to.
    pub(super) token: TokenHash,
    /// Its rights.
    pub(super) scopes: Vec<Scope>,
}

impl Client {
    /// Whether it may do what needs this.
    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Its rights, for people.
    pub(crate) fn scopes(&self) -> String {
        self.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ")
    }
}

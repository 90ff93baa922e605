//! Who may use the API, and for what.

mod accounts;
pub(super) mod command;
mod scope;
pub(super) mod token;

pub(super) use accounts::{Accounts, Client};
pub(super) use scope::Scope;

//! Who may use the API and the pages, and for what.

pub(super) mod account_command;
mod accounts;
mod client;
mod password;
mod person;
mod role;
mod scope;
pub(super) mod token_command;

pub(super) use accounts::Accounts;
pub(super) use client::Client;
pub(super) use password::{PASSWORD_MAX_BYTES, Password};
pub(super) use person::Person;
pub(super) use role::Role;
pub(super) use scope::Scope;

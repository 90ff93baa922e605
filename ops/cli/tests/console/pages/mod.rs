//! The pages, as a browser without script gets them.

mod login;
mod visitor;

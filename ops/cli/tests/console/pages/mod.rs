//! The pages, as a browser without script gets them.

mod browser;
mod dead_letters;
mod edit;
mod house;
mod killed;
mod login;
mod operations;
mod overview;
mod review;
mod visitor;
mod webdriver;

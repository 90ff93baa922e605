//! People's review in the database: cases, claims, decisions, appeals, the feed and its deliveries, with two people who
//! want the same thing.

mod appeals;
mod around;
mod authors;
mod cases;
mod claim_races;
mod claims;
mod decision_races;
mod decisions;
mod deliveries;
mod feed;
mod ground;
mod lost_answers;
mod second;
mod second_races;
mod stopped;

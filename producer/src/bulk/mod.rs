//! Many posts at once, from a file or a generator.

pub mod chunk;
pub mod entry;
pub mod file;
pub mod generate;
pub mod outcome;
pub mod pipeline;
pub mod progress;
pub mod publish;
pub mod rate_limit;
pub mod retrying_publisher;
pub mod samples;
pub mod summary;

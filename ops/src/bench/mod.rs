//! How fast it is.

mod plot;

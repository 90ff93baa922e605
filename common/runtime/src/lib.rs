//! What all programs share.
//!
//! ```text
//!  command_line ─► exit         from the arguments to the exit code
//!  shutdown                     the signals that stop a program
//!  telemetry, output, table     logs to stderr, results to stdout
//!  health                       /healthz, /readyz, /metrics, and the listener that serves them within bounds
//!  gather                       what several tasks bring at the same moment, to be done together
//!  regular                      files that are read to their end
//!  toml_file, followed          files of settings that may hold secrets, and are read again when they change
//!  token, random                what a program shows to be known for who it is
//!  failpoint                    points at which a test may end the program; nothing in a released one
//! ```

pub mod command_line;
pub mod exit;
pub mod failpoint;
pub mod followed;
pub mod gather;
pub mod health;
pub mod output;
pub mod random;
pub mod regular;
pub mod shutdown;
pub mod table;
pub mod telemetry;
pub mod token;
pub mod toml_file;

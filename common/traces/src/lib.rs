//! Traces: where a post was when, as spans that an OpenTelemetry collector gets.
//!
//! ```text
//!  settings   the standard variables of OpenTelemetry
//!  sampler    which traces are recorded
//!  tracer     begins spans            span      one step of a post's way, ended once it was taken
//!  export     a bounded queue, and one request at a time    json      OTLP's form of spans
//! ```
//!
//! A span holds ids, names, times and codes: nothing here knows a post, and so no text of one can get into a span. What
//! is sent waits for nobody: a full queue, or a collector that does not answer, costs spans, which are counted.

mod ended;
mod export;
mod json;
mod sampler;
mod settings;
mod span;
mod tracer;

pub use ended::Kind;
pub use export::Exporting;
pub use span::Span;
pub use tracer::Tracer;

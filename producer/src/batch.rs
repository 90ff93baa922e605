//! Many posts in one request: NDJSON in, NDJSON out, one result a line, in order.
//!
//! ```text
//!  body ─► lines ─► what is there now, up to 256 ─► one confirmed batch ─► results ─► answer
//! ```
//!
//! The answer begins with the first results, while the rest still arrives. But many clients send all before they read
//! anything. If we stopped reading until they read, both sides would wait for ever; so results may pile up, and the
//! number of lines is what bounds them.
//!
//! The status is 200 whatever becomes of the lines: each has its own.

use std::io;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use common::post::{Post, PostId};
use common::publisher::PublishError;
use common::vitals::Problem;
use futures_util::{Stream, StreamExt as _, stream};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_util::codec::FramedRead;
use tokio_util::io::StreamReader;

use crate::lines::{Line, Lines, gather};
use crate::serve::App;
use crate::submit::{self, Key};
use crate::{body, problem};

/// The most lines of one batch: what bounds the results that wait for a client who does not read them.
pub const LINES_MAX: u64 = 100_000;
/// The most posts that are published at once.
const CHUNK: usize = 256;
/// About how many bytes are held at once.
const CHUNK_BYTES: usize = 1024 * 1024;

/// What became of a line.
#[derive(Debug, Serialize)]
struct LineResult {
    line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<PostId>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Box<Problem>>,
}

impl LineResult {
    fn queued(line: u64, id: PostId) -> Self {
        Self { line, id: Some(id), status: "queued", error: None }
    }

    fn refused(line: u64, mut problem: Problem) -> Self {
        Self { line, id: problem.id.take(), status: "refused", error: Some(Box::new(problem)) }
    }
}

/// The answer to a batch. The batch is worked on while its answer is under way.
pub fn answer(app: App, key: Option<Key>, body: BodyDataStream, limit: usize) -> Response {
    // Without a bound of its own: see above.
    let (results, made) = mpsc::unbounded_channel();
    tokio::spawn(Batch { app, key, broken: None }.work(body, limit, results));
    let texts = stream::unfold(made, async |mut made| made.recv().await.map(|results| (in_lines(results), made)));
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(texts)).into_response()
}

fn in_lines(results: Vec<LineResult>) -> io::Result<Bytes> {
    let mut text = Vec::with_capacity(results.len() * 96);
    for result in results {
        serde_json::to_writer(&mut text, &result)?;
        text.push(b'\n');
    }
    Ok(text.into())
}

struct Batch {
    app: App,
    key: Option<Key>,
    /// The broker is in trouble: each further post is refused at once, instead of waiting for it again and again.
    broken: Option<PublishError>,
}

impl Batch {
    async fn work(mut self, mut body: BodyDataStream, limit: usize, results: mpsc::UnboundedSender<Vec<LineResult>>) {
        let bytes = StreamReader::new(bounded(&mut body, limit));
        let mut lines = FramedRead::new(bytes, Lines::new(self.app.max_body())).fuse();
        loop {
            let gathered = tokio::time::timeout(body::TIMEOUT, gather(&mut lines, CHUNK, CHUNK_BYTES, weight)).await;
            let mut chunk = gathered.unwrap_or_else(|_| vec![Err(io::ErrorKind::TimedOut.into())]);
            let taken = |line: &io::Result<Line>| line.as_ref().is_ok_and(|line| line.number <= LINES_MAX);
            let ending = chunk.iter().position(|line| !taken(line));
            let ending = ending.map(|at| chunk.split_off(at).swap_remove(0));
            let over = ending.is_some() || chunk.is_empty();
            let mut made = self.publish(chunk.into_iter().flatten()).await;
            if let Some(ending) = ending {
                let at = ending.as_ref().map_or_else(|_| lines.get_ref().decoder().number() + 1, |line| line.number);
                made.push(LineResult::refused(at, why_it_ended(ending, limit)));
            }
            // When nobody reads the results any more, what was not published yet is left out.
            if results.send(made).is_err() || over {
                break;
            }
        }
        drop(lines);
        body::pour_away(body);
    }

    async fn publish(&mut self, lines: impl Iterator<Item = Line>) -> Vec<LineResult> {
        let (mut results, mut envelopes, mut sent) = (Vec::new(), Vec::new(), Vec::new());
        for line in lines {
            results.push(match self.read(&line) {
                Ok(post) => {
                    sent.push((results.len(), post.id));
                    envelopes.push(self.app.envelope(&post));
                    LineResult::queued(line.number, post.id)
                }
                Err(problem) => LineResult::refused(line.number, problem),
            });
        }
        let answers = self.app.publisher().publish_batch(&envelopes).await;
        for ((at, id), answer) in sent.into_iter().zip(answers) {
            let Err(error) = answer else { continue };
            results[at] = LineResult::refused(results[at].line, self.app.not_taken(&error, id));
            // A full queue has room again as soon as a worker takes a post.
            if error != PublishError::Full {
                self.broken = Some(error);
            }
        }
        self.count(&results);
        results
    }

    /// The line's post, if it can be published now.
    fn read(&self, line: &Line) -> Result<Post, Problem> {
        let text = line.text.as_ref().map_err(|long| problem::too_large(format!("the line is {long}")))?;
        let key = self.key.as_ref().map(|key| key.of_line(line.number));
        let post = submit::read(text, Ok(key), submit::now()).map_err(problem::refused)?;
        self.app.declared().map_err(|reason| problem::not_declared(&reason).about(post.id))?;
        match &self.broken {
            Some(error) => Err(problem::not_published(error, post.id)),
            None => Ok(post),
        }
    }

    fn count(&self, results: &[LineResult]) {
        let problems = results.iter().filter_map(|result| result.error.as_ref());
        let refused = problems.inspect(|problem| self.app.meters().refused(problem.name)).count();
        self.app.meters().accepted_in_batch((results.len() - refused) as u64);
    }
}

fn weight(line: &io::Result<Line>) -> usize {
    line.as_ref().ok().and_then(|line| line.text.as_ref().ok()).map_or(0, |text| text.len())
}

/// The body up to the limit, then an error.
fn bounded(body: &mut BodyDataStream, limit: usize) -> impl Stream<Item = io::Result<Bytes>> + Unpin {
    let mut read = 0;
    body.map(move |piece| {
        let piece = piece.map_err(io::Error::other)?;
        read += piece.len();
        if read > limit { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(piece) }
    })
}

/// Why no further line is taken.
fn why_it_ended(ending: io::Result<Line>, limit: usize) -> Problem {
    const REST: &str = "this line and what follows was not taken, send it in another batch";
    match ending.map_err(|error| error.kind()) {
        Ok(_) => problem::too_large(format!("a batch has at most {LINES_MAX} lines; {REST}")),
        Err(io::ErrorKind::FileTooLarge) => problem::too_large(format!("a batch has at most {limit} bytes; {REST}")),
        Err(io::ErrorKind::TimedOut) => problem::too_slow(body::TIMEOUT),
        Err(_) => problem::broken_off(),
    }
}

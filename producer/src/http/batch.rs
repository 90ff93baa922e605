//! Many posts in one request: NDJSON in, NDJSON out, one result a line, in order.
//!
//! ```text
//!  body ─► lines ─► what is there now, up to 256 ─► one confirmed batch ─► results ─► answer
//! ```
//!
//! The response begins with the first results, while the rest is still arriving. But many clients send everything
//! before they read anything. If the server stopped reading until they read, both sides would wait forever; so results
//! are buffered, as many as the longest batch has if all of it is accepted. Beyond that, the server reads only as the
//! client reads, and closes the connection of a client that does not. No post is published before there is room for its
//! result.
//!
//! The status is always 200; each line has its own result.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde::Serialize;
use sluice_core::post::{Post, PostId};
use sluice_rabbit::publisher::PublishError;
use sluice_runtime::health::Problem;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::http::app::App;
use crate::http::intake::{Chunk, Intake};
use crate::http::memory::{Held, Overloaded};
use crate::http::problem;
use crate::lines::Line;
use crate::submit::{self, Key};

/// The most lines of one batch.
pub const LINES_MAX: u64 = 100_000;
/// The most bytes that the result of one line has: that of a line with every error has half as many.
const RESULT_MAX: usize = 2048;

/// After so many lines, the task yields: refused lines never wait by themselves, and many batches of them would delay
/// `/healthz`, single posts and the broker's confirms for seconds.
const TURN: usize = 16;

/// The outcome of a line.
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

/// The response to a batch. The batch is processed while its response is sent.
pub fn answer(app: App, key: Option<Key>, intake: Intake) -> Response {
    // Bounded by bytes, not by results: see `Room`.
    let (results, made) = mpsc::unbounded_channel();
    let room = Arc::new(Semaphore::new(app.memory().answer_max()));
    tokio::spawn(Batch { app, key, broken: None, room }.work(intake, results));
    let texts = stream::unfold(made, async |mut made| Some((Ok::<_, Infallible>(made.recv().await?), made)));
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(texts)).into_response()
}

/// Room for results, until the client has them: in this answer, and among all that is in flight.
struct Room {
    here: Option<OwnedSemaphorePermit>,
    everywhere: Held,
}

/// Results to be sent to the client.
struct Text {
    text: Vec<u8>,
    _room: Room,
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

impl Text {
    /// The results, one per line, in the memory reserved for them; the rest of it is released.
    fn of(results: &[LineResult], mut room: Room) -> Bytes {
        let mut text = Vec::with_capacity(results.len() * 96);
        for result in results {
            // A struct of texts and numbers always has a JSON form.
            if serde_json::to_writer(&mut text, result).is_ok() {
                text.push(b'\n');
            }
        }
        if let Some(here) = &mut room.here {
            drop(here.split(here.num_permits().saturating_sub(text.len())));
        }
        room.everywhere.keep(text.len());
        Bytes::from_owner(Self { text, _room: room })
    }
}

struct Batch {
    app: App,
    key: Option<Key>,
    /// The broker fails: each further post is refused immediately, instead of waiting again each time.
    broken: Option<PublishError>,
    /// For the buffered part of the response.
    room: Arc<Semaphore>,
}

impl Batch {
    /// Runs until the batch ends, or until nobody reads the results any more; the rest is then not published.
    async fn work(mut self, mut intake: Intake, results: mpsc::UnboundedSender<Bytes>) {
        loop {
            let Chunk { mut lines, end } = intake.next().await;
            let over = lines.iter().position(|line| line.number > LINES_MAX);
            let over = over.map(|at| lines.split_off(at).swap_remove(0).number);
            let room = tokio::select! {
                room = self.room_for(lines.len()) => room,
                () = results.closed() => return,
            };
            let (room, ending) = match (room, over, &end) {
                (Err(overloaded), ..) => {
                    self.app.meters().refused(problem::OVERLOADED);
                    let at = lines.first().map_or_else(|| intake.number() + 1, |line| line.number);
                    lines.clear();
                    (None, Some((at, overloaded.into())))
                }
                (Ok(room), Some(number), _) => (Some(room), Some((number, too_many()))),
                (Ok(room), None, Some(Err(error))) => {
                    (Some(room), Some((intake.number() + 1, intake.body().problem(error))))
                }
                (Ok(room), None, _) => (Some(room), None),
            };
            let ended = ending.is_some() || end.is_some();
            let mut made = self.publish(lines).await;
            made.extend(ending.map(|(at, problem)| LineResult::refused(at, rest_not_taken(problem))));
            // The last line is short, and needs no reserved memory.
            let room = room.unwrap_or_else(|| self.no_room());
            if results.send(Text::of(&made, room)).is_err() || ended {
                return;
            }
        }
    }

    /// Room for the results of so many lines, before any of them is published.
    async fn room_for(&self, lines: usize) -> Result<Room, Overloaded> {
        let most = (lines.max(1) * RESULT_MAX).min(self.app.memory().answer_max());
        let permits = u32::try_from(most).unwrap_or(u32::MAX);
        // It is never closed.
        let here = Arc::clone(&self.room).acquire_many_owned(permits).await.map_err(|_| Overloaded)?;
        let mut everywhere = self.app.memory().hold();
        everywhere.take(most).await?;
        Ok(Room { here: Some(here), everywhere })
    }

    fn no_room(&self) -> Room {
        Room { here: None, everywhere: self.app.memory().hold() }
    }

    async fn publish(&mut self, lines: Vec<Line>) -> Vec<LineResult> {
        let (mut results, mut envelopes, mut sent) = (Vec::new(), Vec::new(), Vec::new());
        for (at, line) in lines.into_iter().enumerate() {
            if at % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
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
            // A full queue has room again as soon as a worker consumes a post.
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

/// Why no further lines are accepted.
fn too_many() -> Problem {
    problem::too_large(format!("a batch has at most {LINES_MAX} lines"))
}

fn rest_not_taken(mut problem: Problem) -> Problem {
    problem.detail += "; this line and all that follow were not accepted, send them in another batch";
    problem
}

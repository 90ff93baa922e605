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
//! The status is always 200; each line has its own result. Where there are senders, each line takes a token of its
//! sender's bucket: at the first one that gets none, the batch ends, and says so.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use sluice_core::post::Post;
use sluice_rabbit::publisher::PublishError;
use sluice_runtime::health::Problem;
use sluice_traces::Span;
use tokio::sync::{Semaphore, mpsc};

use crate::http::answer::{LineResult, Room, Text};
use crate::http::app::App;
use crate::http::intake::{Chunk, Intake};
use crate::http::problem;
use crate::key::Key;
use crate::lines::Line;
use crate::memory::{Memory, Overloaded};
use crate::senders::Admitted;
use crate::submit;

/// The most lines of one batch.
pub const LINES_MAX: u64 = 100_000;

/// After so many lines, the task yields: refused lines never wait by themselves, and many batches of them would delay
/// `/healthz`, single posts and the broker's confirms for seconds.
const TURN: usize = 16;

/// The response to a batch. The batch is processed while its response is sent.
pub fn answer(app: App, admitted: Option<Admitted>, key: Option<Key>, intake: Intake, span: Span) -> Response {
    // Bounded by bytes, not by results: see `Room`.
    let (results, made) = mpsc::unbounded_channel();
    let room = Arc::new(Semaphore::new(app.memory().answer_max()));
    let prepaid = admitted.is_some();
    tokio::spawn(Batch { app, admitted, prepaid, key, broken: None, room, span }.work(intake, results));
    let texts = stream::unfold(made, async |mut made| Some((Ok::<_, Infallible>(made.recv().await?), made)));
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(texts)).into_response()
}

struct Batch {
    app: App,
    /// The sender. None where anybody may send.
    admitted: Option<Admitted>,
    /// The next line is paid for already.
    prepaid: bool,
    key: Option<Key>,
    /// The broker fails: each further post is refused immediately, instead of waiting again each time.
    broken: Option<PublishError>,
    /// For the buffered part of the response.
    room: Arc<Semaphore>,
    /// From the request's head to the last result.
    span: Span,
}

impl Batch {
    /// Runs until the batch ends, or until nobody reads the results any more; the rest is then not published.
    async fn work(mut self, mut intake: Intake, results: mpsc::UnboundedSender<Bytes>) {
        loop {
            let Chunk { mut lines, end } = intake.next().await;
            let over = lines.iter().position(|line| line.number > LINES_MAX);
            let over = over.map(|at| (lines.split_off(at).swap_remove(0).number, too_many()));
            let over = self.pay(&mut lines).or(over);
            let room = tokio::select! {
                room = self.room_for(lines.len()) => room,
                () = results.closed() => return,
            };
            let (room, ending) = match (room, over, &end) {
                (Err(overloaded), over, _) => {
                    self.app.meters().refused(problem::OVERLOADED);
                    let first = lines.first().map(|line| line.number).or(over.map(|(number, _)| number));
                    let at = first.unwrap_or_else(|| intake.number() + 1);
                    lines.clear();
                    (None, Some((at, overloaded.into())))
                }
                (Ok(room), Some(over), _) => (Some(room), Some(over)),
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
        Room::take(&self.room, self.memory(), lines).await
    }

    fn no_room(&self) -> Room {
        Room::none(self.memory())
    }

    fn memory(&self) -> &Memory {
        self.admitted.as_ref().map_or_else(|| self.app.memory(), Admitted::memory)
    }

    /// Pays for each line. What the sender cannot pay for is taken out, from the first such line on: its number, and
    /// the problem.
    fn pay(&mut self, lines: &mut Vec<Line>) -> Option<(u64, Problem)> {
        let admitted = self.admitted.as_ref()?;
        let refused = |_: &Line| if std::mem::take(&mut self.prepaid) { None } else { admitted.pay().err() };
        let (at, problem) = lines.iter().map(refused).enumerate().find_map(|(at, refused)| Some((at, refused?)))?;
        Some((lines.split_off(at).swap_remove(0).number, problem))
    }

    async fn publish(&mut self, lines: Vec<Line>) -> Vec<LineResult> {
        let (mut results, mut envelopes, mut sent) = (Vec::new(), Vec::new(), Vec::new());
        for (at, line) in lines.into_iter().enumerate() {
            if at % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
            results.push(match self.read(&line) {
                Ok(post) => {
                    let sender = self.admitted.as_ref().map(Admitted::name);
                    let (envelope, span) = self.app.envelope(&post, sender, &self.span);
                    sent.push((results.len(), post.id, span));
                    envelopes.push(envelope);
                    LineResult::queued(line.number, post.id)
                }
                Err(problem) => LineResult::refused(line.number, problem),
            });
        }
        let answers = self.app.publisher().publish_batch(&envelopes).await;
        for ((at, id, mut span), answer) in sent.into_iter().zip(answers) {
            let Err(error) = answer else {
                self.app.confirmed(id);
                continue;
            };
            let problem = self.app.not_taken(&error, id);
            span.fail(problem.name);
            results[at] = LineResult::refused(results[at].line, problem);
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
        let accepted = (results.len() - refused) as u64;
        self.app.meters().accepted_in_batch(accepted);
        if let Some(admitted) = &self.admitted {
            admitted.accepted(accepted);
        }
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

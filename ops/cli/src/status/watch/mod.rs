//! `sluice status --watch` on a terminal: a page that stays, with keys. It starts before the first sample and stays open while RabbitMQ or MySQL is down.
//!
//! ```text
//!  sampler ──Status──► View ◄──keys── terminal
//!                        │
//!                        └──► draw: a page of what the view holds at a moment
//! ```

mod draw;
mod list;
mod pages;
mod palette;
mod screen;
mod view;

use std::io::IsTerminal as _;
use std::pin::pin;
use std::time::Duration;

use anyhow::Context as _;
use crossterm::event::EventStream;
use futures_util::StreamExt as _;
use palette::Palette;
use screen::Screen;
use sluice_runtime::failpoint;
use time::OffsetDateTime;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use view::{View, Wish};

use super::known::Status;
use super::sample::Sampler;

/// How often the page is drawn without new samples, because durations are shown in seconds.
const REDRAW: Duration = Duration::from_secs(1);
/// How long to wait for the sampler at the end, so that it can return dead letters that it is browsing. If it cannot,
/// RabbitMQ returns them when the connection ends.
const PUTTING_BACK: Duration = Duration::from_secs(2);

/// Whether stdout can show a page that stays.
#[must_use]
pub(super) fn has_a_screen() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("TERM").is_some_and(|name| name != "dumb")
}

/// Shows the page until a key or a signal ends it.
///
/// # Errors
/// When the terminal cannot be used.
pub(super) async fn run(mut sampler: Sampler, interval: Duration, stop: CancellationToken) -> anyhow::Result<()> {
    let palette = Palette::new();
    let mut view = View::new(sampler.prefix(), interval);
    let (samples, mut taken) = mpsc::channel(1);
    let mut sampling = pin!(sample(&mut sampler, interval, samples, &stop));
    let mut redraw = tokio::time::interval(REDRAW);
    redraw.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut screen = Screen::enter().context("the terminal cannot be set up; pipe the output for plain text")?;
    let mut keys = EventStream::new();
    loop {
        screen.draw(|frame| view.room = draw::page(frame, &view, &palette, OffsetDateTime::now_utc()))?;
        // The list may have become shorter, or the terminal larger.
        view.scroll(Wish::Nothing);
        failpoint::reach(failpoint::STATUS_DRAWN);
        tokio::select! {
            // It ends only at the stop.
            () = &mut sampling => return Ok(()),
            Some(status) = taken.recv() => view.take(status),
            key = keys.next() => match key {
                Some(Ok(event)) if Wish::of(&event) == Wish::Quit => break,
                Some(Ok(event)) => view.scroll(Wish::of(&event)),
                // There is no terminal any more.
                Some(Err(_)) | None => break,
            },
            _ = redraw.tick() => {}
            () = stop.cancelled() => break,
        }
    }
    drop((screen, taken));
    stop.cancel();
    let _ = tokio::time::timeout(PUTTING_BACK, sampling).await;
    Ok(())
}

/// Takes samples until the stop. Each waits until the previous one was consumed.
async fn sample(sampler: &mut Sampler, interval: Duration, samples: mpsc::Sender<Status>, stop: &CancellationToken) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last: Option<Status> = None;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        let status = sampler.take().await;
        let status = match &last {
            Some(last) => status.with_rates_since(last),
            None => status,
        };
        last = Some(status.clone());
        if samples.send(status).await.is_err() {
            return;
        }
    }
}

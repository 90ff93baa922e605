//! Gathers what several tasks bring at the same moment, so that it is done together: no timer, nobody waits.

use tokio::sync::mpsc;

/// How often the others get a turn, as long as each turn brings something. Tasks that have something at hand bring it
/// meanwhile. A turn takes as long as looking whether anything has come from outside: microseconds.
const TURNS: usize = 5;

/// Adds what comes from a channel while the others have their turns, at most so many.
pub async fn gather<T>(from: &mut mpsc::Receiver<T>, most: usize, mut add: impl FnMut(T)) {
    let mut room = most;
    for _ in 0..TURNS {
        tokio::task::yield_now().await;
        let before = room;
        while room > 0
            && let Ok(one) = from.try_recv()
        {
            add(one);
            room -= 1;
        }
        if room == before {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_others_bring_meanwhile_is_gathered_and_no_more_than_there_is_room_for() {
        let (bring, mut from) = mpsc::channel(10);
        for number in 0..8 {
            let bring = bring.clone();
            tokio::spawn(async move { bring.send(number).await });
        }
        let mut gathered = Vec::new();
        gather(&mut from, 6, |one| gathered.push(one)).await;
        assert_eq!(gathered, [0, 1, 2, 3, 4, 5]);
        gather(&mut from, 6, |one| gathered.push(one)).await;
        assert_eq!(gathered, [0, 1, 2, 3, 4, 5, 6, 7]);
        gather(&mut from, 6, |one| gathered.push(one)).await;
        assert_eq!(gathered.len(), 8, "with nothing to come it ends");
    }
}

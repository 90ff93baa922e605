//! Processor time that a process has used so far, as /proc tells it.

use std::time::Duration;

use anyhow::Context as _;

/// The entry of the auxiliary vector that says how many clock ticks a second has (getauxval(3)). It is where
/// `sysconf(_SC_CLK_TCK)` has it from.
const AT_CLKTCK: usize = 17;

/// User and system time of all threads of a process since its start; as fine as a clock tick, 10 ms. Time of other
/// processes that it has started is not in it.
pub(super) fn used(pid: u32) -> anyhow::Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    let stat =
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}: process {pid} has ended"))?;
    let ticks = ticks(&stat).with_context(|| format!("{path} does not say how much time was used: {stat}"))?;
    let vector = std::fs::read("/proc/self/auxv").context("cannot read /proc/self/auxv")?;
    let a_second = ticks_a_second(&vector).context("/proc/self/auxv does not say how many ticks a second has")?;
    Ok(Duration::from_secs_f64(ticks as f64 / a_second as f64))
}

/// Fields 14 and 15 of `pid (name) state ppid …`, see proc(5). A name may hold anything, spaces and parentheses too.
fn ticks(stat: &str) -> Option<u64> {
    /// The first field after the name is the third.
    const UTIME: usize = 14 - 3;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(UTIME).map(|field| field.parse::<u64>().ok());
    Some(times.next()?? + times.next()??)
}

/// How many ticks a second has, by an auxiliary vector: pairs of words, what it is and the value.
fn ticks_a_second(vector: &[u8]) -> Option<usize> {
    const WORD: usize = size_of::<usize>();
    let word = |bytes: &[u8]| Some(usize::from_ne_bytes(bytes.try_into().ok()?));
    vector.chunks_exact(2 * WORD).find_map(|pair| {
        let (what, value) = pair.split_at(WORD);
        if word(what)? == AT_CLKTCK { word(value) } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_times_are_read_whatever_the_name_is() {
        let rest = "S 1 42 42 0 -1 4194560 2480 0 3 0 1200 345 7 8 20 0 5 0 977 1 2";
        for name in ["beam.smp", "tokio rt (1) x", "a) b", "((", "7 (odd) S 9 9"] {
            assert_eq!(ticks(&format!("42 ({name}) {rest}")), Some(1545), "{name}");
        }
        assert_eq!(ticks("42 (short) S 1 42 42 0 -1 4194560 2480 0 3 0 1200"), None);
        assert_eq!(ticks(""), None);
    }

    #[test]
    fn the_ticks_of_a_second_stand_in_the_auxiliary_vector() {
        let vector =
            |pairs: &[[usize; 2]]| pairs.iter().flatten().flat_map(|word| word.to_ne_bytes()).collect::<Vec<_>>();
        assert_eq!(ticks_a_second(&vector(&[[6, 4096], [17, 100], [0, 0]])), Some(100));
        assert_eq!(ticks_a_second(&vector(&[[6, 17], [0, 0]])), None);
    }

    #[test]
    fn a_process_that_works_uses_time() {
        let before = used(std::process::id()).expect("this process runs");
        let begun = std::time::Instant::now();
        let mut after = before;
        while after == before {
            assert!(begun.elapsed() < Duration::from_secs(30), "no time was used in 30 s of work");
            after = used(std::process::id()).expect("this process runs");
        }
        assert!(after > before);
    }
}

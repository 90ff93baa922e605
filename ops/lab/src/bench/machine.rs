//! The machine that something was measured on, as /proc tells it.

use serde::Serialize;

/// What a figure depends on besides the programs.
#[derive(Debug, Serialize)]
pub(super) struct Machine {
    /// The processor's name.
    processor: String,
    /// How many processors this program may use.
    processors: usize,
    /// Memory, in GiB.
    memory_gib: f64,
    /// The kernel.
    kernel: String,
}

impl Machine {
    pub(super) fn this() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let (processors, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
        let named = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
        let total = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"));
        Self {
            processor: named.map_or("a processor without a name", |(_, name)| name.trim()).to_owned(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gib: total.and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(f64::NAN) / f64::from(1 << 20),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        }
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { processor, processors, memory_gib, kernel } = self;
        write!(f, "{processors} × {processor}, {memory_gib:.0} GiB, Linux {kernel}")
    }
}

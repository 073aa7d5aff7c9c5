//! What a panic leaves behind: a number and a log line that says where. Its message is not logged,
//! because it may hold what a client sent.

use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicU64, Ordering};

/// Which plane had it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plane {
    /// A thread of a shard.
    Media,
    /// Any other.
    Control,
}

static COUNTS: [AtomicU64; Plane::ALL.len()] = [const { AtomicU64::new(0) }; Plane::ALL.len()];

impl Plane {
    /// All, in the order of their discriminants.
    pub(crate) const ALL: [Self; 2] = [Self::Media, Self::Control];

    /// Name in metrics and logs.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Media => "media",
            Self::Control => "control",
        }
    }

    fn of_current_thread() -> Self {
        match std::thread::current().name() {
            Some(name) if name.starts_with("shard-") => Self::Media,
            _ => Self::Control,
        }
    }
}

/// From here on every panic of the process is counted and logged.
pub(crate) fn watch() {
    std::panic::set_hook(Box::new(on_panic));
}

/// How many there were.
pub(crate) fn count(plane: Plane) -> u64 {
    COUNTS[plane as usize].load(Ordering::Relaxed)
}

fn on_panic(info: &PanicHookInfo<'_>) {
    let plane = Plane::of_current_thread();
    let before = COUNTS[plane as usize].fetch_add(1, Ordering::Relaxed);
    // Whoever can cause one can cause many: a line for the first, second, fourth, eighth, ...
    if !(before + 1).is_power_of_two() {
        return;
    }
    let (file, line) = info.location().map_or(("", 0), |at| (at.file(), at.line()));
    tracing::error!(
        plane = plane.as_str(),
        file,
        line,
        number = before + 1,
        "panic, an error in Plenum: please report this line"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_told_from_the_rest_by_the_names_of_their_threads() {
        let plane_of = |name: &str| {
            let thread = std::thread::Builder::new().name(name.to_owned());
            let thread = thread.spawn(Plane::of_current_thread).unwrap();
            thread.join().unwrap()
        };
        assert_eq!(plane_of("shard-3"), Plane::Media);
        assert_eq!(plane_of("control"), Plane::Control);
    }

    #[test]
    fn a_panic_is_counted_for_its_plane() {
        watch();
        let before = count(Plane::Media);
        let thread = std::thread::Builder::new().name("shard-0".to_owned());
        let ended = thread.spawn(|| panic!("for the test")).unwrap().join();
        assert!(ended.is_err());
        assert_eq!(count(Plane::Media), before + 1);
        let _ = std::panic::take_hook();
    }
}

//! What the program asks of the operating system for itself.

use std::io;

/// Open files that are enough: twice as many connections as the largest useful number of requests in flight.
#[cfg(target_os = "linux")]
const ENOUGH_FILES: u64 = 65_536;

/// Prevents core dumps, which would hold keys and passwords: by limit, and by making the process not dumpable, which holds
/// where a program receives the dumps. The latter also keeps other processes of the same user out of its memory; debuggers
/// then need root. Does nothing on systems other than Linux.
///
/// # Errors
/// When the operating system refuses.
pub fn forbid_core_dumps() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
        set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
        setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    }
    Ok(())
}

/// Raises the limit of open files as far as the system lets this process, so that it is not a few hundred connections that
/// end it. Does nothing on systems other than Linux.
pub fn allow_enough_files() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let wanted = maximum.unwrap_or(ENOUGH_FILES).min(ENOUGH_FILES);
        if current.is_some_and(|current| current < wanted) {
            // The old limit is good enough to go on with.
            let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    #[test]
    fn no_core_is_dumped() {
        forbid_core_dumps().expect("allowed");
        assert_eq!(dumpable_behavior().expect("known"), DumpableBehavior::NotDumpable);
        assert_eq!((getrlimit(Resource::Core).current, getrlimit(Resource::Core).maximum), (Some(0), Some(0)));
    }

    #[test]
    fn the_limit_of_files_is_never_lowered() {
        let before = getrlimit(Resource::Nofile);
        allow_enough_files();
        let after = getrlimit(Resource::Nofile);
        assert!(after.current.unwrap_or(u64::MAX) >= before.current.unwrap_or(u64::MAX));
        assert_eq!(after.maximum, before.maximum);
    }
}

//! File descriptors: each client has a UDP socket, and most have a TCP connection.

use anyhow::{Result, bail};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// What the process has open besides its clients.
const OWN: u64 = 64;
/// Descriptors of a client.
const PER_CLIENT: u64 = 2;

/// Raises the limit of open files as far as the system lets it.
///
/// # Errors
/// If that does not suffice for so many clients.
pub(crate) fn raise_file_limit(clients: usize) -> Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let limit = match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(_) => soft,
    };
    let needed = OWN + PER_CLIENT * clients as u64;
    if limit < needed {
        bail!(
            "{clients} clients need {needed} file descriptors and the limit is {limit}: \
             raise it with `ulimit -Hn {needed}` as root, or ask for fewer clients"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_clients_are_refused_with_the_remedy() {
        assert!(raise_file_limit(1).is_ok());
        let error = raise_file_limit(usize::MAX / 4).unwrap_err().to_string();
        assert!(error.contains("ulimit"), "{error}");
    }
}

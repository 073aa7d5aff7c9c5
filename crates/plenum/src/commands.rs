//! The commands that do one thing and end, and how they write.

pub(crate) mod config;
pub(crate) mod load;
pub(crate) mod token;

use std::io::{self, Write};

/// Writes to standard output. A reader that went away early is no error.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Tells on standard error why the program ends.
pub(crate) fn complain(error: &anyhow::Error) {
    // Nobody is left to tell if this fails.
    let _ = writeln!(io::stderr(), "plenum: {error:#}");
}

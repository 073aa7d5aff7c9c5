//! Sockets, clocks and threads: what drives the clients.
//!
//! | file | one idea |
//! |---|---|
//! | `media_thread` | one thread that owns many clients and drives them tick by tick |
//! | `timers` | which client is due |
//! | `socket` | one client's UDP socket: GRO in, GSO out, kernel timestamps |
//! | `limits` | file descriptors |
//! | `usage` | CPU of this process and of its threads, datagrams that its sockets dropped |

mod limits;
mod media_thread;
mod socket;
mod timers;
mod usage;

pub(crate) use limits::raise_file_limit;
pub(crate) use media_thread::{ClientId, Command, MediaEvent, MediaThread, ThreadSnapshot};
pub(crate) use socket::Socket;
pub(crate) use usage::{process_cpu, socket_drops};

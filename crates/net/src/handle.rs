//! The way into a shard: a bounded queue, and a waker so that the shard looks into it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};

use mio::Waker;
use plenum_types::{MediaCommand, ShardId};

use crate::CommandRefused;
use crate::tcp::Accepted;

/// Commands that may wait. A join is about ten commands and a shard carries out a million a
/// second, so this is the joins of a whole large room at once. Lower refuses such bursts; higher
/// only costs memory while a shard hangs.
const COMMAND_QUEUE: usize = 16_384;

/// What waits for a shard.
pub(crate) enum Message {
    /// For the engine.
    Command(MediaCommand),
    /// A TCP connection of one of its peers.
    Connection(Box<Accepted>),
    /// End the thread after sending what is due.
    Stop,
}

/// Sends commands to one shard. Cheap to clone; usable from any thread.
#[derive(Clone)]
pub struct ShardHandle {
    shard: ShardId,
    local_addr: SocketAddr,
    queue: SyncSender<Message>,
    bell: Arc<Bell>,
}

impl std::fmt::Debug for ShardHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ShardHandle({}, {})", self.shard, self.local_addr)
    }
}

impl ShardHandle {
    /// Which shard.
    pub const fn shard(&self) -> ShardId {
        self.shard
    }

    /// Where the shard listens.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Whether its thread runs.
    pub fn is_alive(&self) -> bool {
        !self.bell.gone.load(Ordering::Relaxed)
    }

    /// How often the shard has failed and begun anew.
    pub fn restarts(&self) -> usize {
        self.bell.restarts.load(Ordering::Relaxed)
    }

    /// Commands that wait to be carried out.
    pub fn waiting(&self) -> usize {
        self.bell.waiting.load(Ordering::Relaxed)
    }

    /// Queues a command. Never blocks: a full queue refuses.
    pub fn send(&self, command: MediaCommand) -> Result<(), CommandRefused> {
        self.queue(Message::Command(command))
    }

    /// Gives the shard a TCP connection, which is closed where this is refused.
    pub(crate) fn hand_over(&self, connection: Accepted) -> Result<(), CommandRefused> {
        self.queue(Message::Connection(Box::new(connection)))
    }

    fn queue(&self, message: Message) -> Result<(), CommandRefused> {
        self.try_queue(message).map_err(|error| match error {
            TrySendError::Full(_) => CommandRefused::QueueFull,
            TrySendError::Disconnected(_) => CommandRefused::ShardGone,
        })?;
        self.bell.ring();
        Ok(())
    }

    /// Counted before it is there, so that the shard never takes out more than were counted.
    fn try_queue(&self, message: Message) -> Result<(), TrySendError<Message>> {
        self.bell.waiting.fetch_add(1, Ordering::Relaxed);
        self.queue.try_send(message).inspect_err(|_| {
            self.bell.waiting.fetch_sub(1, Ordering::Relaxed);
        })
    }

    /// Wakes the shard.
    pub(crate) fn bell(&self) -> Arc<Bell> {
        Arc::clone(&self.bell)
    }

    /// Asks the thread to end, unless the queue is full.
    pub(crate) fn try_stop(&self) -> Stop {
        match self.try_queue(Message::Stop) {
            Ok(()) => {
                self.bell.ring();
                Stop::Asked
            }
            Err(TrySendError::Full(_)) => Stop::QueueFull,
            Err(TrySendError::Disconnected(_)) => Stop::Asked,
        }
    }
}

/// What came of asking a thread to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It knows, or has ended already.
    Asked,
    /// Ask again: the queue has to empty first.
    QueueFull,
}

/// The shard's end of the queue.
pub(crate) struct Inbox {
    queue: Receiver<Message>,
    bell: Arc<Bell>,
}

impl Inbox {
    /// From now on the sender of the next message wakes the shard. Call before draining: a
    /// message that comes during the draining is then either seen or announced.
    pub(crate) fn arm(&self) {
        self.bell.rung.store(false, Ordering::SeqCst);
        // What is looked at next, a queue or a ring, is looked at after this is seen by others.
        fence(Ordering::SeqCst);
    }

    /// The shard begins anew.
    pub(crate) fn count_restart(&self) {
        self.bell.restarts.fetch_add(1, Ordering::Relaxed);
    }

    /// The next message. [`Message::Stop`] once all handles are gone.
    pub(crate) fn poll(&self) -> Option<Message> {
        match self.queue.try_recv() {
            Ok(message) => {
                self.bell.waiting.fetch_sub(1, Ordering::Relaxed);
                Some(message)
            }
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Message::Stop),
        }
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.bell.gone.store(true, Ordering::Relaxed);
    }
}

/// Wakes the shard at most once until it looks, so that a burst of commands costs one system
/// call.
pub(crate) struct Bell {
    waker: Waker,
    rung: AtomicBool,
    /// Nobody listens any more.
    gone: AtomicBool,
    /// Messages in the queue.
    waiting: AtomicUsize,
    /// How often the shard has begun anew.
    restarts: AtomicUsize,
}

impl Bell {
    pub(crate) const fn new(waker: Waker) -> Self {
        Self {
            waker,
            rung: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            restarts: AtomicUsize::new(0),
        }
    }

    pub(crate) fn ring(&self) {
        // What was put into a queue or a ring is seen by others before this is.
        fence(Ordering::SeqCst);
        if self.rung.swap(true, Ordering::SeqCst) {
            return;
        }
        if let Err(error) = self.waker.wake() {
            tracing::error!(%error, "a shard cannot be woken; it sees commands with the next datagram");
        }
    }
}

/// The two ends of the queue of `shard`.
pub(crate) fn channel(
    shard: ShardId,
    local_addr: SocketAddr,
    waker: Waker,
) -> (ShardHandle, Inbox) {
    let (sender, queue) = sync_channel(COMMAND_QUEUE);
    let bell = Arc::new(Bell::new(waker));
    let handle = ShardHandle {
        shard,
        local_addr,
        queue: sender,
        bell: Arc::clone(&bell),
    };
    (handle, Inbox { queue, bell })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue() -> (ShardHandle, Inbox, mio::Poll) {
        let poll = mio::Poll::new().unwrap();
        let waker = Waker::new(poll.registry(), mio::Token(0)).unwrap();
        let address = "127.0.0.1:1".parse().unwrap();
        let (handle, inbox) = channel(ShardId(0), address, waker);
        (handle, inbox, poll)
    }

    #[test]
    fn a_flood_is_refused_not_stored() {
        let (handle, inbox, _poll) = queue();
        for _ in 0..COMMAND_QUEUE {
            handle.send(MediaCommand::ReportStats).unwrap();
        }
        assert_eq!(
            handle.send(MediaCommand::ReportStats),
            Err(CommandRefused::QueueFull)
        );
        assert_eq!(handle.waiting(), COMMAND_QUEUE);
        assert!(inbox.poll().is_some());
        assert_eq!(handle.waiting(), COMMAND_QUEUE - 1);
        assert_eq!(handle.send(MediaCommand::ReportStats), Ok(()));
    }

    #[test]
    fn a_gone_shard_says_so() {
        let (handle, inbox, _poll) = queue();
        assert!(handle.is_alive());
        drop(inbox);
        assert!(!handle.is_alive());
        assert_eq!(
            handle.send(MediaCommand::ReportStats),
            Err(CommandRefused::ShardGone)
        );
    }

    #[test]
    fn without_handles_the_shard_stops() {
        let (handle, inbox, _poll) = queue();
        drop(handle);
        assert!(matches!(inbox.poll(), Some(Message::Stop)));
    }
}

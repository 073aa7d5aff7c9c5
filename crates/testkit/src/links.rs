//! The links between simulated shards: a small delay, room for so many packets, and shards that
//! do not look for a while.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use plenum_engine::{LinkMessage, LinkPacket, LinkRefused, Links};
use plenum_types::{LinkFill, LinkNote, ShardId};

/// How all links are.
#[derive(Clone, Copy, Debug)]
pub struct LinkPlan {
    /// From one shard to the next: a wake-up.
    pub delay: Duration,
    /// Packets that fit.
    pub packets: usize,
    /// Notes that fit.
    pub notes: usize,
}

impl Default for LinkPlan {
    fn default() -> Self {
        Self {
            delay: Duration::from_micros(100),
            packets: 1_024,
            notes: 256,
        }
    }
}

/// What one shard has handed to another.
#[derive(Clone, Debug)]
pub enum Handed {
    /// Media.
    Packet(Box<LinkPacket>, Vec<u8>),
    /// Anything else.
    Note(LinkNote),
}

impl Handed {
    /// As the engine takes it.
    pub fn message(&self) -> LinkMessage<'_> {
        match self {
            Self::Packet(packet, bytes) => LinkMessage::Packet(**packet, bytes),
            Self::Note(note) => LinkMessage::Note(*note),
        }
    }
}

#[derive(Debug, Default)]
struct Queue {
    packets: VecDeque<(Instant, Handed)>,
    notes: VecDeque<(Instant, Handed)>,
    /// The reader is busy until then.
    stalled_until: Option<Instant>,
}

/// All links.
#[derive(Debug, Default)]
pub struct ShardLinks {
    /// To be changed at will.
    pub plan: LinkPlan,
    queues: BTreeMap<(ShardId, ShardId), Queue>,
}

/// A shard's end of its links, at a moment.
#[derive(Debug)]
pub struct LinkEnds<'l> {
    links: &'l mut ShardLinks,
    from: ShardId,
    now: Instant,
}

impl ShardLinks {
    /// The end of `from`.
    pub const fn ends(&mut self, from: ShardId, now: Instant) -> LinkEnds<'_> {
        LinkEnds {
            links: self,
            from,
            now,
        }
    }

    /// Shard `to` does not look at what `from` hands over before `until`.
    pub fn stall(&mut self, from: ShardId, to: ShardId, until: Instant) {
        self.queues.entry((from, to)).or_default().stalled_until = Some(until);
    }

    /// When something arrives next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let next = |queue: &Queue| {
            let first = [queue.notes.front(), queue.packets.front()];
            let due = first.into_iter().flatten().map(|(due, _)| *due).min()?;
            Some(queue.stalled_until.map_or(due, |until| due.max(until)))
        };
        self.queues.values().filter_map(next).min()
    }

    /// What has arrived: from whom, for whom, what. Notes overtake media.
    pub fn poll_handed(&mut self, now: Instant) -> Option<(ShardId, ShardId, Handed)> {
        for ((from, to), queue) in &mut self.queues {
            if queue.stalled_until.is_some_and(|until| until > now) {
                continue;
            }
            for kind in [&mut queue.notes, &mut queue.packets] {
                if let Some((_, handed)) = kind.pop_front_if(|(due, _)| *due <= now) {
                    return Some((*from, *to, handed));
                }
            }
        }
        None
    }
}

impl Links for LinkEnds<'_> {
    fn fill(&self, to: ShardId) -> LinkFill {
        let queue = self.links.queues.get(&(self.from, to));
        LinkFill {
            used: queue.map_or(0, |queue| queue.packets.len()),
            capacity: self.links.plan.packets,
        }
    }

    fn try_send(&mut self, to: ShardId, message: LinkMessage<'_>) -> Result<(), LinkRefused> {
        let plan = self.links.plan;
        let queue = self.links.queues.entry((self.from, to)).or_default();
        let (kind, room, handed) = match message {
            LinkMessage::Packet(packet, bytes) => {
                let handed = Handed::Packet(Box::new(packet), bytes.to_vec());
                (&mut queue.packets, plan.packets, handed)
            }
            LinkMessage::Note(note) => (&mut queue.notes, plan.notes, Handed::Note(note)),
        };
        if kind.len() >= room {
            return Err(LinkRefused::Full);
        }
        kind.push_back((self.now + plan.delay, handed));
        Ok(())
    }
}

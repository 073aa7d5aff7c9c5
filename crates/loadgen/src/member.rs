//! The life of one client on the control side: it joins, hands its media to a media thread, stays,
//! steers its slots, and leaves.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use plenum_types::MediaKind;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::{mpsc, watch};

use crate::client::sdp::Description;
use crate::client::{ClientPlan, Clock, Identity};
use crate::io::{ClientId, Command, MediaEvent, Socket};
use crate::measure::JoinTimes;
use crate::offer::Offer;
use crate::scenario::{ClientSpec, Plan};
use crate::signal::{Control, Policy, Remote, Role, Session, SessionEvent, SlotWish, Target};

/// How long signaling may take.
const SIGNALING_TIMEOUT: Duration = Duration::from_secs(15);
/// How long saying goodbye may take.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(3);
/// Sizes at which a viewer shows a slot; the last is not at all.
const SIZES: [(u32, u32); 4] = [(320, 180), (640, 360), (1_280, 720), (0, 0)];

/// What all members share.
pub(crate) struct Shared {
    pub(crate) target: Target,
    pub(crate) plan: Plan,
    pub(crate) identity: Identity,
    pub(crate) clock: Clock,
    pub(crate) seed: u64,
    /// Makes the names of this run's rooms its own.
    pub(crate) run: u32,
    /// One for each media thread.
    pub(crate) threads: Vec<Sender<Command>>,
    pub(crate) events: mpsc::UnboundedSender<MediaEvent>,
    /// Layer switches that the server told of.
    pub(crate) layer_switches: AtomicU64,
    /// Ports of the clients' sockets.
    pub(crate) ports: std::sync::Mutex<std::collections::HashSet<u16>>,
}

impl Shared {
    fn thread(&self, id: ClientId) -> &Sender<Command> {
        &self.threads[id % self.threads.len()]
    }

    fn tell(&self, id: ClientId, command: Command) {
        // A thread that has ended has no clients any more.
        let _ = self.thread(id).send(command);
    }
}

/// What a client's slots show, as the server told.
struct Shown {
    slots: Vec<(SlotWish, Option<u8>)>,
    publications: Vec<(String, MediaKind)>,
}

/// Runs one client until `leave` is true.
pub(crate) async fn run(
    shared: Arc<Shared>,
    id: ClientId,
    spec: ClientSpec,
    leave: watch::Receiver<bool>,
) {
    let joined = tokio::time::timeout(SIGNALING_TIMEOUT, join(&shared, id, &spec)).await;
    let joined = joined.unwrap_or_else(|_| {
        let limit_s = SIGNALING_TIMEOUT.as_secs();
        Err(anyhow::anyhow!("the server did not answer the offer within {limit_s} s"))
    });
    match joined {
        Ok((session, slots)) => stay(&shared, id, &spec, session, slots, leave).await,
        Err(error) => {
            let reason = format!("{error:#}");
            // If nobody listens any more, the run is over.
            let _ = shared.events.send(MediaEvent::Failed { id, reason });
        }
    }
}

async fn join(
    shared: &Shared,
    id: ClientId,
    spec: &ClientSpec,
) -> Result<(Session, Vec<SlotWish>)> {
    let began = Instant::now();
    let seed = shared.seed.wrapping_mul(0x9e37_79b9).wrapping_add(id as u64);
    let mut offer = Offer::new(shared, spec);
    let slots = offer.request.slots.clone();
    let (mut session, remote) = Session::join(&shared.target, offer.request.clone()).await?;
    let (remote, offered) = match remote {
        Remote::Answer(sdp) => (Description::read(&sdp)?, true),
        Remote::Offer(sdp) => {
            let remote = Description::read(&sdp)?;
            offer.local = remote.answered_by(offer.local);
            session.answer(offer.local.write()).await?;
            (remote, false)
        }
    };
    check(&remote, spec)?;
    let socket = open_socket(shared, &remote)?;
    let plan = ClientPlan {
        began,
        times: JoinTimes {
            began: shared.clock.since_start(began),
            subscriber: spec.role != Role::Publisher,
            signaling: Some(began.elapsed()),
            ..JoinTimes::default()
        },
        tracks: offer.tracks(&remote),
        local: offer.local,
        remote,
        offered,
        seed,
    };
    if spec.role != Role::Subscriber && plan.tracks.is_empty() {
        bail!("the server takes no media from {}", spec.identity);
    }
    let plan = Box::new(plan);
    shared.tell(id, Command::Add { id, plan, socket });
    Ok((session, slots))
}

fn check(remote: &Description, spec: &ClientSpec) -> Result<()> {
    if remote.candidates.is_empty() {
        bail!("the server's description has no UDP candidate with a literal address");
    }
    let (audio, video) = spec.slots;
    let sent = remote
        .media
        .iter()
        .filter(|media| media.direction.sends)
        .count();
    if audio + video > 0 && sent == 0 {
        bail!("the server sends nothing to {}", spec.identity);
    }
    Ok(())
}

fn open_socket(shared: &Shared, remote: &Description) -> Result<Socket> {
    let towards: SocketAddr = *remote.candidates.first().context("no candidate")?;
    let socket = Socket::open(towards).context("no UDP socket for a client")?;
    let port = socket.port()?;
    if let Ok(mut ports) = shared.ports.lock() {
        ports.insert(port);
    }
    Ok(socket)
}

async fn stay(
    shared: &Shared,
    id: ClientId,
    spec: &ClientSpec,
    mut session: Session,
    slots: Vec<SlotWish>,
    mut leave: watch::Receiver<bool>,
) {
    let mut shown = Shown {
        slots: slots.into_iter().map(|slot| (slot, None)).collect(),
        publications: Vec::new(),
    };
    let mut rng = SmallRng::seed_from_u64(shared.seed ^ (id as u64) << 20);
    let period = shared.plan.layout_every.filter(|_| spec.role != Role::Publisher);
    let mut changes = period.map(|period| {
        let first = tokio::time::Instant::now() + period.mul_f64(rng.random::<f64>());
        tokio::time::interval_at(first, period)
    });
    loop {
        let change = async {
            match &mut changes {
                Some(changes) => drop(changes.tick().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            event = session.next_event() => {
                if let SessionEvent::Closed { reason } = event {
                    let _ = shared.events.send(MediaEvent::Lost { id, reason });
                    break;
                }
                shown.on_event(shared, id, event);
            }
            () = change => {
                if let Some(wish) = shown.another_layout(&mut rng)
                    && session.send(Control::Slots(vec![wish])).await.is_err()
                {
                    break;
                }
            }
            () = left(&mut leave) => break,
        }
    }
    shared.tell(id, Command::Remove { id });
    let _ = tokio::time::timeout(LEAVE_TIMEOUT, session.leave()).await;
}

/// Waits until it is time to leave, or nobody is there to say so.
async fn left(leave: &mut watch::Receiver<bool>) {
    let _ = leave.wait_for(|leave| *leave).await;
}

impl Shown {
    fn on_event(&mut self, shared: &Shared, id: ClientId, event: SessionEvent) {
        match event {
            SessionEvent::Published { publication, kind } => {
                self.publications.retain(|(known, _)| *known != publication);
                self.publications.push((publication, kind));
            }
            SessionEvent::Unpublished { publication } => {
                self.publications.retain(|(known, _)| *known != publication);
            }
            SessionEvent::SlotChanged { mid, layer } => self.on_slot(shared, id, mid, layer),
            SessionEvent::Closed { .. } => {}
        }
    }

    fn on_slot(&mut self, shared: &Shared, id: ClientId, mid: String, layer: Option<u8>) {
        let slot = self.slots.iter_mut().find(|(slot, _)| slot.mid == mid);
        let Some((_, shown)) = slot else { return };
        let before = std::mem::replace(shown, layer);
        if before.is_some() && layer.is_some() && before != layer {
            shared.layer_switches.fetch_add(1, Ordering::Relaxed);
        }
        if before.is_some() != layer.is_some() {
            let flowing = layer.is_some();
            shared.tell(id, Command::Flowing { id, mid, flowing });
        }
    }

    /// Another size for some video slot, and now and then another publication.
    fn another_layout(&self, rng: &mut SmallRng) -> Option<SlotWish> {
        let video: Vec<&SlotWish> = self
            .slots
            .iter()
            .map(|(slot, _)| slot)
            .filter(|slot| slot.kind == MediaKind::Video)
            .collect();
        let slot = *video.get(rng.random_range(0..video.len().max(1)))?;
        let videos: Vec<&String> = self
            .publications
            .iter()
            .filter(|(_, kind)| *kind == MediaKind::Video)
            .map(|(publication, _)| publication)
            .collect();
        let pinned = videos.get(rng.random_range(0..2 * videos.len().max(1)));
        Some(SlotWish {
            policy: pinned.map_or(Policy::All, |id| Policy::Pinned((*id).clone())),
            size: Some(SIZES[rng.random_range(0..SIZES.len())]),
            ..slot.clone()
        })
    }
}

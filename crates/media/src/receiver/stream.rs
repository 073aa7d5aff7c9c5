//! One stream of a publication: its SSRCs, which packets came and which are missing.

use super::nack::NackList;
use super::statistics::Statistics;
use crate::seen_window::SeenWindow;
use plenum_rtp::{RtpHeader, Templates};
use plenum_types::{DropReason, Encoding, Rid, SequenceExtender, SequenceNumber, Ssrc};
use std::time::Instant;

/// A sequence number this far ahead is a restart and not a loss (RFC 3550 A.1, MAX_DROPOUT).
const LARGEST_JUMP: u64 = 3_000;

/// So many packets in a row from far behind mean that the sender began anew.
const STRAYS: u8 = 3;

/// Which of a stream's two SSRCs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Media,
    Repair,
}

/// An SSRC of the stream now, and the one before, whose late packets must not bring it back.
#[derive(Clone, Copy, Debug, Default)]
struct Identity {
    current: Option<Ssrc>,
    previous: Option<Ssrc>,
}

#[derive(Debug)]
pub(super) struct Stream {
    pub(super) rid: Option<Rid>,
    media: Identity,
    repair: Identity,
    extender: SequenceExtender,
    seen: Option<SeenWindow>,
    pub(super) nack: NackList,
    pub(super) statistics: Statistics,
    /// What Dependency Descriptors refer to.
    pub(super) templates: Templates,
    /// A PLI or FIR is to be sent.
    pub(super) keyframe_wanted: bool,
    /// Sequence number of FIR commands (RFC 5104 §4.3.1.1).
    pub(super) fir_count: u8,
    clock_rate: u32,
    /// Packets in a row from far behind.
    strays: u8,
}

impl Stream {
    pub(super) fn new(encoding: &Encoding, clock_rate: u32) -> Self {
        let identity = |ssrc| Identity {
            current: ssrc,
            previous: None,
        };
        Self {
            rid: encoding.rid,
            media: identity(encoding.ssrc),
            repair: identity(encoding.rtx_ssrc),
            extender: SequenceExtender::default(),
            seen: None,
            nack: NackList::default(),
            statistics: Statistics::new(clock_rate),
            templates: Templates::default(),
            keyframe_wanted: false,
            fir_count: 0,
            clock_rate,
            strays: 0,
        }
    }

    pub(super) fn ssrc(&self, role: Role) -> Option<Ssrc> {
        self.identity(role).current
    }

    /// Whether `ssrc` was replaced by the current one.
    pub(super) fn has_left(&self, role: Role, ssrc: Ssrc) -> bool {
        self.identity(role).previous == Some(ssrc)
    }

    const fn identity(&self, role: Role) -> &Identity {
        match role {
            Role::Media => &self.media,
            Role::Repair => &self.repair,
        }
    }

    /// The SSRCs that the stream had before its publication was negotiated anew, as far as it has
    /// not declared others.
    pub(super) fn resume(&mut self, media: Option<Ssrc>, repair: Option<Ssrc>) {
        self.media.current = self.media.current.or(media);
        self.repair.current = self.repair.current.or(repair);
    }

    /// The stream goes on under another SSRC: with it start sequence numbers and statistics anew.
    /// Returns the SSRC that it left.
    pub(super) fn move_to(&mut self, role: Role, ssrc: Ssrc) -> Option<Ssrc> {
        let identity = match role {
            Role::Media => &mut self.media,
            Role::Repair => &mut self.repair,
        };
        let left = identity.current.replace(ssrc);
        identity.previous = left;
        if role == Role::Media {
            self.restart();
        }
        left
    }

    fn restart(&mut self) {
        self.extender = SequenceExtender::default();
        self.seen = None;
        self.nack.clear();
        self.statistics = Statistics::new(self.clock_rate);
        self.templates = Templates::default();
        self.keyframe_wanted = false;
    }

    /// A media packet, retransmitted or not. Fails if it came before or is too old to tell.
    pub(super) fn on_packet(
        &mut self,
        now: Instant,
        header: &RtpHeader,
        retransmitted: bool,
        nack: bool,
    ) -> Result<(), DropReason> {
        let stray = self.on_sequence(now, header.sequence, nack);
        if stray.is_err() {
            self.restart_if_left_behind(header.sequence, retransmitted);
        } else if !retransmitted {
            self.strays = 0;
        }
        stray?;
        if !retransmitted {
            self.statistics
                .on_packet(now, header.sequence, header.timestamp);
        }
        Ok(())
    }

    /// Packets in a row that are older than any loss could make them are a restart.
    fn restart_if_left_behind(&mut self, sequence: SequenceNumber, retransmitted: bool) {
        let newest = self.extender.newest().unwrap_or_default();
        let behind = SequenceNumber(newest as u16).distance_from(sequence);
        if retransmitted || i64::from(behind) < LARGEST_JUMP.cast_signed() {
            return;
        }
        self.strays += 1;
        if self.strays == STRAYS {
            self.strays = 0;
            self.restart();
        }
    }

    fn on_sequence(
        &mut self,
        now: Instant,
        sequence: SequenceNumber,
        nack: bool,
    ) -> Result<(), DropReason> {
        let extended = self.extender.extend(sequence);
        let Some(seen) = &mut self.seen else {
            self.seen = Some(SeenWindow::starting_at(extended));
            return Ok(());
        };
        let newest = seen.newest();
        if extended > newest + LARGEST_JUMP {
            *seen = SeenWindow::starting_at(extended);
            self.nack.clear();
            self.statistics.skip_to(sequence);
            return Ok(());
        }
        if !seen.is_fresh(extended) {
            return Err(DropReason::Duplicate);
        }
        seen.accept(extended);
        if extended < newest {
            self.nack.on_late_packet(extended);
        } else if nack && extended > newest + 1 {
            let gap = self.nack.on_gap(now, newest + 1, extended);
            self.keyframe_wanted |= gap.is_err();
        }
        Ok(())
    }
}

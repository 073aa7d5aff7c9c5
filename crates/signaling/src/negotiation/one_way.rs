//! Offers of clients that only send (WHIP, RFC 9725) or only receive (WHEP).
//!
//! Invariant: an m-line is answered in the one direction, or the whole offer is refused: a
//! broadcast without its sound is worse than an error (RFC 9725 §4.4.3).

use super::Offer;
use super::section::{Body, Section};
use crate::messages::ErrorCode;
use crate::refusal::Refusal;

/// Which way media flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The client publishes (WHIP).
    Ingest,
    /// The client plays (WHEP).
    Playback,
}

impl Offer {
    /// Leaves one direction of the offer, with RTP and RTCP on one port for good
    /// (RFC 9725 §4.4.1), or says what to change.
    pub(crate) fn narrow(&mut self, way: Way) -> Result<(), Refusal> {
        if !self.sections.iter().any(|section| section.rtp().is_some()) {
            return Err(Refusal::new(
                ErrorCode::SdpInvalid,
                "Offer at least one m-line of audio or video.",
            ));
        }
        self.sections
            .iter_mut()
            .try_for_each(|section| narrow(section, way))
    }
}

fn narrow(section: &mut Section, way: Way) -> Result<(), Refusal> {
    let (mid, offered) = (section.mid, section.offered);
    let rtp = match &mut section.body {
        Body::Rtp(rtp) => rtp,
        Body::Data => return Ok(()),
        Body::Rejected if !offered => return Ok(()),
        Body::Rejected => {
            return Err(Refusal::at(
                ErrorCode::SdpInvalid,
                mid,
                format!(
                    "Leave out the m-line of {}: only audio, video and data channels over DTLS \
                     are taken.",
                    section.kind
                ),
            ));
        }
    };
    let (flows, wanted) = match way {
        Way::Ingest => (rtp.sends, "sendonly"),
        Way::Playback => (rtp.receives, "recvonly"),
    };
    if !flows {
        return Err(Refusal::at(
            ErrorCode::SdpInvalid,
            mid,
            format!("Offer a={wanted} on m-line {mid}."),
        ));
    }
    rtp.sends = way == Way::Ingest;
    rtp.receives = way == Way::Playback;
    rtp.mux_only = true;
    Ok(())
}

//! Rooms that allow some codecs only.

use plenum_types::{Codec, Mid};

use super::Offer;
use super::section::{Body, RtpSection};
use crate::messages::{CodecName, ErrorCode};
use crate::refusal::Refusal;

impl Offer {
    /// Leaves the codecs that `allowed` names; of a kind that it names none of, all.
    pub(crate) fn restrict(&mut self, allowed: &[CodecName]) -> Result<(), Refusal> {
        if allowed.is_empty() {
            return Ok(());
        }
        for section in &mut self.sections {
            if let Body::Rtp(rtp) = &mut section.body {
                restrict(rtp, section.mid, allowed)?;
            }
        }
        Ok(())
    }
}

fn restrict(rtp: &mut RtpSection, mid: Mid, allowed: &[CodecName]) -> Result<(), Refusal> {
    let of_kind: Vec<CodecName> = allowed
        .iter()
        .copied()
        .filter(|codec| codec.kind() == rtp.kind)
        .collect();
    if of_kind.is_empty() {
        return Ok(());
    }
    let is_allowed = |codec: Codec| of_kind.contains(&codec.into());
    rtp.codecs
        .retain(|codec| is_allowed(codec.parameters.codec));
    if rtp.codecs.is_empty() {
        let names: Vec<&str> = of_kind.iter().map(|codec| codec.as_str()).collect();
        return Err(Refusal::at(
            ErrorCode::SdpNoCommonCodec,
            mid,
            format!(
                "Offer {} on m-line {mid}: the room allows nothing else.",
                names.join(" or ")
            ),
        ));
    }
    Ok(())
}

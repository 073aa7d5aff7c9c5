//! How a slot goes from one limit of layers to another within one encoding.
//!
//! Only where a picture starts. Layers are dropped at once. They are taken up where the encoder
//! says that nothing left out is referred to: spatial ones at a keyframe, temporal ones one at a
//! time with a picture of that layer; both, as many as a picture opens, where a Dependency
//! Descriptor tells (AV1 RTP §A.8.1, switch indication).

use plenum_rtp::PayloadDescription;

use crate::limit::LayerLimit;
use crate::publication::Encoding;

/// The limit from the picture on that `first`, its first packet, starts; `None` if it stays, or
/// changes only with a picture that the new limit lets through.
pub(super) fn next_limit(
    now: LayerLimit,
    wanted: LayerLimit,
    encoding: &Encoding,
    first: &PayloadDescription,
) -> Option<LayerLimit> {
    let next = with_temporal(with_spatial(now, wanted, first), wanted, encoding, first);
    encoding
        .limit_for(next)
        .filter(|next| *next != now && next.admits(first.layer))
}

fn with_spatial(now: LayerLimit, wanted: LayerLimit, first: &PayloadDescription) -> LayerLimit {
    let opens = || first.opens.temporal(wanted.spatial);
    if wanted.spatial < now.spatial || first.keyframe {
        return now.with_spatial(wanted.spatial);
    }
    match opens() {
        // What opens the larger pictures opens them with so many of their temporal layers.
        Some(temporal) if wanted.spatial > now.spatial => now
            .with_spatial(wanted.spatial)
            .with_temporal(temporal.min(wanted.temporal)),
        _ => now,
    }
}

fn with_temporal(
    now: LayerLimit,
    wanted: LayerLimit,
    encoding: &Encoding,
    first: &PayloadDescription,
) -> LayerLimit {
    let temporal = first.layer.temporal;
    if wanted.temporal < now.temporal {
        let is_kept = temporal <= wanted.temporal && wanted.temporal < encoding.temporal_top();
        return if is_kept {
            now.with_temporal(wanted.temporal)
        } else {
            now
        };
    }
    let opened = first.opens.temporal(now.spatial).unwrap_or(0);
    let opened = opened.min(wanted.temporal);
    if temporal <= now.temporal && opened > now.temporal {
        return now.with_temporal(opened);
    }
    let is_next = temporal == now.temporal + 1 && temporal <= wanted.temporal;
    if is_next && first.switching_point {
        return now.with_temporal(temporal);
    }
    now
}

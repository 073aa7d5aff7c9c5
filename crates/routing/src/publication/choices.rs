//! What slots may be given of a publication, worst first.
//!
//! Every picture size with all its frames is a choice. Fewer frames are one for the smallest size,
//! before there is no picture at all; and for all sizes where sharpness matters more than motion.

use plenum_types::{ContentHint, LayerId};

use crate::allocate::Choice;
use crate::limit::LayerLimit;
use crate::publication::{Encoding, Publication};

impl Publication {
    /// The choices of a slot that gets temporal layers up to `temporal_limit` at most.
    pub(crate) fn choices(&self, temporal_limit: u8) -> Vec<Choice> {
        let mut choices = Vec::with_capacity(self.encodings.len());
        for (encoding, stream) in (0..).zip(&self.encodings) {
            for spatial in 0..=stream.spatial_top() {
                let frames = if choices.is_empty() || self.content == ContentHint::Detail {
                    stream.frame_rates(spatial)
                } else {
                    0
                };
                for temporal in (0..frames).filter(|temporal| *temporal < temporal_limit) {
                    let limit = stream.limit_of(spatial).with_temporal(temporal);
                    choices.push(self.choice(encoding, stream, limit));
                }
                let limit = stream.limit_of(spatial).with_temporal(temporal_limit);
                choices.push(self.choice(encoding, stream, limit));
            }
        }
        choices
    }

    /// The highest layer of an encoding up to `limit`, as it is told: with simulcast the encodings
    /// are the picture sizes, else the spatial layers are.
    pub(crate) fn layer_id(&self, encoding: u8, limit: LayerLimit) -> LayerId {
        let top = self
            .encoding(encoding)
            .map(|stream| stream.top_layer(limit));
        let top = top.unwrap_or_default();
        if self.encodings.len() > 1 {
            return LayerId {
                spatial: encoding,
                ..top
            };
        }
        top
    }

    fn choice(&self, encoding: u8, stream: &Encoding, limit: LayerLimit) -> Choice {
        let spatial = limit.spatial.min(stream.spatial_top());
        Choice {
            encoding,
            limit,
            layer: self.layer_id(encoding, limit),
            size: stream.size_of(spatial),
            active: stream.flows(spatial),
            bitrate: stream.bitrate(limit),
        }
    }
}

impl Encoding {
    /// All frames of the spatial layers up to `spatial`.
    fn limit_of(&self, spatial: u8) -> LayerLimit {
        if spatial < self.spatial_top() {
            LayerLimit::NONE.with_spatial(spatial)
        } else {
            LayerLimit::NONE
        }
    }

    /// How many lower frame rates can be chosen. None before it is known what they save.
    fn frame_rates(&self, spatial: u8) -> u8 {
        let lowest = self.limit_of(spatial).with_temporal(0);
        if self.bitrate(lowest).is_some() {
            self.temporal_top()
        } else {
            0
        }
    }
}

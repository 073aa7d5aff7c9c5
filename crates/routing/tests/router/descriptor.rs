//! Dependency Descriptors as libwebrtc's scalability structures make them (AV1 RTP, A.8).
//!
//! For each spatial layer four templates: a keyframe, and a frame of each of three temporal layers.

use crate::packets::Content;

const PER_SPATIAL: u8 = 4;

/// The descriptor of one packet.
pub(crate) fn dependency_descriptor(content: &Content) -> Vec<u8> {
    let kind = match content.keyframe {
        true => 0,
        false => 1 + content.temporal,
    };
    let template = content.spatial * PER_SPATIAL + kind;
    let [high, low] = (content.frame as u16).to_be_bytes();
    let flags = u8::from(content.first) << 7 | u8::from(content.last) << 6;
    let mut bytes = vec![flags | template, high, low];
    if content.keyframe && content.first && content.spatial == 0 {
        bytes.extend(structure(content));
    }
    bytes
}

/// The template structure, with a decode target for each layer.
fn structure(content: &Content) -> Vec<u8> {
    let layers = content.spatial_layers;
    let temporal_layers = content.temporal_layers;
    let targets: Vec<(u8, u8)> = (0..layers)
        .flat_map(|spatial| (0..temporal_layers).map(move |temporal| (spatial, temporal)))
        .collect();
    let templates: Vec<(u8, u8, bool)> = (0..layers)
        .flat_map(|spatial| {
            [(0, true), (0, false), (1, false), (2, false)].map(|(t, key)| (spatial, t, key))
        })
        .collect();
    // Structure present, four flags clear; offset 0; decode targets.
    let mut bits = Bits::default();
    bits.put(0b10000, 5);
    bits.put(0, 6);
    bits.put(targets.len() as u64 - 1, 5);
    for (at, (_, temporal, key)) in templates.iter().enumerate() {
        let next = match (at + 1 == templates.len(), *key, *temporal) {
            (true, ..) => 3,
            (_, true, _) => 0,
            (_, _, 2) => 2,
            _ => 1,
        };
        bits.put(next, 2);
    }
    for template in &templates {
        for target in &targets {
            bits.put(indication(*template, *target, content.key_only), 2);
        }
    }
    // No frame differences, no chains: a zero of ns(targets + 1).
    for _ in &templates {
        bits.put(0, 1);
    }
    bits.put(0, (targets.len() + 1).ilog2());
    bits.put(1, 1);
    for spatial in 0..layers {
        bits.put((320 << content.scale << spatial) - 1, 16);
        bits.put((180 << content.scale << spatial) - 1, 16);
    }
    bits.bytes()
}

/// 0 not present, 1 discardable, 2 switch, 3 required.
fn indication((spatial, temporal, key): (u8, u8, bool), target: (u8, u8), key_only: bool) -> u64 {
    if target.0 < spatial || target.1 < temporal {
        return 0;
    }
    match target.0 > spatial {
        true if key => 2,
        true if key_only => 0,
        true => 3,
        false if temporal > 0 && target.1 == temporal => 1,
        false => 2,
    }
}

#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn put(&mut self, value: u64, count: u32) {
        self.0
            .extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
    }

    fn bytes(&self) -> Vec<u8> {
        let byte = |bits: &[bool]| {
            let placed = bits.iter().enumerate();
            placed.fold(0, |byte, (at, bit)| byte | u8::from(*bit) << (7 - at))
        };
        self.0.chunks(8).map(byte).collect()
    }
}

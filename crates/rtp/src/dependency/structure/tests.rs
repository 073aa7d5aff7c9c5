use super::*;
use crate::bits::writer::BitWriter;

/// Mandatory fields of the start of frame 7.
fn descriptor(template_id: u64) -> BitWriter {
    BitWriter::new()
        .bits(1, 1)
        .bits(0, 1)
        .bits(template_id, 6)
        .bits(7, 16)
}

/// L2T2 in short: two spatial layers of two temporal layers each, template ids from 60 on (so
/// that they wrap), three decode targets, one chain, two sizes.
fn structure() -> BitWriter {
    let mut writer = descriptor(60).bits(0b10000, 5).bits(60, 6).bits(2, 5);
    // Layers: S0T0, S0T0 again, S0T1, S1T0, S1T1.
    for next in [0, 1, 2, 1, 3] {
        writer = writer.bits(next, 2);
    }
    // Indications, three per template: 0 not present, 1 discardable, 2 switch, 3 required.
    for indications in [0b10_10_10, 0b11_11_11, 0b00_01_01, 0b00_10_10, 0b00_00_01] {
        writer = writer.bits(indications, 6);
    }
    // Frame differences, each announced by a 1: none, 4, 2, (1, 4), 2.
    for differences in [&[][..], &[4], &[2], &[1, 4], &[2]] {
        for difference in differences {
            writer = writer.bits(1, 1).bits(difference - 1, 4);
        }
        writer = writer.bits(0, 1);
    }
    // ns(4): one chain; it protects every target (ns(1) takes no bits); 4 bits per template.
    writer = writer.bits(1, 2).bits(0x04213, 20);
    let sizes = writer.bits(1, 1).bits(319, 16).bits(179, 16);
    sizes.bits(639, 16).bits(359, 16)
}

fn parse(bytes: &[u8]) -> (TemplateStructure, FrameDependencies) {
    TemplateStructure::parse(bytes).unwrap().unwrap()
}

fn layer(spatial: u8, temporal: u8) -> LayerId {
    LayerId { spatial, temporal }
}

#[test]
fn a_structure_is_read_to_its_end() {
    let bytes = structure().bytes();
    let (structure, frame) = parse(&bytes);
    assert_eq!(structure.decode_targets(), 3);
    assert_eq!(structure.chains(), 1);
    assert_eq!(structure.max_spatial(), 1);
    assert_eq!(
        structure.resolution(0),
        Some(Pixels {
            width: 320,
            height: 180
        })
    );
    assert_eq!(
        structure.resolution(1),
        Some(Pixels {
            width: 640,
            height: 360
        })
    );
    assert_eq!(structure.resolution(2), None);
    assert_eq!(frame.layer, layer(0, 0));
    assert_eq!(frame.active_decode_targets, Some(0b111));
    assert_eq!(frame.indication(0), Indication::Switch);
    for end in 4..bytes.len() {
        assert_eq!(
            TemplateStructure::parse(&bytes[..end]),
            Err(ParseError::BadDependencyDescriptor)
        );
    }
}

#[test]
fn template_ids_wrap() {
    let (structure, _) = parse(&structure().bytes());
    let layers = [60, 61, 62, 63, 0, 1].map(|id| structure.layer(id));
    let expected = [
        layer(0, 0),
        layer(0, 0),
        layer(0, 1),
        layer(1, 0),
        layer(1, 1),
    ];
    assert_eq!(layers[..5], expected.map(Some));
    assert_eq!(layers[5], None);
}

#[test]
fn later_frames_follow_their_template() {
    let (structure, _) = parse(&structure().bytes());
    let frame = structure.frame(&descriptor(62).bytes()).unwrap();
    assert_eq!(frame.layer, layer(0, 1));
    assert_eq!(frame.active_decode_targets, None);
    assert_eq!(frame.indication(0), Indication::NotPresent);
    assert_eq!(frame.indication(1), Indication::Discardable);
    assert_eq!(frame.indication(200), Indication::NotPresent);
    let unknown = structure.frame(&descriptor(1).bytes());
    assert_eq!(unknown, Err(ParseError::BadDependencyDescriptor));
}

#[test]
fn custom_fields_replace_those_of_the_template() {
    let (structure, _) = parse(&structure().bytes());
    let writer = descriptor(63)
        .bits(0b01111, 5)
        .bits(0b011, 3)
        .bits(0b00_11_10, 6);
    // Differences of 4, 8 and 12 bits, then one chain.
    let writer = writer
        .bits(1, 2)
        .bits(3, 4)
        .bits(2, 2)
        .bits(9, 8)
        .bits(3, 2)
        .bits(9, 12);
    let bytes = writer.bits(0, 2).bits(200, 8).bytes();
    let frame = structure.frame(&bytes).unwrap();
    assert_eq!(frame.layer, layer(1, 0));
    assert_eq!(frame.active_decode_targets, Some(0b011));
    assert_eq!(frame.indication(1), Indication::Required);
    assert_eq!(frame.indication(2), Indication::Switch);
    let cut = structure.frame(&bytes[..bytes.len() - 1]);
    assert_eq!(cut, Err(ParseError::BadDependencyDescriptor));
}

#[test]
fn impossible_layers_are_refused() {
    let spatial = [2, 2, 2, 2, 3];
    let temporal = [1; 9];
    let endless = [0; 80];
    for next in [&spatial[..], &temporal[..], &endless[..]] {
        let start = descriptor(0).bits(0b10000, 5).bits(0, 6).bits(0, 5);
        let writer = next
            .iter()
            .fold(start, |writer, next| writer.bits(*next, 2));
        // Enough zeros for whatever would follow.
        assert_eq!(
            TemplateStructure::parse(&[writer.bytes(), vec![0; 32]].concat()),
            Err(ParseError::BadDependencyDescriptor)
        );
    }
}

#[test]
fn a_structure_where_none_is_expected_is_refused() {
    let bytes = structure().bytes();
    let (structure, _) = parse(&bytes);
    assert_eq!(
        structure.frame(&bytes),
        Err(ParseError::BadDependencyDescriptor)
    );
    assert_eq!(TemplateStructure::parse(&descriptor(60).bytes()), Ok(None));
}

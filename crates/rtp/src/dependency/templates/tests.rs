use super::*;
use crate::bits::writer::BitWriter;

/// What the indications of a template look like in the order of decode targets.
const NOT_PRESENT: u64 = 0;
const DISCARDABLE: u64 = 1;
const SWITCH: u64 = 2;
const REQUIRED: u64 = 3;

fn mandatory(template_id: u64, number: u16) -> BitWriter {
    BitWriter::new()
        .bits(0b11, 2)
        .bits(template_id, 6)
        .bits(u64::from(number), 16)
}

fn frame(template_id: u64, number: u16) -> Vec<u8> {
    mandatory(template_id, number).bytes()
}

/// A keyframe with a structure: for each template what leads to the next layer, and its
/// indications. No chains, no sizes.
fn keyframe(first_id: u64, number: u16, templates: &[(u64, &[u64])]) -> Vec<u8> {
    let targets = templates[0].1.len() as u64;
    let mut writer = mandatory(first_id, number)
        .bits(0b10000, 5)
        .bits(first_id, 6)
        .bits(targets - 1, 5);
    for (next, _) in templates {
        writer = writer.bits(*next, 2);
    }
    for indication in templates.iter().flat_map(|(_, indications)| *indications) {
        writer = writer.bits(*indication, 2);
    }
    writer = templates.iter().fold(writer, |writer, _| writer.bits(0, 1));
    // ns(targets + 1) of zero takes the bits of all zeros, at most six.
    writer.bits(0, 8).bytes()
}

/// Three temporal layers: what the lowest opens, the middle does too for the highest.
fn l1t3(first_id: u64, number: u16) -> Vec<u8> {
    keyframe(
        first_id,
        number,
        &[
            (1, &[SWITCH, SWITCH, SWITCH]),
            (1, &[NOT_PRESENT, DISCARDABLE, SWITCH]),
            (3, &[NOT_PRESENT, NOT_PRESENT, DISCARDABLE]),
        ],
    )
}

/// Two spatial layers of one temporal each, then of two: S0T0, S0T1, S1T0, S1T1.
fn l2t2(first_id: u64, number: u16) -> Vec<u8> {
    keyframe(
        first_id,
        number,
        &[
            (1, &[SWITCH, SWITCH, REQUIRED, REQUIRED]),
            (2, &[NOT_PRESENT, DISCARDABLE, NOT_PRESENT, REQUIRED]),
            (1, &[NOT_PRESENT, NOT_PRESENT, SWITCH, SWITCH]),
            (3, &[NOT_PRESENT, NOT_PRESENT, NOT_PRESENT, DISCARDABLE]),
        ],
    )
}

fn role(templates: &mut Templates, bytes: &[u8]) -> FrameRole {
    templates.on_descriptor(bytes).unwrap().unwrap()
}

fn layer(spatial: u8, temporal: u8) -> LayerId {
    LayerId { spatial, temporal }
}

#[test]
fn later_frames_have_the_layers_of_their_templates() {
    let mut templates = Templates::default();
    let key = role(&mut templates, &l1t3(10, 65_530));
    assert_eq!((key.layer, key.opens), (layer(0, 0), Opened::all_up_to(2)));
    let expected = [
        (10, layer(0, 0), Opened::all_up_to(2), false),
        (11, layer(0, 1), Opened::all_up_to(2), false),
        (12, layer(0, 2), Opened::default(), true),
    ];
    for (number, (id, layer, opens, discardable)) in (65_531_u16..).zip(expected) {
        let role = role(&mut templates, &frame(id, number));
        let expected = FrameRole {
            layer,
            opens,
            discardable,
        };
        assert_eq!(role, expected, "template {id}");
    }
    // Frame numbers have wrapped.
    assert_eq!(role(&mut templates, &frame(11, 3)).layer, layer(0, 1));
}

#[test]
fn what_a_frame_opens_depends_on_the_largest_picture_that_one_gets() {
    let mut templates = Templates::default();
    let opens = role(&mut templates, &l2t2(0, 1)).opens;
    assert_eq!((opens.temporal(0), opens.temporal(1)), (Some(1), None));
    assert_eq!(opens.top_temporal(), None);
    assert_eq!(
        role(&mut templates, &frame(2, 2)).opens.top_temporal(),
        Some(1)
    );
    assert!(!role(&mut templates, &frame(1, 3)).discardable);
    assert!(role(&mut templates, &frame(3, 4)).discardable);
    // The upper layer pauses: a mask of the two lower targets.
    let paused = mandatory(0, 5).bits(0b01000, 5).bits(0b0011, 4).bytes();
    assert_eq!(role(&mut templates, &paused).opens.top_temporal(), Some(1));
    assert_eq!(
        role(&mut templates, &frame(0, 6)).opens.top_temporal(),
        Some(1)
    );
    // A late frame from before does not bring it back.
    let late = mandatory(0, 4).bits(0b01000, 5).bits(0b1111, 4).bytes();
    role(&mut templates, &late);
    assert_eq!(
        role(&mut templates, &frame(0, 7)).opens.top_temporal(),
        Some(1)
    );
}

#[test]
fn a_frame_whose_template_is_not_known_has_no_role() {
    let mut templates = Templates::default();
    assert_eq!(templates.on_descriptor(&frame(11, 5)), Ok(None));
    role(&mut templates, &l1t3(10, 6));
    assert_eq!(templates.on_descriptor(&frame(13, 7)), Ok(None));
    assert_eq!(templates.on_descriptor(&frame(9, 7)), Ok(None));
}

#[test]
fn a_frame_from_before_the_structure_is_not_read_by_it() {
    let mut templates = Templates::default();
    role(&mut templates, &l1t3(10, 100));
    role(&mut templates, &l2t2(10, 200));
    assert_eq!(templates.on_descriptor(&frame(12, 199)), Ok(None));
    assert_eq!(role(&mut templates, &frame(12, 201)).layer, layer(1, 0));
}

#[test]
fn a_late_structure_does_not_replace_a_newer_one() {
    let mut templates = Templates::default();
    role(&mut templates, &l2t2(10, 200));
    assert_eq!(
        role(&mut templates, &l1t3(10, 100)).opens.top_temporal(),
        Some(2)
    );
    assert_eq!(role(&mut templates, &frame(12, 201)).layer, layer(1, 0));
    // Frame numbers that begin anew are another stream's.
    role(&mut templates, &l1t3(10, 60_000));
    assert_eq!(role(&mut templates, &frame(12, 60_001)).layer, layer(0, 2));
}

#[test]
fn a_malformed_descriptor_is_refused_and_changes_nothing() {
    let mut templates = Templates::default();
    let whole = l1t3(10, 1);
    for end in 0..7 {
        let refused = templates.on_descriptor(&whole[..end]);
        let refused_or_unknown = matches!(refused, Err(ParseError::BadDependencyDescriptor))
            || (end == 3 && refused == Ok(None));
        assert!(refused_or_unknown, "{end}: {refused:?}");
        assert!(templates.structure().is_none());
    }
    role(&mut templates, &whole);
    // It says that a mask follows, and ends.
    let cut = mandatory(10, 2).bits(0b01111, 5).bytes();
    assert_eq!(
        templates.on_descriptor(&cut),
        Err(ParseError::BadDependencyDescriptor)
    );
    assert_eq!(role(&mut templates, &frame(12, 3)).layer, layer(0, 2));
}

//! The streams of a publication: simulcast by rid (RFC 8851, RFC 8853), or by declared SSRCs
//! (RFC 5576).

use plenum_types::{Encoding, Rid, Ssrc};

use crate::sdp::Media;

/// Most encodings of one publication. Browsers send at most three.
const MAX_ENCODINGS: usize = 8;
/// Entries of an `a=simulcast` list that are looked at. More would only cost time.
const MAX_LISTED: usize = 4 * MAX_ENCODINGS;

/// The streams an m-line will carry, in the order of its lines. Never empty.
pub(crate) fn read(media: &Media<'_>) -> Vec<Encoding> {
    let rids = read_rids(media);
    if !rids.is_empty() {
        return rids
            .into_iter()
            .map(|rid| Encoding {
                rid: Some(rid),
                ..Encoding::default()
            })
            .collect();
    }
    read_ssrcs(media)
}

/// Whether the m-line offers simulcast by `a=simulcast:send`.
pub(crate) fn offers_simulcast(media: &Media<'_>) -> bool {
    simulcast_send(media).is_some()
}

/// The rids to be sent: in the order of `a=simulcast` if there is one, else of `a=rid`.
fn read_rids(media: &Media<'_>) -> Vec<Rid> {
    let declared: Vec<&str> = media
        .attributes
        .values("rid")
        .filter_map(|value| {
            let mut words = value.split_ascii_whitespace();
            let rid = words.next()?;
            (words.next() == Some("send")).then_some(rid)
        })
        .collect();
    let ordered: Vec<&str> = match simulcast_send(media) {
        Some(list) => list
            .split(';')
            .take(MAX_LISTED)
            .filter_map(first_alternative)
            .filter(|rid| declared.contains(rid))
            .collect(),
        None => declared,
    };
    let mut rids: Vec<Rid> = Vec::new();
    for rid in ordered.into_iter().filter_map(|rid| Rid::new(rid).ok()) {
        if rids.len() < MAX_ENCODINGS && !rids.contains(&rid) {
            rids.push(rid);
        }
    }
    rids
}

/// The list after `send` of `a=simulcast:[recv <list>] send <list>`.
fn simulcast_send<'a>(media: &Media<'a>) -> Option<&'a str> {
    let mut words = media
        .attributes
        .value("simulcast")?
        .split_ascii_whitespace();
    words.find(|word| *word == "send")?;
    // Early drafts wrote `send rid=a;b`.
    words.next().map(|list| list.trim_start_matches("rid="))
}

/// Of alternatives `a,b` the first; `~` marks a stream that starts paused.
fn first_alternative(stream: &str) -> Option<&str> {
    stream
        .split(',')
        .next()
        .map(|rid| rid.trim_start_matches('~'))
        .filter(|rid| !rid.is_empty())
}

fn read_ssrcs(media: &Media<'_>) -> Vec<Encoding> {
    let mut primaries = group(media, "SIM").next().unwrap_or_default();
    let repairs: Vec<Vec<Ssrc>> = group(media, "FID").collect();
    if primaries.is_empty() {
        let first = repairs.first().and_then(|pair| pair.first().copied());
        primaries.extend(first.or_else(|| first_ssrc(media)));
    }
    primaries.truncate(MAX_ENCODINGS);
    if primaries.is_empty() {
        return vec![Encoding::default()];
    }
    let rtx_of = |ssrc| {
        repairs
            .iter()
            .find(|pair| pair.len() == 2 && pair[0] == ssrc)
            .map(|pair| pair[1])
    };
    primaries
        .into_iter()
        .map(|ssrc| Encoding {
            ssrc: Some(ssrc),
            rtx_ssrc: rtx_of(ssrc),
            ..Encoding::default()
        })
        .collect()
}

/// The SSRCs of each `a=ssrc-group:<semantics>`.
fn group<'a>(media: &'a Media<'a>, semantics: &'a str) -> impl Iterator<Item = Vec<Ssrc>> + 'a {
    media
        .attributes
        .values("ssrc-group")
        .filter_map(move |value| {
            let mut words = value.split_ascii_whitespace();
            (words.next() == Some(semantics)).then(|| {
                words
                    .filter_map(|word| word.parse().ok().map(Ssrc))
                    .collect()
            })
        })
}

fn first_ssrc(media: &Media<'_>) -> Option<Ssrc> {
    let value = media.attributes.value("ssrc")?;
    value
        .split_ascii_whitespace()
        .next()?
        .parse()
        .ok()
        .map(Ssrc)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::Session;

    fn encodings(lines: &str) -> Vec<Encoding> {
        let text = format!("v=0\nm=video 9 X 96\n{lines}");
        read(&Session::read(&text).unwrap().media[0])
    }

    fn rids(lines: &str) -> Vec<String> {
        encodings(lines)
            .iter()
            .map(|encoding| encoding.rid.map_or_else(String::new, |rid| rid.to_string()))
            .collect()
    }

    #[test]
    fn simulcast_line_gives_the_order() {
        let declared = "a=rid:q send\na=rid:h send pt=96\na=rid:f send\na=rid:r recv\n";
        assert_eq!(
            rids(&format!("{declared}a=simulcast:send f;~h,x;q")),
            ["f", "h", "q"]
        );
        assert_eq!(
            rids(&format!("{declared}a=simulcast:recv r send q;h")),
            ["q", "h"]
        );
        assert_eq!(
            rids(&format!("{declared}a=simulcast: send rid=h;q")),
            ["h", "q"]
        );
        assert_eq!(rids(declared), ["q", "h", "f"]);
        assert_eq!(rids(&format!("{declared}a=simulcast:send q;q;none")), ["q"]);
    }

    #[test]
    fn ssrcs_are_taken_when_there_are_no_rids() {
        let plain = encodings("a=ssrc-group:FID 1 2\na=ssrc:1 cname:x\na=ssrc:2 cname:x");
        assert_eq!(
            (plain[0].ssrc, plain[0].rtx_ssrc),
            (Some(Ssrc(1)), Some(Ssrc(2)))
        );
        let simulcast = encodings("a=ssrc-group:SIM 1 2 3\na=ssrc-group:FID 2 20");
        assert_eq!(simulcast.len(), 3);
        assert_eq!(simulcast[1].rtx_ssrc, Some(Ssrc(20)));
        assert_eq!(encodings("a=ssrc:7 cname:x")[0].ssrc, Some(Ssrc(7)));
        assert_eq!(encodings("a=ssrc:x"), [Encoding::default()]);
    }
}

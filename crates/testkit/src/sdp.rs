//! As much SDP as a scenario needs: reading the offers of our own simulated clients.

use plenum_types::{ExtensionKind, ExtensionMap};

/// The header extensions that a description names, over all its sections.
pub(crate) fn extensions(description: &str) -> ExtensionMap {
    let mut map = ExtensionMap::new();
    for value in description
        .lines()
        .filter_map(|line| line.strip_prefix("a=extmap:"))
    {
        let mut words = value.split_ascii_whitespace();
        let id = words.next().and_then(|id| id.split('/').next());
        let kind = words.next().and_then(ExtensionKind::from_uri);
        if let (Some(Ok(id)), Some(kind)) = (id.map(str::parse), kind) {
            map.set(kind, id);
        }
    }
    map
}

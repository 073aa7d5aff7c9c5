//! Names of the media plane as messages spell them.

/// `waiting_for_keyframe` → `waitingForKeyframe`.
pub(crate) fn camel_case(snake: &str) -> String {
    let mut words = snake.split('_');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (head, tail) = word.split_at(word.len().min(1));
        out.push_str(&head.to_ascii_uppercase());
        out.push_str(tail);
    }
    out
}

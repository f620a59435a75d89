//! Makes foreign text fit for output: no credentials, no control characters, no floods.
//!
//! Messages of libgit2 and of remote servers may quote a URL with its password, and a hostile server may send
//! terminal escape sequences.

/// Longest text kept, in characters.
const LONGEST: usize = 500;

/// `text` in one line, without `secrets`, without the `user:password@` of URLs, without control characters
/// and terminal escape sequences.
pub(super) fn scrub(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|s| !s.is_empty()) {
        text = text.replace(secret, "***");
    }
    without_userinfo(&without_escapes(&text)).trim().chars().take(LONGEST).collect()
}

/// `text` with the user information of every URL in it left out: `https://u:p@host/x` → `https://host/x`.
pub(super) fn without_userinfo(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        clean.push_str(before);
        let end = after.find(['/', '?', '#', ' ', '\'', '"', '`', '\n']).unwrap_or(after.len());
        let host = after[..end].rfind('@').map_or(0, |i| i + 1);
        rest = &after[host..];
    }
    clean.push_str(rest);
    clean
}

/// Drops ECMA-48 sequences (`ESC [ … final`, `ESC ] … BEL`, `ESC x`); other control characters become spaces.
fn without_escapes(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => match chars.next() {
                Some('[') => while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
                Some(']') => while chars.next().is_some_and(|c| c != '\u{7}' && c != '\u{1b}') {},
                _ => {}
            },
            c if c.is_control() => clean.push(' '),
            // Bidirectional overrides can make a text read as something else.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c => clean.push(c),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_go() {
        let text = "failed 'https://bot:hunter2@git.example/x.git' and ssh://a@b/c, token tok3n";
        assert_eq!(
            scrub(text, &["tok3n", ""]),
            "failed 'https://git.example/x.git' and ssh://b/c, token ***"
        );
    }

    #[test]
    fn a_password_with_an_at_sign_goes_whole() {
        assert_eq!(without_userinfo("https://u:p@ss@host/x@y"), "https://host/x@y");
    }

    #[test]
    fn escapes_and_controls_go() {
        assert_eq!(scrub("\u{1b}[31mred\u{1b}[0m\u{1b}]0;title\u{7}\r\nnext\u{0}", &[]), "red  next");
    }

    #[test]
    fn floods_are_cut() {
        assert_eq!(scrub(&"é".repeat(2000), &[]).chars().count(), LONGEST);
    }
}

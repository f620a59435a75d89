//! Keyed fingerprints: what may be shown or stored in place of a secret.
//!
//! A plain hash of a short password can be reversed by trying; an HMAC under a key that stays in the cluster
//! cannot. Used for the annotation of pod templates that refer to a Secret, and for Secrets in saved plans.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// HMAC-SHA256 (RFC 2104) block size in bytes.
const BLOCK: usize = 64;

/// HMAC-SHA256 over `parts` under `key`, as 64 lower-case hex digits.
///
/// Every part is preceded by its length (8 bytes, big endian), so that `["ab", "c"]` and `["a", "bc"]` differ.
pub fn hmac_hex(key: &[u8], parts: &[&[u8]]) -> String {
    hex(&hmac(key, parts))
}

/// As [`hmac_hex`], the bytes themselves.
pub fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = keyed(key);
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// RFC 2104's key preparation by hand: a key longer than a block is hashed first. It makes the constructor
/// one that cannot fail.
fn keyed(key: &[u8]) -> Hmac<Sha256> {
    let mut block = Zeroizing::new([0_u8; BLOCK]);
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    Hmac::<Sha256>::new((&*block).into())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(key: &[u8], data: &[u8]) -> String {
        let mut mac = keyed(key);
        mac.update(data);
        hex(&mac.finalize().into_bytes())
    }

    /// RFC 4231, cases 2 (short key) and 6 (key longer than a block).
    #[test]
    fn agrees_with_rfc_4231() {
        assert_eq!(
            plain(b"Jefe", b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            plain(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn parts_are_length_prefixed() {
        let mut joined = 2_u64.to_be_bytes().to_vec();
        joined.extend(b"ab");
        joined.extend(1_u64.to_be_bytes());
        joined.extend(b"c");
        assert_eq!(hmac_hex(b"k", &[b"ab", b"c"]), plain(b"k", &joined));
        assert_ne!(hmac_hex(b"k", &[b"ab", b"c"]), hmac_hex(b"k", &[b"a", b"bc"]));
        assert_ne!(hmac_hex(b"k", &[]), hmac_hex(b"k", &[b""]));
        assert_ne!(hmac_hex(b"k", &[b"ab"]), hmac_hex(b"l", &[b"ab"]));
    }
}

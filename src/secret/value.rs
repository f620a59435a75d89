//! A secret's bytes, in a type that erases them when dropped and offers no way to print them.

use std::fmt;

use zeroize::Zeroizing;

/// The bytes of one secret. Erased when dropped; `Debug` shows neither content nor length.
#[derive(Clone)]
pub struct SecretValue(Zeroizing<Vec<u8>>);

impl SecretValue {
    /// Takes the bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes. Where this is called, the value leaves its shelter: never towards an output.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_the_content() {
        let short = format!("{:?}", SecretValue::new(b"x".to_vec()));
        let long = format!("{:?}", Some(SecretValue::new(b"hunter2-hunter2".to_vec())));
        assert!(!long.contains("hunter2") && !long.contains("104"), "{long}");
        assert_eq!(format!("Some({short})"), long);
    }

    #[test]
    fn expose_gives_the_bytes_back() {
        assert_eq!(SecretValue::new(vec![0, 255, 10]).expose(), [0, 255, 10]);
    }
}

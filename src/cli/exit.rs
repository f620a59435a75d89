//! Exit codes, the same for every command.

/// How a command ended. Over several clusters the most serious counts: see [`Exit::worst`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything is as asked.
    Fine,
    /// Something failed.
    Failed,
    /// The arguments make no sense.
    Usage,
    /// Changes are pending (`diff --exit-code`).
    Changes,
    /// Refused for safety: nothing was written to that cluster.
    Refused,
    /// SIGINT or SIGTERM.
    Interrupted,
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Changes => 3,
            Self::Refused => 4,
            Self::Interrupted => 130,
        }
    }

    /// The more serious of two.
    #[must_use]
    pub fn worst(self, other: Self) -> Self {
        let rank = |exit: Self| match exit {
            Self::Fine => 0,
            Self::Changes => 1,
            Self::Refused => 2,
            Self::Failed => 3,
            Self::Usage => 4,
            Self::Interrupted => 5,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::Exit::{Changes, Failed, Fine, Refused};

    #[test]
    fn over_several_clusters_the_most_serious_counts() {
        assert_eq!(Fine.worst(Changes), Changes);
        assert_eq!(Changes.worst(Refused), Refused);
        assert_eq!(Failed.worst(Refused), Failed);
    }
}

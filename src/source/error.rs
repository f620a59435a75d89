//! What can go wrong between a location and the bytes of a file.
//!
//! Messages name paths relative to the tree's root and locations without credentials. What lies outside the
//! root is never described: a link that leads out gives one error, whether its target exists or not.

use std::path::PathBuf;

use crate::diagnostic::Diagnostic;

/// Why a tree could not be opened or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text does not say where a landscape is.
    #[error("`{text}` is not a usable location: {reason}")]
    Location {
        /// The location as given, without credentials.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A path that is not relative and beneath the root.
    #[error("`{path}` is not a path within the landscape: {reason}")]
    Path {
        /// As asked for.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A symbolic link leads out of the root (or is absolute).
    #[error("`{path}` leads out of `{origin}` through the symbolic link `{link}`")]
    Outside {
        /// As asked for.
        path: String,
        /// The link.
        link: String,
        /// The tree.
        origin: String,
    },
    /// More symbolic links than anybody needs, or a folder inside itself.
    #[error("`{path}` never ends: its symbolic links form a loop")]
    LinkLoop {
        /// As asked for.
        path: String,
    },
    /// Nothing is there.
    #[error("`{path}` does not exist in `{origin}`")]
    NotFound {
        /// As asked for.
        path: String,
        /// The tree.
        origin: String,
    },
    /// A folder where a file is needed, or the other way round, or a device.
    #[error("`{path}` is not {wanted}")]
    Kind {
        /// As asked for.
        path: String,
        /// `a file` or `a directory`.
        wanted: &'static str,
    },
    /// A git submodule or another repository inside the tree.
    #[error("`{path}` belongs to another git repository (`{repository}` is a submodule or a nested clone)")]
    NestedRepository {
        /// As asked for.
        path: String,
        /// Where the other repository begins.
        repository: String,
    },
    /// One file over the limit.
    #[error("`{path}` is larger than {limit} bytes")]
    TooLarge {
        /// As asked for.
        path: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// All files read together over the limit.
    #[error("the files read from `{origin}` are larger than {limit} bytes together")]
    TooLargeTogether {
        /// The tree.
        origin: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// Too many entries in one listing.
    #[error("`{path}` holds more than {limit} entries")]
    TooMany {
        /// The folder.
        path: String,
        /// The limit.
        limit: usize,
    },
    /// Content or a name that is not UTF-8.
    #[error("{what} `{path}` is not UTF-8 text")]
    NotText {
        /// `the file` or `the name of`.
        what: &'static str,
        /// The file.
        path: String,
    },
    /// The operating system refused.
    #[error("cannot read `{path}`")]
    Unreadable {
        /// What was read.
        path: String,
        /// The cause.
        source: std::io::Error,
    },
    /// A revision is asked of something that is not in git.
    #[error("`{origin}` is not in a git repository")]
    NotGit {
        /// The location.
        origin: String,
    },
    /// A git repository that cannot be used.
    #[error("cannot use the git repository of `{origin}`: {detail}")]
    Repository {
        /// The location.
        origin: String,
        /// Git's words, scrubbed.
        detail: String,
    },
    /// No such branch, tag or commit.
    #[error("`{revision}` is not a branch, tag or commit of `{origin}`")]
    Revision {
        /// As given.
        revision: String,
        /// The repository.
        origin: String,
    },
    /// A form of revision that is not understood, or not taken.
    #[error("`{revision}` cannot be used as a revision: {reason}")]
    RevisionForm {
        /// As given.
        revision: String,
        /// Why.
        reason: &'static str,
    },
    /// A name that stands for two commits.
    #[error("`{revision}` is ambiguous in `{origin}`: {detail}")]
    Ambiguous {
        /// As given.
        revision: String,
        /// The repository.
        origin: String,
        /// What it may mean.
        detail: String,
    },
    /// The history needed for an answer was never fetched.
    #[error("`{origin}` is a shallow clone, which does not show whether `{commit}` is part of this revision")]
    Shallow {
        /// The repository.
        origin: String,
        /// The commit in question.
        commit: String,
    },
    /// The remote repository could not be reached or read.
    #[error("cannot fetch from `{origin}`: {detail}")]
    Fetch {
        /// The URL without credentials.
        origin: String,
        /// Git's words, scrubbed.
        detail: String,
        /// What to do about it.
        advice: &'static str,
    },
    /// The local cache of git repositories.
    #[error("cannot use the git cache `{}`", path.display())]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
}

impl Error {
    /// The stable code, documented in docs/errors.md.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Location { .. } => "source-location",
            Self::Path { .. } => "source-path",
            Self::Outside { .. } => "source-outside",
            Self::LinkLoop { .. } => "source-link-loop",
            Self::NotFound { .. } => "source-not-found",
            Self::Kind { .. } => "source-kind",
            Self::NestedRepository { .. } => "source-nested-repository",
            Self::TooLarge { .. } | Self::TooLargeTogether { .. } | Self::TooMany { .. } => {
                "source-too-large"
            }
            Self::NotText { .. } => "source-not-text",
            Self::Unreadable { .. } => "source-unreadable",
            Self::NotGit { .. } => "source-not-git",
            Self::Repository { .. } => "source-repository",
            Self::Revision { .. } | Self::RevisionForm { .. } => "source-revision",
            Self::Ambiguous { .. } => "source-ambiguous-revision",
            Self::Shallow { .. } => "source-shallow",
            Self::Fetch { .. } => "source-fetch",
            Self::Cache { .. } => "source-cache",
        }
    }

    /// What to do about it, one sentence.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Location { .. } => {
                "give a directory, or a git URL like `https://host/path`, `ssh://host/path`, `git@host:path` or \
                 `file:///path`; `//folder` at its end names a folder within the repository"
            }
            Self::Path { .. } => "write a path relative to the root of the landscape, with `/` between names",
            Self::Outside { .. } => {
                "replace the link by the files themselves, or by a relative link that stays within the landscape"
            }
            Self::LinkLoop { .. } => "remove one of the links",
            Self::NotFound { .. } => {
                "check the spelling, and that the file is committed when a revision is read"
            }
            Self::Kind { .. } => "check which of the two the path should name",
            Self::NestedRepository { .. } => {
                "copy the files into the landscape: what a submodule holds is not part of its commit"
            }
            Self::TooLarge { .. } | Self::TooLargeTogether { .. } | Self::TooMany { .. } => {
                "keep large or generated files outside the landscape"
            }
            Self::NotText { .. } => "save it as UTF-8",
            Self::Unreadable { .. } => "check that it can be read by the user who runs this",
            Self::NotGit { .. } => "leave `--revision` out, or give a location in a git repository",
            Self::Repository { .. } => {
                "see what `git status` says there; if it speaks of dubious ownership, do what it suggests"
            }
            Self::Revision { .. } => {
                "check the spelling, and that it has been pushed (or fetched, for a local clone)"
            }
            Self::RevisionForm { .. } => {
                "give a branch, a tag, a commit of at least 4 digits, or one of these followed by `~N` or `^N`"
            }
            Self::Ambiguous { .. } => "write `refs/heads/NAME`, `refs/tags/NAME` or the whole commit",
            Self::Shallow { .. } => {
                "fetch the whole history (`git fetch --unshallow`; in CI, a checkout with fetch depth 0)"
            }
            Self::Fetch { advice, .. } => advice,
            Self::Cache { .. } => "check that the folder can be written, or remove it: it is made anew",
        }
    }

    /// The message with its cause, in one sentence.
    pub fn summary(&self) -> String {
        match std::error::Error::source(self) {
            Some(cause) => format!("{self}: {cause}"),
            None => self.to_string(),
        }
    }

    /// The same as a diagnostic.
    pub fn diagnostic(&self) -> Diagnostic {
        Diagnostic::error(self.code(), self.summary()).help(self.advice())
    }
}

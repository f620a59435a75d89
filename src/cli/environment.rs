//! The one door to the process's environment.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// Everything that a command may know of the process it runs in.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// Environment variables. May hold secrets; never print.
    variables: Variables,
    /// The working directory.
    pub directory: PathBuf,
}

#[derive(Clone, Default)]
struct Variables(BTreeMap<OsString, OsString>);

impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} variables", self.0.len())
    }
}

impl Environment {
    /// Of this process.
    ///
    /// # Errors
    /// When the working directory is gone.
    #[allow(clippy::disallowed_methods, reason = "this is the door")]
    pub fn of_process() -> std::io::Result<Self> {
        Ok(Self { variables: Variables(std::env::vars_os().collect()), directory: std::env::current_dir()? })
    }

    /// A variable; empty counts as unset, as in every shell's `${X:-}`.
    pub fn variable(&self, name: impl AsRef<OsStr>) -> Option<&OsStr> {
        self.variables.0.get(name.as_ref()).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// A variable, empty or not: an empty secret is a mistake of its own.
    pub fn as_given(&self, name: &str) -> Option<&OsStr> {
        self.variables.0.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// A variable that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.variable(name)?.to_str()
    }

    /// The user's home directory.
    pub fn home(&self) -> Option<PathBuf> {
        self.variable("HOME").map(PathBuf::from)
    }

    /// Where `landskap` keeps what it can make again: `$XDG_CACHE_HOME/landskap` or `~/.cache/landskap`.
    pub fn cache_directory(&self) -> PathBuf {
        let base =
            self.variable("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| Some(self.home()?.join(".cache")));
        base.unwrap_or_else(|| self.directory.join(".landskap-cache")).join("landskap")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_is_unset_but_for_secrets() {
        let variables = [("EMPTY", ""), ("FULL", "x")].map(|(name, value)| (name.into(), value.into()));
        let environment = Environment { variables: Variables(variables.into()), ..Environment::default() };
        assert_eq!(environment.variable("EMPTY"), None);
        assert_eq!(environment.as_given("EMPTY"), Some(OsStr::new("")));
        assert_eq!(environment.variable("FULL"), environment.as_given("FULL"));
        assert_eq!(environment.as_given("MISSING"), None);
    }
}

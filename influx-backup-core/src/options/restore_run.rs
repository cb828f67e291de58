//! [`RestoreRunOptions`].

use std::{fmt, time::Duration};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, Visitor},
};

use super::Takeover;
use crate::{
    error::Result,
    limits::Limits,
    named::{Choices, named},
    setters::setters,
    units::duration,
};

/// How a restore runs. No plan covers it: it may differ from run to run of the same plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RestoreRunOptions {
    /// Whether the caller has stopped the servers. An orchestrator on the request takes precedence: it stops the servers
    /// and starts them again, regardless of this value.
    /// `true` is read as `confirmed_by_caller`, `false` as `not_confirmed`.
    #[serde(deserialize_with = "name_or_bool")]
    pub servers_stopped: ServersStopped,
    /// How long each server may take to stop, where there is an orchestrator.
    #[serde(with = "duration")]
    pub stop_timeout: Duration,
    /// What to do with an unfinished restore at the target.
    pub on_unfinished: OnUnfinished,
    /// When the target may be taken over from another process that restores to it.
    pub takeover: Takeover,
    /// How many resources to use.
    pub limits: Limits,
}

impl Default for RestoreRunOptions {
    fn default() -> Self {
        Self {
            servers_stopped: ServersStopped::default(),
            stop_timeout: super::STOP_TIMEOUT,
            on_unfinished: OnUnfinished::default(),
            takeover: Takeover::default(),
            limits: Limits::default(),
        }
    }
}

impl RestoreRunOptions {
    /// The caller has stopped the servers of the target.
    #[must_use]
    pub fn servers_stopped() -> Self {
        Self::default().with_servers_stopped(ServersStopped::ConfirmedByCaller)
    }

    /// Checks that the options fit together. A restore does so before it begins.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`](crate::Error::InvalidRequest) with the name of the option that does not.
    pub fn check(&self) -> Result<()> {
        self.limits.check()
    }

    setters! {
        /// Sets whether the caller has stopped the servers of the target.
        with_servers_stopped(servers_stopped: ServersStopped),

        /// Sets how long each server may take to stop.
        with_stop_timeout(stop_timeout: Duration),

        /// Sets what to do with an unfinished restore at the target.
        with_on_unfinished(on_unfinished: OnUnfinished),

        /// Sets when the target may be taken over from another process.
        with_takeover(takeover: Takeover),

        /// Sets how many resources to use.
        with_limits(limits: Limits),
    }

    /// Resumes an unfinished restore of the same backup.
    #[must_use]
    pub fn resuming(self) -> Self {
        self.with_on_unfinished(OnUnfinished::Resume)
    }
}

/// Whether the caller has stopped the servers of a target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServersStopped {
    /// Not known: without an orchestrator only an empty target is restored.
    #[default]
    NotConfirmed,
    /// The caller confirms it.
    ConfirmedByCaller,
}

named!(ServersStopped, "state of the servers", {
    NotConfirmed => "not_confirmed",
    ConfirmedByCaller => "confirmed_by_caller",
});

impl From<bool> for ServersStopped {
    fn from(is_stopped: bool) -> Self {
        if is_stopped { Self::ConfirmedByCaller } else { Self::NotConfirmed }
    }
}

/// As scripts write it: `true` or `false`, or one of the names.
fn name_or_bool<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ServersStopped, D::Error> {
    struct NameOrBool;

    impl Visitor<'_> for NameOrBool {
        type Value = ServersStopped;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "`true`, `false`, {}", Choices(ServersStopped::NAMES))
        }

        fn visit_bool<E: de::Error>(self, is_stopped: bool) -> Result<ServersStopped, E> {
            Ok(is_stopped.into())
        }

        fn visit_str<E: de::Error>(self, name: &str) -> Result<ServersStopped, E> {
            name.parse().map_err(|_| E::unknown_variant(name, ServersStopped::NAMES))
        }
    }

    deserializer.deserialize_any(NameOrBool)
}

/// What to do with an unfinished restore at the target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnUnfinished {
    /// Return [`Error::RestoreUnfinished`](crate::Error::RestoreUnfinished).
    #[default]
    Refuse,
    /// Resume it, under its own policy, if it restores the same backup.
    Resume,
}

named!(OnUnfinished, "answer to an unfinished restore", { Refuse => "refuse", Resume => "resume" });

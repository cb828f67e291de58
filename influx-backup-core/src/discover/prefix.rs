//! [`Prefix`]: what lies directly below one prefix, and what that makes it. Pure.

use crate::{cluster::Role, discover::catalog::CatalogSeen, layout::Component, location::ListLevel};

/// The names at one level.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Level {
    pub(super) directories: Vec<String>,
    pub(super) files: Vec<String>,
}

impl From<ListLevel> for Level {
    fn from(shallow: ListLevel) -> Self {
        let files = shallow.entries.iter().map(|entry| entry.key.name().to_owned()).collect();
        Self { directories: shallow.directories, files }
    }
}

impl Level {
    pub(super) fn is_empty(&self) -> bool {
        self.directories.is_empty() && self.files.is_empty()
    }

    pub(super) fn has_directory(&self, name: &str) -> bool {
        self.directories.iter().any(|directory| directory == name)
    }

    pub(super) fn has_file(&self, name: &str) -> bool {
        self.files.iter().any(|file| file == name)
    }

    /// Every name, with the component that it would be below a node or a cluster.
    pub(super) fn components(&self) -> impl Iterator<Item = (&str, Component)> {
        let directories = self.directories.iter().map(|name| (name.as_str(), Component::of(&format!("{name}/_"))));
        directories.chain(self.files.iter().map(|name| (name.as_str(), Component::of(name))))
    }

    /// The names of the components that `which` accepts.
    pub(super) fn names(&self, which: impl Fn(Component) -> bool) -> Vec<&str> {
        self.components().filter(|(_, component)| which(*component)).map(|(name, _)| name).collect()
    }

    /// Whether a directory holds what makes a prefix a node with data, or a compactor.
    pub(super) fn evidence(name: &str) -> Option<Role> {
        let component = Component::of(&format!("{name}/_"));
        let role = if component.is_compactor() { Role::Compactor } else { Role::Data };
        (component.is_compactor() || is_data(component)).then_some(role)
    }

    /// How many names are those of components.
    pub(super) fn known(&self) -> usize {
        self.names(|component| component != Component::Other).len()
    }
}

fn is_data(component: Component) -> bool {
    let is_written =
        matches!(component, Component::Wal | Component::Snapshot | Component::SnapshotCheckpoint | Component::Parquet);
    is_written || component.is_derived()
}

/// How the keys of Parquet files are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum KeyShape {
    /// `dbs/{name}-{id}/…`: written by 3.0 to 3.5.
    ByName,
    /// `dbs/{id}/…`: written by 3.6 and later.
    ById,
}

impl KeyShape {
    /// The shape of the keys below the directory of one database.
    pub(super) fn of(database: &str) -> Self {
        if database.bytes().all(|b| b.is_ascii_digit()) { Self::ById } else { Self::ByName }
    }
}

/// One top-level name, or one id that was given, with what was found below it.
#[derive(Debug, Clone, Default)]
pub(super) struct Prefix {
    /// What lies directly below it.
    pub(super) level: Level,
    /// What lies directly below its `catalog`.
    pub(super) catalog_level: Level,
    /// Its catalog, where it has one.
    pub(super) catalog: Option<CatalogSeen>,
    /// The shapes of its Parquet keys.
    pub(super) shapes: Vec<KeyShape>,
    /// Keys that only the upgraded engine writes.
    pub(super) markers: Vec<String>,
}

impl Prefix {
    /// Whether there is no object.
    pub(super) fn is_empty(&self) -> bool {
        self.level.is_empty()
    }

    /// The names that make it a node that holds data.
    pub(super) fn data_names(&self) -> Vec<&str> {
        self.level.names(is_data)
    }

    /// The names that make it a compactor.
    pub(super) fn compactor_names(&self) -> Vec<&str> {
        self.level.names(Component::is_compactor)
    }

    /// The names that only an Enterprise cluster's prefix has.
    pub(super) fn enterprise_names(&self) -> Vec<&str> {
        self.level.names(|component| component.is_license() || component == Component::EnterpriseConfig)
    }

    /// The names of its license files.
    pub(super) fn licenses(&self) -> Vec<&str> {
        self.level.names(Component::is_license)
    }

    pub(super) fn is_data(&self) -> bool {
        !self.data_names().is_empty()
    }

    pub(super) fn is_compactor(&self) -> bool {
        !self.compactor_names().is_empty()
    }

    /// Whether it looks like a node, its catalog aside.
    pub(super) fn is_node(&self) -> bool {
        self.is_data() || self.is_compactor() || self.markers.iter().any(|marker| super::engine::is_sure(marker))
    }

    /// Whether it looks like a part of a cluster.
    pub(super) fn is_member(&self) -> bool {
        self.is_node() || self.catalog.is_some() || !self.enterprise_names().is_empty()
    }

    /// What it does, as a node.
    pub(super) fn roles(&self) -> Vec<Role> {
        let compactor = self.is_compactor();
        let data = (self.is_data() || !compactor).then_some(Role::Data);
        data.into_iter().chain(compactor.then_some(Role::Compactor)).collect()
    }

    /// The names below it that this release does not know, relative to it.
    pub(super) fn unknown(&self) -> Vec<String> {
        let here = self.level.names(|component| component == Component::Other);
        let known = |name: &str| ["v2", "v3", "restores"].contains(&name);
        let below = self.catalog_level.directories.iter().filter(|name| !known(name)).chain(&self.catalog_level.files);
        here.into_iter().map(ToOwned::to_owned).chain(below.map(|name| format!("catalog/{name}"))).collect()
    }

    /// Whether its catalog names the node, or `None` where that cannot be read.
    pub(super) fn names(&self, node: &str) -> Option<bool> {
        let nodes = self.catalog.as_ref()?.contents.nodes.as_ref()?;
        Some(nodes.iter().any(|named| named == node))
    }
}

//! [`Location`]: where objects live.

use influx_backup_core::{Location as CoreLocation, StoreOptions};
use napi::{
    Env, JsValue, Result, Unknown,
    bindgen_prelude::{JavaScriptClassExt, Object},
};
use napi_derive::napi;

use crate::{convert::ToNode, error::raise, options::store_options};

/// Where objects live: a directory, or a bucket or container with an optional prefix.
#[napi]
#[derive(Debug)]
pub struct Location(pub(crate) CoreLocation);

#[napi]
impl Location {
    /// `place` is a path or a URL; `options` are those of its store, and the environment is their default.
    #[napi(constructor)]
    pub fn new(env: &Env, place: String, options: Option<Object<'_>>) -> Result<Self> {
        let options = match options {
            Some(given) => store_options(env, &given)?,
            None => StoreOptions::default(),
        };
        CoreLocation::parse(&place, &options.or(&StoreOptions::from_env())).map(Self).map_err(raise(env))
    }

    /// Which kind of store this is.
    #[napi(getter)]
    pub fn provider(&self) -> String {
        self.0.provider().to_string()
    }

    /// Who keeps the objects, without any secret.
    #[napi(getter)]
    pub fn identity<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        self.0.identity().to_node(env)
    }

    /// The last segment of the location; `null` at the top of a bucket or file system.
    #[napi(getter)]
    pub fn name<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        self.0.name().to_node(env)
    }

    /// The location one segment above this one; `null` at the top of a bucket or file system.
    #[napi(getter)]
    pub fn parent<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        self.0.parent().to_node(env)
    }

    /// The location `tail` below this one.
    #[napi]
    pub fn child(&self, env: &Env, tail: String) -> Result<Self> {
        self.0.child(&tail).map(Self).map_err(raise(env))
    }

    /// Whether `other` is this location or lies inside it, as far as their names show it.
    #[napi]
    #[allow(clippy::use_self, reason = "napi knows no `Self` among the parameters")]
    pub fn contains(&self, other: &Location) -> bool {
        self.0.contains(&other.0)
    }

    /// Whether `other` is the same location, with the same options.
    #[napi]
    #[allow(clippy::use_self, reason = "napi knows no `Self` among the parameters")]
    pub fn equals(&self, other: &Location) -> bool {
        self.0 == other.0
    }

    /// As a URL or path, without credentials.
    #[napi]
    pub fn text(&self) -> String {
        self.0.to_string()
    }
}

impl ToNode for CoreLocation {
    fn to_node<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        Ok(Location(self.clone()).into_instance(env)?.to_unknown())
    }
}

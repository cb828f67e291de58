//! Stores of obstore, and of every other package that is built on pyo3-object_store, as locations.

use std::{path::PathBuf, sync::Arc};

use influx_backup_core::{
    Location, StoreOptions,
    location::{Identity, interop::object_store::ObjectStore},
};
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyDict, PyTuple},
};
use pyo3_object_store::AnyObjectStore;

use crate::error::raise;

/// The location of a store. It is made again from the arguments that it was made with, without its prefix: that is where the
/// location begins.
pub(super) fn location(store: &Bound<'_, PyAny>) -> PyResult<Location> {
    let no_place = || {
        let text = store.repr().map(|text| text.to_string()).unwrap_or_default();
        PyTypeError::new_err(format!(
            "a place is a str, a path, a Location or a store of obstore (but no MemoryStore), not {text}"
        ))
    };
    let kind = store.get_type().name()?.to_string();
    let made_with = store.call_method0("__getnewargs_ex__").map_err(|cause| {
        let error = no_place();
        error.set_cause(store.py(), Some(cause));
        error
    })?;
    let (arguments, options) =
        made_with.extract::<(Bound<'_, PyTuple>, Bound<'_, PyDict>)>().map_err(|_| no_place())?;
    let prefix = options.get_item("prefix")?.map_or_else(|| Ok(String::new()), |prefix| prefix.extract())?;
    let config = options.get_item("config")?;
    let option = |name: &str| -> PyResult<String> {
        let value = config.as_ref().and_then(|config| config.get_item(name).ok());
        value.map_or_else(|| Ok(String::new()), |value| value.extract())
    };
    let identity = match kind.as_str() {
        "LocalStore" => {
            let directory: Option<PathBuf> = arguments.get_item(0)?.extract()?;
            let directory = directory.unwrap_or_else(|| PathBuf::from("/")).into_os_string().into_string();
            let directory = directory.map_err(|_| no_place())?;
            return Location::parse(&directory, &StoreOptions::default()).map_err(raise);
        }
        "S3Store" => {
            Identity::S3 { endpoint: option("endpoint")?, bucket: option("bucket")?, region: option("region")? }
        }
        "AzureStore" => Identity::Azure { account: option("account_name")?, container: option("container_name")? },
        "GCSStore" => Identity::Gcs { base_url: String::new(), bucket: option("bucket")? },
        "HTTPStore" => Identity::Other { url: arguments.get_item(0)?.extract()? },
        _ => return Err(no_place()),
    };
    let without_prefix = options.copy()?;
    if without_prefix.contains("prefix")? {
        without_prefix.del_item("prefix")?;
    }
    let whole = store.get_type().call(arguments, Some(&without_prefix))?;
    let whole: Arc<dyn ObjectStore> = whole.extract::<AnyObjectStore>()?.into_dyn();
    Ok(Location::with_store(whole, prefix.into(), identity))
}

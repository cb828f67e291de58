//! The verbs that need no repository, one file each.

mod abandon;
mod certify;
mod discover;
mod generate;
mod inspect;
mod inventory;
mod verify;

use pyo3::prelude::*;

/// Adds all functions.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(abandon::abandon, module)?)?;
    module.add_function(wrap_pyfunction!(certify::certify, module)?)?;
    module.add_function(wrap_pyfunction!(discover::discover, module)?)?;
    module.add_function(wrap_pyfunction!(generate::generate, module)?)?;
    module.add_function(wrap_pyfunction!(inspect::inspect, module)?)?;
    module.add_function(wrap_pyfunction!(inventory::inventory, module)?)?;
    module.add_function(wrap_pyfunction!(verify::verify, module)?)
}

//! The verbs that need no repository, one file each.

mod certify;
mod discover;

use pyo3::prelude::*;

use crate::document;

/// Adds all functions.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(document::read, module)?)?;
    module.add_function(wrap_pyfunction!(certify::certify, module)?)?;
    module.add_function(wrap_pyfunction!(discover::discover, module)?)
}
